"""What `--help` prints: plain text that fits the terminal, usage and an example first.

At 80 columns the usage, the example and the first options are on the first screen of 24 lines. In a narrow terminal
the meaning of an option is below it; nothing is cut off.
"""

from __future__ import annotations

import shutil
import textwrap
from typing import Any

_WIDEST = 80
# Below this an option and its meaning do not fit beside one another.
_TWO_COLUMNS = 60
_LONGEST_LEFT = 26


def render(command: Any, context: Any, *, commands: dict[str, str] | None = None) -> str:
    """Return the help of `command`; `commands` are those of a group, with their summaries."""
    width = min(_WIDEST, max(20, shutil.get_terminal_size().columns))
    parts = [_usage(command, context, width)]
    summary, examples = _parts_of(command.help or "")
    parts += [_fill(paragraph, width) for paragraph in summary]
    parts += examples
    if commands:
        parts.append("Commands:\n" + _table(list(commands.items()), width))
    rows = [_row(parameter, context) for parameter in command.get_params(context) if not parameter.hidden]
    if rows:
        parts.append("Options:\n" + _table(rows, width))
    return "\n\n".join(parts) + "\n"


def _parts_of(text: str) -> tuple[list[str], list[str]]:
    """Return the paragraphs of a docstring, indentation off, and those that are examples, which stay as they are."""
    paragraphs = text.split("\n\n")
    examples = [paragraph for paragraph in paragraphs if paragraph.startswith("Example")]
    return [paragraph for paragraph in paragraphs if paragraph and paragraph not in examples], examples


def _fill(paragraph: str, width: int) -> str:
    return textwrap.fill(" ".join(paragraph.split()), width, break_long_words=False, break_on_hyphens=False)


def _usage(command: Any, context: Any, width: int) -> str:
    """Return the usage line: arguments and required options by name, the others as `[options]`."""
    words = []
    optional = False
    for parameter in command.get_params(context):
        if parameter.hidden:
            continue
        if parameter.param_type_name == "argument":
            words.append(parameter.make_metavar(context))
        elif parameter.required:
            words.append(f"{min(parameter.opts, key=len)} {parameter.make_metavar(context)}")
        else:
            optional = True
    if not hasattr(command, "commands"):
        # What follows `--` is not an option of this command.
        last = words.pop() if words and words[-1].startswith("-- ") else None
        words += ["[options]"] if optional else []
        words += [last] if last else []
    else:
        words.append("COMMAND [ARGS]...")
    lines = [f"Usage: {context.command_path}"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(f"    {word}")
    return "\n".join(lines)


def _row(parameter: Any, context: Any) -> tuple[str, str]:
    text = getattr(parameter, "help", None) or ""
    if parameter.param_type_name == "argument":
        return parameter.make_metavar(context), text
    names = sorted(parameter.opts, key=len)
    takes = "" if parameter.is_flag or parameter.count else f" {parameter.make_metavar(context)}"
    default = parameter.default
    if default not in {None, False, ()} and not callable(default) and not parameter.is_flag and "Default" not in text:
        text += f" Default: {getattr(default, 'value', default)}."
    return ", ".join(names) + takes, text


def _table(rows: list[tuple[str, str]], width: int) -> str:
    """Set rows in two columns, or one below the other where the terminal is narrow."""
    left = min(_LONGEST_LEFT, max(len(name) for name, _ in rows)) + 4 if width >= _TWO_COLUMNS else 6
    lines = []
    for name, text in rows:
        wrapped = textwrap.wrap(" ".join(text.split()), width - left, break_long_words=False, break_on_hyphens=False)
        beside = width >= _TWO_COLUMNS and len(name) + 4 <= left
        first = wrapped.pop(0) if beside and wrapped else ""
        lines.append(f"  {name:<{left - 2}}{first}".rstrip() if beside else f"  {name}")
        lines += [" " * left + line for line in wrapped]
    return "\n".join(lines)
