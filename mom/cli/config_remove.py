"""`mom atlas config remove`: an adapter's reference, its document, and the comments that belong to them."""

from __future__ import annotations

from typing import Annotated

import typer

from mom.atlas.adapters import KINDS
from mom.atlas.edit.remove import RemovedAdapter, remove_adapter
from mom.cli.editing import REMOVE, Description, run_edit
from mom.cli.options import (
    AdapterArgument,
    CheckOption,
    DiffOption,
    DryRunOption,
    EditedFileOption,
    Format,
    FormatOption,
    KindOption,
    NameOption,
    QuietOption,
    VerboseOption,
    WriteOptions,
    adapter_named,
    remove_command,
    write_options,
)
from mom.cli.undo import undo_remove

KeepComments = Annotated[
    bool, typer.Option("--keep-comments", help="Keep the comments above and below what is removed.")
]


def remove(
    name: AdapterArgument = None,
    *,
    kind: KindOption = None,
    keep_comments: KeepComments = False,
    file: EditedFileOption = None,
    dry_run: DryRunOption = False,
    diff: DiffOption = False,
    check: CheckOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    form: FormatOption = Format.TEXT,
    adapter_name: NameOption = None,
) -> int:
    """Remove an adapter: its reference and its document.

    The comments that belong to them go too: those inside, and those directly above, without a blank line between.

    Example:
      mom atlas config remove openai --diff
    """
    name = adapter_named(name, adapter_name)
    options = write_options(file, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form)
    return run_edit(
        options,
        lambda source: remove_adapter(source, name, kind, keep_comments=keep_comments),
        lambda edit: _describe(edit, name, options),
    )


def remove_of_kind(
    context: typer.Context,
    name: AdapterArgument = None,
    *,
    keep_comments: KeepComments = False,
    file: EditedFileOption = None,
    dry_run: DryRunOption = False,
    diff: DiffOption = False,
    check: CheckOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    form: FormatOption = Format.TEXT,
    adapter_name: NameOption = None,
) -> int:
    """Remove an adapter of the kind in the command's name: what remove does with --kind.

    Example:
      mom atlas config remove openai --kind HTTP
    """
    return remove(
        name,
        kind=next(kind for kind in KINDS if context.info_name == remove_command(kind)),
        keep_comments=keep_comments,
        file=file,
        dry_run=dry_run,
        diff=diff,
        check=check,
        quiet=quiet,
        verbose=verbose,
        form=form,
        adapter_name=adapter_name,
    )


def _describe(edit: RemovedAdapter, name: str, options: WriteOptions) -> Description:
    what = f"{edit.kind} adapter {name}"
    notes = []
    if edit.comments:
        lines = f"{edit.comments} line{'s' if edit.comments > 1 else ''} of comments"
        notes.append(f"{lines} went with it (--keep-comments keeps those around it)")
    return Description(
        verb=REMOVE,
        what=what,
        unchanged=f"{what} is not configured",
        report={"adapter": {"kind": edit.kind, "name": name}},
        notes=notes,
        undo=undo_remove(edit.kind, name, edit.document, options.file),
    )
