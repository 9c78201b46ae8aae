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
    if None in (sys.stdin, sys.stdout, sys.stderr):
        from mom.streams import open_closed

        open_closed()
    if arguments[:2] == ["help", "curl"]:
        arguments = ["curl", "--help"]
    if arguments[:1] == ["curl"] and "_MOM_COMPLETE" not in os.environ:
        from mom.curl.execute import main as curl

        return curl(arguments[1:], adapters=_local_adapters)
    if arguments in (["--version"], ["-V"]) and (status := _version()) is not None:
        return status
    try:
        from mom.cli.app import run
    except ImportError as error:
        return _not_importable(error)
    return run(arguments)


def _not_importable(error: ImportError) -> int:
    """Say which package is missing, without the packages that could be."""
    from mom.console import Console
    from mom.errors import not_importable

    wrong = not_importable(error)
    Console().error(wrong)
    return int(wrong.exit_status)


def _version() -> int | None:
    """Print the version and return 0; None where that fails, for which there are words in `mom.cli.app`."""
    from mom import __version__

    try:
        sys.stdout.write(f"mom {__version__}\n")
        sys.stdout.flush()
    except OSError:
        return None
    return 0


def _local_adapters() -> dict[str, str]:
    from mom.cli.local_adapters import local_adapters

    return local_adapters()
