"""What the user types. `main` is the single boundary at which errors become words and an exit status.

`mom curl` and `mom --version` are dispatched before anything heavy is imported: they do not pay for the editor.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # `typing` and `collections.abc` cost `mom curl` 8 ms; type checkers know the name
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run mom with `argv` (without the program's name; default: the process's own) and return the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments in (["--version"], ["-V"]):
        from mom import __version__

        sys.stdout.write(f"mom {__version__}\n")
        return 0
    if arguments[:2] == ["help", "curl"]:
        arguments = ["curl", "--help"]
    if arguments[:1] == ["curl"] and "_MOM_COMPLETE" not in os.environ:
        from mom.curl.execute import main as curl

        return curl(arguments[1:], adapters=_local_adapters)
    from mom.cli.app import run

    return run(arguments)


def _local_adapters() -> dict[str, str]:
    from mom.cli.local_adapters import local_adapters

    return local_adapters()
