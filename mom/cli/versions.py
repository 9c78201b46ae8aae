"""`mom --version`, and with `-v` what it runs on: the lines that a report of a fault needs."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping

from mom import __version__
from mom.errors import MomError


def versions(environ: Mapping[str, str], *, verbose: bool) -> str:
    """Return mom's version in a line, with `verbose` Python's and Envoy's in one each, with their paths."""
    lines = [f"mom {__version__}"]
    if verbose:
        lines += [f"Python {platform.python_version()}, {sys.executable}", _envoy(environ)]
    return "".join(f"{line}\n" for line in lines)


def _envoy(environ: Mapping[str, str]) -> str:
    from mom.run.binary import find

    try:
        return str(find(None, environ))
    except MomError as error:
        return f"Envoy: {error.message}"
