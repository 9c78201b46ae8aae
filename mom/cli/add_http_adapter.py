"""`mom atlas config add-http-adapter`: the adapter that the options describe, as one edit."""

from __future__ import annotations

from typing import Annotated

import typer

from mom.atlas.adapters.http import HttpAdapterSpec
from mom.atlas.adapters.http_words import read_allow, read_limit, read_smoke, read_timeout
from mom.atlas.edit.add import add_adapter
from mom.atlas.edit.result import Action, Edit
from mom.cli import http_adapter
from mom.cli.editing import ADD, Description, run_command_hint, run_edit
from mom.cli.http_access import Allow, Limit, Retries, Timeout
from mom.cli.options import (
    CheckOption,
    DiffOption,
    DryRunOption,
    EditedFileOption,
    Format,
    FormatOption,
    QuietOption,
    VerboseOption,
    WriteOptions,
    write_options,
)
from mom.cli.undo import undo_add

AdapterName = Annotated[
    str,
    typer.Option("--adapter-name", metavar="NAME", help="The adapter's name: a segment of the URL it is called by."),
]
BaseUrl = Annotated[str, typer.Option("--base-url", metavar="URL", help="Where the API is: absolute, http or https.")]
Headers = Annotated[
    list[str] | None,
    typer.Option(
        "--header",
        "-H",
        metavar="'NAME: VALUE'",
        help="A header that Atlas sets; ${{ NAME }} is a variable. Repeatable.",
    ),
]
BasicAuth = Annotated[
    str | None,
    typer.Option("--basic-auth", metavar="USER:PASSWORD", help="Basic authentication, which Atlas encodes."),
]
Query = Annotated[
    list[str] | None,
    typer.Option("--query", metavar="NAME=VALUE", help="A parameter of the query that Atlas sets. Repeatable."),
]
TokenUrl = Annotated[
    str | None,
    typer.Option("--oauth2-token-url", metavar="URL", help="Where Atlas gets tokens for the API: client credentials."),
]
ClientId = Annotated[str | None, typer.Option("--oauth2-client-id", metavar="ID", help="The client of OAuth2.")]
ClientSecret = Annotated[
    str | None,
    typer.Option("--oauth2-client-secret", metavar="'${{ NAME }}'", help="The variable with that client's secret."),
]
Scopes = Annotated[
    list[str] | None, typer.Option("--oauth2-scope", metavar="SCOPE", help="What a token is for. Repeatable.")
]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--oauth2-parameter", metavar="NAME=VALUE", help="A parameter of the token request. Repeatable."),
]
Proxy = Annotated[
    str | None,
    typer.Option("--proxy", metavar="URL", help="The proxy for this API; none: no proxy. Default: $HTTPS_PROXY."),
]
Http2 = Annotated[
    bool, typer.Option("--http2", help="HTTP/2 without TLS, for a plain http API that takes nothing else (gRPC).")
]
CaFile = Annotated[
    str | None, typer.Option("--ca-file", metavar="PEM", help="The API's authorities, instead of the system's.")
]
CertFile = Annotated[str | None, typer.Option("--cert-file", metavar="PEM", help="A certificate to show to the API.")]
KeyFile = Annotated[str | None, typer.Option("--key-file", metavar="PEM", help="The key of that certificate.")]
Smoke = Annotated[
    str | None,
    typer.Option(
        "--smoke",
        metavar="'METHOD PATH STATUS'",
        help="What mom atlas check sends: 'GET /v1/models 200', or a path.",
    ),
]
AllowLiteralSecret = Annotated[
    bool, typer.Option("--allow-literal-secret", help="Accept a credential that is written out in a header.")
]


def add(
    *,
    file: EditedFileOption = None,
    adapter_name: AdapterName,
    base_url: BaseUrl,
    header: Headers = None,
    basic_auth: BasicAuth = None,
    query: Query = None,
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
    allow: Allow = None,
    limit: Limit = None,
    timeout: Timeout = None,
    retries: Retries = None,
    dry_run: DryRunOption = False,
    diff: DiffOption = False,
    check: CheckOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    form: FormatOption = Format.TEXT,
    allow_literal_secret: AllowLiteralSecret = False,
) -> int:
    r"""Add an HTTP adapter without touching any other line.

    Example:
      mom atlas config add-http-adapter --adapter-name openai \
          --base-url https://api.openai.com \
          -H 'Authorization: Bearer ${{ OPENAI_API_TOKEN }}'
    """
    options = write_options(file, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form)
    adapter = http_adapter.read_adapter(
        adapter_name,
        base_url,
        header or (),
        basic_auth=basic_auth,
        query=query or (),
        http2=http2,
        tls={"caFile": ca_file, "certFile": cert_file, "keyFile": key_file},
        oauth2=(oauth2_token_url, oauth2_client_id, oauth2_client_secret, oauth2_scope or (), oauth2_parameter or ()),
        proxy=proxy,
        allow_literal_secret=allow_literal_secret,
    )
    adapter = adapter._replace(
        allow=read_allow(allow or ()),
        limits=read_limit(limit),
        timeout=read_timeout(timeout),
        retries=retries,
        smoke=read_smoke(smoke),
    )
    return run_edit(options, lambda source: add_adapter(source, adapter), lambda edit: describe(edit, adapter, options))


def describe(edit: Edit, adapter: HttpAdapterSpec, options: WriteOptions) -> Description:
    """Return what is reported of an edit that adds `adapter`."""
    variables = http_adapter.variables(adapter)
    kind = adapter.kind.kind
    what = f"{kind} adapter {adapter.name}"
    return Description(
        verb=ADD,
        what=f"the missing part of {what}" if edit.action is Action.COMPLETED else what,
        unchanged=f"{what} is already configured",
        report={
            "adapter": {"kind": kind, "name": adapter.name, "baseUrl": adapter.base_url},
            "environment": variables,
        },
        warnings=http_adapter.warnings(adapter),
        notes=http_adapter.notes(adapter),
        next_step=run_command_hint(variables, options),
        undo=undo_add(edit, kind, adapter.name, options.file),
    )
