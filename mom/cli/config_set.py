"""`mom atlas config set`: other values for what an HTTP adapter has, each in its own place."""

from __future__ import annotations

from typing import Annotated

import typer

from mom.atlas.adapters.http import HttpAdapterSpec
from mom.atlas.adapters.http_words import write_allow
from mom.atlas.edit.change import ChangedAdapter, HttpChanges, change_http_adapter
from mom.cli import http_adapter
from mom.cli.add_http_adapter import (
    AllowLiteralSecret,
    BasicAuth,
    CaFile,
    CertFile,
    ClientId,
    ClientSecret,
    Headers,
    Http2,
    KeyFile,
    Parameters,
    Proxy,
    Query,
    Scopes,
    Smoke,
    TokenUrl,
)
from mom.cli.editing import CHANGE, Description, run_edit
from mom.cli.http_access import (
    Allow,
    Limit,
    RemoveAllow,
    RemoveLimit,
    RemoveRetries,
    RemoveTimeout,
    Retries,
    Timeout,
)
from mom.cli.http_changes import Others, Pairs, RemoveHeader, RemoveQuery, Unset, read_bounds, read_changes
from mom.cli.options import (
    AdapterArgument,
    CheckOption,
    DiffOption,
    DryRunOption,
    EditedFileOption,
    Format,
    FormatOption,
    NameOption,
    QuietOption,
    VerboseOption,
    WriteOptions,
    adapter_named,
    write_options,
)
from mom.cli.undo import undo_set

BaseUrl = Annotated[str | None, typer.Option("--base-url", metavar="URL", help="Where the API is.")]


def set_(
    name: AdapterArgument = None,
    *,
    base_url: BaseUrl = None,
    header: Headers = None,
    remove_header: RemoveHeader = None,
    basic_auth: BasicAuth = None,
    query: Query = None,
    remove_query: RemoveQuery = None,
    oauth2_token_url: TokenUrl = None,
    oauth2_client_id: ClientId = None,
    oauth2_client_secret: ClientSecret = None,
    oauth2_scope: Scopes = None,
    oauth2_parameter: Parameters = None,
    proxy: Proxy = None,
    http2: Http2 = False,
    ca_file: CaFile = None,
    cert_file: CertFile = None,
    key_file: KeyFile = None,
    smoke: Smoke = None,
    unset: Unset = None,
    allow: Allow = None,
    remove_allow: RemoveAllow = None,
    limit: Limit = None,
    remove_limit: RemoveLimit = False,
    timeout: Timeout = None,
    remove_timeout: RemoveTimeout = False,
    retries: Retries = None,
    remove_retries: RemoveRetries = False,
    file: EditedFileOption = None,
    dry_run: DryRunOption = False,
    diff: DiffOption = False,
    check: CheckOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    form: FormatOption = Format.TEXT,
    allow_literal_secret: AllowLiteralSecret = False,
    adapter_name: NameOption = None,
) -> int:
    r"""Change what an HTTP adapter has: only those values, each in its own style.

    -H and --query set one by its name. An empty value takes a part of OAuth2 or TLS out (--ca-file '').

    Example:
      mom atlas config set openai --base-url https://eu.api.openai.com
    """
    name = adapter_named(name, adapter_name)
    pairs = Pairs(header or (), remove_header or (), query or (), remove_query or ())
    oauth2 = (oauth2_token_url, oauth2_client_id, oauth2_client_secret, oauth2_scope or (), oauth2_parameter or ())
    others = Others(basic_auth, oauth2, (ca_file, cert_file, key_file), proxy, http2, smoke, unset or ())
    entries = (allow or (), remove_allow or ())
    bounds = (read_bounds(limit, timeout, retries), (remove_limit, remove_timeout, remove_retries))
    changes = read_changes(base_url, pairs, others, entries, bounds, allow_literal_secret=allow_literal_secret)
    options = write_options(file, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form)
    return _run(name, changes, options)


def _run(name: str, changes: HttpChanges, options: WriteOptions) -> int:
    return run_edit(
        options,
        lambda source: change_http_adapter(source, name, changes),
        lambda edit: _describe(edit, name, changes, options),
    )


def _spec(name: str, changes: HttpChanges) -> HttpAdapterSpec:
    """Return an adapter with what is set, to be warned of and reported."""
    settings = dict(changes.settings.values)
    basic, oauth2 = settings.get("basicAuth"), settings.get("oauth2")
    return HttpAdapterSpec(
        name,
        changes.base_url or "https://unchanged.invalid",
        changes.headers,
        basic_auth=(str(basic["username"]), str(basic.get("password", ""))) if isinstance(basic, dict) else None,
        query=changes.query,
        oauth2=oauth2 if isinstance(oauth2, dict) else None,
    )


def _describe(edit: ChangedAdapter, name: str, changes: HttpChanges, options: WriteOptions) -> Description:
    given = _spec(name, changes)
    kind = given.kind.kind
    what = f"{kind} adapter {name}"
    absent = [f"{what} has no {each}" for each in edit.absent]
    absent += [f"{what} has no such entry of allow: {write_allow(entry)}" for entry in edit.unlisted]
    opened = [f"{what} has no list of requests that may pass any more: every request may"] if edit.opened else []
    return Description(
        verb=CHANGE,
        what=what,
        unchanged=f"{what} already has these values",
        report={
            "adapter": {"kind": kind, "name": name},
            "environment": http_adapter.variables(given),
        },
        warnings=[*http_adapter.warnings(given), *absent, *opened],
        undo=undo_set(name, edit.before, options.file),
    )
