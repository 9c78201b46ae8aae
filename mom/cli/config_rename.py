"""`mom atlas config rename`: an adapter's name in its reference and in its document, together."""

from __future__ import annotations

from typing import Annotated

import typer

from mom.atlas.edit.rename import RenamedAdapter, rename_adapter
from mom.atlas.values.names import check_adapter_name
from mom.cli.editing import RENAME, Description, run_edit
from mom.cli.options import (
    CheckOption,
    DiffOption,
    DryRunOption,
    EditedFileOption,
    Format,
    FormatOption,
    KindOption,
    QuietOption,
    VerboseOption,
    WriteOptions,
    write_options,
)
from mom.cli.undo import undo_rename
from mom.errors import UsageError


def rename(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The adapter's name.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Its new name.")],
    *,
    kind: KindOption = None,
    file: EditedFileOption = None,
    dry_run: DryRunOption = False,
    diff: DiffOption = False,
    check: CheckOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    form: FormatOption = Format.TEXT,
) -> int:
    """Rename an adapter: its reference and its document together.

    Comments that have the old name are reported, and stay. Callers use the new name at once: it is part of the URL.

    Example:
      mom atlas config rename openai openai-eu
    """
    if wrong := check_adapter_name(new):
        raise UsageError(f"NEW: {wrong}")
    options = write_options(file, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form)
    return run_edit(
        options,
        lambda source: rename_adapter(source, old, new, kind),
        lambda edit: _describe(edit, old, new, kind, options),
    )


def _describe(edit: RenamedAdapter, old: str, new: str, kind: str | None, options: WriteOptions) -> Description:
    notes = []
    if edit.mentions:
        lines = ", ".join(map(str, edit.mentions[:10])) + (", …" if len(edit.mentions) > 10 else "")
        notes.append(f"comments still have {old}: line{'s' if len(edit.mentions) > 1 else ''} {lines}")
    return Description(
        verb=RENAME,
        what=f"{edit.kind} adapter {old} to {new}",
        unchanged=f"{edit.kind} adapter {new} already has this name",
        report={"adapter": {"kind": edit.kind, "name": new, "formerName": old}, "mentions": list(edit.mentions)},
        notes=notes,
        undo=undo_rename(old, new, edit.kind if edit.shares_name or kind else None, options.file),
    )
