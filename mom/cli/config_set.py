"""`mom atlas config set`: other values for what an HTTP adapter has, each in its own place."""

from __future__ import annotations

from typing import Annotated

import typer

from mom.atlas.adapters.http import HttpAdapterSpec
from mom.atlas.edit.bounds import Bounds
from mom.atlas.edit.change import ChangedAdapter, HttpChanges, change_http_adapter
from mom.atlas.values.headers import check_header_name
from mom.cli import http_adapter
from mom.cli.add_http_adapter import AllowLiteralSecret, Headers
from mom.cli.editing import CHANGE, Description, EditOptions, edit_options, run_edit
from mom.cli.http_access import (
    REMOVED_BOUNDS,
    Allow,
    Limit,
    RemoveAllow,
    RemoveLimit,
    RemoveRetries,
    RemoveTimeout,
    Retries,
    Timeout,
    read_allow,
    read_limit,
    read_timeout,
    write_allow,
)
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
    adapter_named,
)
from mom.cli.undo import undo_set
from mom.errors import UsageError

BaseUrl = Annotated[str | None, typer.Option("--base-url", metavar="URL", help="Where the API is.")]
Removed = Annotated[
    list[str] | None,
    typer.Option("--remove-header", metavar="NAME", help="A header that Atlas no longer sets. Repeatable."),
]


def set_(
    name: AdapterArgument = None,
    *,
    base_url: BaseUrl = None,
    header: Headers = None,
    remove_header: Removed = None,
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
    r"""Change the base URL, headers, rules or limits of an HTTP adapter: only those values, in their own style.

    -H gives a header that the adapter has another value, and adds one that it has not.
    --allow adds an entry to its list of requests that may pass, --remove-allow takes one out.

    Example:
      mom atlas config set openai --base-url https://eu.api.openai.com
    """
    name = adapter_named(name, adapter_name)
    headers = http_adapter.read_headers(header or (), allow_literal_secret=allow_literal_secret)
    changes = HttpChanges(
        base_url=http_adapter.read_base_url(base_url) if base_url is not None else None,
        headers=headers,
        removed=_removed_names(remove_header or [], headers),
        allow=read_allow(allow or ()),
        removed_allow=read_allow(remove_allow or (), option="--remove-allow"),
        bounds=_bounds(
            Bounds(read_limit(limit), read_timeout(timeout), retries),
            {"limits": remove_limit, "timeout": remove_timeout, "retries": remove_retries},
        ),
    )
    if changes.allow and changes.removed_allow:
        raise UsageError("--allow and --remove-allow exclude each other", hint="add the new entry first, then remove")
    if changes == HttpChanges():
        raise UsageError("nothing to change", hint="pass what is to be changed, such as --base-url or -H")
    options = edit_options(file, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form)
    return run_edit(
        options,
        lambda source: change_http_adapter(source, name, changes),
        lambda edit: _describe(edit, name, changes, options),
    )


def _removed_names(names: list[str], headers: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Return the names of headers to take out, each once. Raises UsageError for one that is not a name, or also set."""
    wanted = {name.lower() for name, _ in headers}
    for name in names:
        if wrong := check_header_name(name):
            raise UsageError(f"--remove-header: {wrong}")
        if name.lower() in wanted:
            raise UsageError(f"the header {name} is both set and removed", hint="pass -H or --remove-header")
    return tuple({name.lower(): name for name in names}.values())


def _bounds(given: Bounds, removed: dict[str, bool]) -> Bounds:
    """Return the bounds with those to take out. Raises UsageError for one that is also set."""
    keys = tuple(key for key, wanted in removed.items() if wanted)
    for key in keys:
        if key in given.values():
            raise UsageError(f"`{key}` is both set and removed", hint=f"leave out {REMOVED_BOUNDS[key]}")
    return given._replace(removed=keys)


def _describe(edit: ChangedAdapter, name: str, changes: HttpChanges, options: EditOptions) -> Description:
    given = HttpAdapterSpec(name, changes.base_url or "https://unchanged.invalid", changes.headers)
    kind = given.kind.kind
    what = f"{kind} adapter {name}"
    absent = [f"{what} has no header {header}" for header in edit.absent]
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
