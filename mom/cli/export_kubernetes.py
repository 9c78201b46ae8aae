"""`mom atlas export kubernetes`: flags in, a Kustomize base and an overlay out."""

from __future__ import annotations

from typing import Annotated

import typer

from mom.cli.exporting import ExportCheckOption, OutputOption, export_options, run_export
from mom.cli.options import DiffOption, DryRunOption, FileOption, Format, FormatOption, QuietOption, VerboseOption
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
    bool, typer.Option("--files-in-image", help="Envoy's files come with an image, not as ConfigMaps.")
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
    cluster_id: ClusterIdOption = None,
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
    from mom.export.kubernetes import Options, checked

    chosen = checked(Options(secret_name=secret_name, files_in_image=files_in_image, cluster_id=cluster_id or ""))
    options = export_options(
        file, output, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form
    )

    def export(source: Source) -> Export:
        from mom.export import kubernetes as exported
        from mom.export import refusals

        refusals.check(source, exported.layout(chosen))
        return exported.export(source, chosen, output)

    return int(run_export(options, export))
