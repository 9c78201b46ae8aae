"""`mom atlas config add-kubernetes-adapter`: the cluster where Atlas runs, as one edit."""

from __future__ import annotations

from mom.atlas.adapters.kubernetes import KubernetesAdapterSpec
from mom.cli.adding import run_addition
from mom.cli.http_adapter import read_adapter_name
from mom.cli.options import (
    AdapterNameOption,
    CheckOption,
    DiffOption,
    DryRunOption,
    EditedFileOption,
    Format,
    FormatOption,
    QuietOption,
    VerboseOption,
    write_options,
)


def add(
    *,
    file: EditedFileOption = None,
    adapter_name: AdapterNameOption = "kubernetes",
    dry_run: DryRunOption = False,
    diff: DiffOption = False,
    check: CheckOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    form: FormatOption = Format.TEXT,
) -> int:
    """Add a Kubernetes adapter: the cluster where Atlas runs.

    It has no settings: the credential is the service account of the pod.

    Example:
      mom atlas config add-kubernetes-adapter
    """
    adapter = KubernetesAdapterSpec(read_adapter_name(adapter_name))
    options = write_options(file, dry_run=dry_run, diff=diff, check=check, quiet=quiet, verbose=verbose, form=form)
    return run_addition(adapter, options)
