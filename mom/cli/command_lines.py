"""A long command line as lines of a terminal, each of which but the last ends in a backslash: to be pasted as it is."""

from __future__ import annotations

import re

WIDTH = 80
_WORD = re.compile(r"""(?:'[^']*'|"[^"]*"|[^ '"])+""")


def command_lines(label: str, command: str) -> list[str]:
    """Return `label` and `command` in lines of at most 80 columns where the words allow that.

    An option stays beside its value; the further lines are indented below the first word.
    """
    units: list[str] = []
    for word in _WORD.findall(command):
        is_value = bool(units) and units[-1].startswith("-") and " " not in units[-1] and not word.startswith("-")
        units[-1:] = [f"{units[-1]} {word}"] if is_value else [*units[-1:], word]
    lines = [label]
    for number, unit in enumerate(units):
        longer = f"{lines[-1]} {unit}"
        # Room for the backslash, but for the last word.
        if len(longer) > WIDTH - 2 * (number < len(units) - 1) and number:
            lines[-1] += " \\"
            longer = f"{' ' * (len(label) + 1)}{unit}"
            lines.append(longer)
        lines[-1] = longer
    return lines
