"""`mom curl` in the command tree: its line in `mom --help`. `mom.cli.main` runs it before this tree is built."""

from __future__ import annotations

import typer


def curl(context: typer.Context) -> int:
    """Run curl, all of it, with requests signed for a gateway: mom curl --help."""
    from mom.cli.local_adapters import local_adapters
    from mom.curl.execute import main

    return main(list(context.args), adapters=local_adapters)
