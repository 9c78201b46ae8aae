"""`mom atlas export kubernetes`: flags in, a Kustomize base and an overlay out."""

from __future__ import annotations

from typing import Annotated

import typer

from mom.cli.exporting import (
    ExportCheckOption,
    OutputOption,
    WithMomOption,
    export_options,
    run_export,
    serving_options,
)
from mom.cli.options import DiffOption, DryRunOption, FileOption, Format, FormatOption, QuietOption, VerboseOption
from mom.cli.run import NoKeySlots, StreamLimit, Timeout
from mom.export.model import Export, Source

SecretNameOption = Annotated[
    str | None,
    typer.Option(
        "--secret-name",
        metavar="NAME",
        help="A Secret that is there, with a key per variable; none is made.",
        show_default=False,
    ),
]
FilesInImageOption = Annotated[
    bool, typer.Option("--files-in-image", help="The files come with an image, not as ConfigMaps.")
]
ClusterIdOption = Annotated[
    str | None,
    typer.Option(
        "--cluster-id",
        metavar="UID",
        help="The uid of the namespace kube-system, for a Kubernetes adapter.",
        show_default=False,
    ),
]


def kubernetes(
    *,
    output: OutputOption,
    file: FileOption = None,
    secret_name: SecretNameOption = None,
    files_in_image: FilesInImageOption = False,
    with_mom: WithMomOption = False,
    cluster_id: ClusterIdOption = None,
    timeout: Timeout = None,
    stream_limit: StreamLimit = None,
    no_key_slots: NoKeySlots = False,
    dry_run: DryRunOption = False,
    diff: DiffOption = False,
    check: ExportCheckOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    form: FormatOption = Format.TEXT,
) -> int:
    """Write a Kustomize base of this Atlas, and an overlay to fill in.

    Example: mom atlas export kubernetes -o deploy
    """
    from mom import __version__
    from mom.export import kubernetes as exported

    serving = serving_options(timeout, stream_limit, no_key_slots=no_key_slots)
    chosen = exported.checked(
        exported.Options(
            secret_name=secret_name,
            files_in_image=files_in_image,
            cluster_id=cluster_id or "",
            version=__version__ if with_mom else None,
        )
    )
    options = export_options(
        file, output, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form
    )

    def export(source: Source) -> Export:
        place = serving.layout(source, exported.layout(source, chosen))
        return exported.export(source, chosen, place, output)

    return int(run_export(options, output, export))
