"""What the curl at hand reports about itself: its options and its version. Asked only where the answer matters."""

from __future__ import annotations

import subprocess

from mom.curl.options import parse_help

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def installed_options(environ: Mapping[str, str]) -> dict[str, bool]:
    """Return its long options, and whether each takes a value. Raises MomError where curl cannot be started."""
    return parse_help(_output(["-q", "--help", "all"], environ))


def curl_version(environ: Mapping[str, str]) -> tuple[int, ...]:
    """Return its version, empty where it names none. Raises MomError where curl cannot be started."""
    words = _output(["-q", "--version"], environ).split()
    numbers = words[1].split(".") if len(words) > 1 else []
    return tuple(int(number) for number in numbers if number.isdigit())


def _output(words: list[str], environ: Mapping[str, str]) -> str:
    try:
        process = subprocess.run(
            ["curl", *words], stdin=subprocess.DEVNULL, capture_output=True, check=False, env=dict(environ)
        )
    except OSError as error:
        from mom.curl.failures import not_started

        raise not_started(error) from None
    return process.stdout.decode("utf-8", "replace")
