"""The only writer to the terminal: data to stdout, messages to stderr, colour only on a terminal without `NO_COLOR`.

File names and contents are untrusted: a control character or a line ending in them is printed as an escape (`\\x1b`,
`\\n`), so that they can neither control the terminal nor imitate a line of mom's.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from typing import IO, Any

from mom.errors import MomError
from mom.problems import Problem
from mom.streams import lost, visible, write_message

# SGR codes by meaning. Sixteen colours only: they follow the user's theme.
_UNUSUAL = re.compile(r"[^\x20-\x7e\n]")
_STYLES = {"error": "1;31", "warning": "1;33", "hint": "1;36", "status": "1;32", "note": "1;34", "time": "2"}
_DIFF_STYLES = {"+": "32", "-": "31", "@": "36", "~": "33"}


class Console:
    """Writes what commands return. Streams and environment can be passed in, so that tests need no patching."""

    def __init__(
        self,
        stdout: IO[str] | None = None,
        stderr: IO[str] | None = None,
        environ: Mapping[str, str] | None = None,
        *,
        quiet: bool = False,
    ) -> None:
        """Take the process's own streams and environment where none are given; `quiet`: print errors only."""
        self.quiet = quiet
        self.stdout = sys.stdout if stdout is None else stdout
        self.stderr = sys.stderr if stderr is None else stderr
        self.environ = os.environ if environ is None else environ

    def colour(self, stream: IO[str]) -> bool:
        """Whether `stream` gets colour: NO_COLOR (no-color.org), FORCE_COLOR, else whether it is a terminal."""
        if self.environ.get("NO_COLOR"):
            return False
        if self.environ.get("FORCE_COLOR"):
            return True
        return stream.isatty() and self.environ.get("TERM") != "dumb"

    def _paint(self, stream: IO[str], style: str, text: str) -> str:
        return f"\033[{_STYLES[style]}m{text}\033[0m" if self.colour(stream) else text

    def _message(self, text: str, *, always: bool = False, wraps: bool = True) -> None:
        """Write to stderr, after the data that came before it: where both go to one place, they keep their order.

        On a terminal it is wrapped at words if it `wraps`.
        """
        if self.quiet and not always:
            return
        self.stdout.flush()
        width = self._width(self.stderr) if wraps else None
        self._write(self.stderr, text if width is None else "\n".join(wrapped(text, width)))

    def _write(self, stream: IO[str], text: str) -> None:
        """Write to a stream; raises MomError where stdout fails, BrokenPipeError where its reader is gone."""
        if stream is self.stderr:
            write_message(stream, text)
            return
        try:
            stream.write(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise lost(error) from None

    def status(self, verb: str, text: str) -> None:
        """Report what was done, on stderr: a verb, then the rest of the sentence."""
        self._message(f"{self._paint(self.stderr, 'status', verb)} {visible(text)}\n")

    def event(self, time: str, word: str, text: str, style: str = "status") -> None:
        """Write a line about an event to stderr: its time, a word for what happened, and the rest of the sentence."""
        painted = f"{self._paint(self.stderr, style, word)} " if word else ""
        self._message(f"{self._paint(self.stderr, 'time', time)} {painted}{visible(text)}".rstrip() + "\n")
        self.stderr.flush()

    def aside(self, text: str) -> None:
        """Write a line to stdout, dimmed on a terminal: secondary to the messages on stderr."""
        self.stdout.write(f"{self._paint(self.stdout, 'time', visible(text))}\n")
        self.stdout.flush()

    def say(self, text: str) -> None:
        """Write a plain line to stderr."""
        self._message(f"{visible(text)}\n")

    def next_steps(self, steps: Iterable[str]) -> None:
        """Write to stderr the command lines to run next, none of which is broken: they are to be pasted."""
        for number, step in enumerate(steps):
            self._message(f"{'  next:' if number == 0 else '       '} {visible(step)}\n", wraps=False)

    def hint(self, text: str) -> None:
        """Write to stderr what to do next or instead."""
        self._message(self._hint(text))

    def _hint(self, text: str) -> str:
        return f"{self._paint(self.stderr, 'hint', 'hint')}: {in_lines(text)}\n"

    def warning(self, text: str) -> None:
        """Write a warning to stderr."""
        self._message(f"{self._paint(self.stderr, 'warning', 'warning')}: {visible(text)}\n")

    def error(self, error: MomError) -> None:
        """Show an expected failure on stderr: its problems with their places, or its message, then the hint."""
        if error.problems:
            self.problems(error.problems, self.stderr)
        if not error.problems or error.message != error.problems[0].message:
            self._message(f"{self._paint(self.stderr, 'error', 'error')}: {visible(error.message)}\n", always=True)
            if error.hint:
                self._message(self._hint(error.hint), always=True)

    def problems(self, problems: Iterable[Problem], stream: IO[str]) -> None:
        """Show problems, each as `file:line:column: severity: message [rule]`, the line with a caret, the hint.

        A blank line separates them. On a terminal they are wrapped at words; in a pipe a message is one line.
        """
        self.stdout.flush()
        width = self._width(stream)
        for number, problem in enumerate(problems):
            self._write(stream, ("\n" if number else "") + self._problem(problem, stream, width))

    def _width(self, stream: IO[str]) -> int | None:
        """Return the columns of a terminal (`COLUMNS`, else what it reports, else 80), None for anything else."""
        if not stream.isatty():
            return None
        if self.environ.get("COLUMNS", "").isdecimal() and int(self.environ["COLUMNS"]):
            return int(self.environ["COLUMNS"])
        try:
            return os.get_terminal_size(stream.fileno()).columns or 80
        except (OSError, ValueError):
            return 80

    def _problem(self, problem: Problem, stream: IO[str], width: int | None) -> str:
        severity = self._paint(stream, problem.severity.value, problem.severity.value)
        path = f" ({visible(problem.path)})" if problem.path else ""
        message = f"{visible(problem.message)}{path} [{problem.rule}]"
        lines = wrapped(f"{visible(str(problem.place))}: {severity}: {message}", width)
        if problem.excerpt.strip():
            lines += _excerpt(problem, min(_EXCERPT_WIDTH, (width or 80) - 10))
        note = self._paint(stream, "note", "note")
        for place, words in problem.related:
            lines += wrapped(f"  {note}: {visible(str(place))}: {visible(words)}", width)
        lines += wrapped(f"  {self._paint(stream, 'hint', 'hint')}: {in_lines(problem.hint)}", width)
        return "\n".join(lines) + "\n"

    def data(self, text: str) -> None:
        """Write data to stdout as it is."""
        self._write(self.stdout, text)

    def bold(self, text: str) -> str:
        """Return text for stdout, bold where stdout gets colour."""
        return f"\033[1m{text}\033[0m" if self.colour(self.stdout) else text

    def json(self, value: Any) -> None:
        """Write `value` to stdout as indented JSON."""
        self._write(self.stdout, to_json(value))

    def diff(self, text: str) -> None:
        """Write a unified diff to stdout: its exact text, but on a terminal coloured and without control characters."""
        colour = self.colour(self.stdout)
        if not colour and not self.stdout.isatty():
            self._write(self.stdout, text)
            return
        for whole in text.split("\n")[:-1]:
            line = "\t".join(visible(part) for part in whole.removesuffix("\r").split("\t"))
            style = _DIFF_STYLES.get(line[:1]) if colour else None
            self._write(self.stdout, f"\033[{style}m{line}\033[0m\n" if style else f"{line}\n")


def to_json(value: Any) -> str:
    """Return `value` as indented JSON with a final line ending; what a terminal would not print is escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return _UNUSUAL.sub(lambda match: match[0] if match[0].isprintable() else json.dumps(match[0])[1:-1], text) + "\n"


# Room for the excerpt at 80 columns, the line number's gutter taken off.
_EXCERPT_WIDTH = 70
_COMMANDS = ("atlas", "auth", "curl", "exec")
_COLOUR = re.compile(r"\033\[[0-9;]*m")


def wrapped(text: str, width: int | None) -> list[str]:
    """Return the lines of `text`, those longer than `width` broken at spaces and indented further; None: no limit.

    A longer word, such as a path, is not broken, nor is a command, which could not be pasted. Colour takes no room.
    """
    lines: list[str] = []
    for line in text.split("\n"):
        indent = " " * (len(line) - len(line.lstrip(" ")) + 4)
        lines.append(line if width is None else "")
        for number, word in enumerate(_words(line) if width is not None else ()):
            longer = f"{lines[-1]} {word}" if number else word
            if width is not None and len(_COLOUR.sub("", longer)) > width and lines[-1].strip():
                lines.append(indent + word)
            else:
                lines[-1] = longer
    return lines


def _words(line: str) -> list[str]:
    """Return the words of a line, which single spaces separate; a command of mom's is one word."""
    words = line.split(" ")
    for at in range(len(words) - 2, -1, -1):
        if words[at].lstrip("('`") == "mom" and words[at + 1] in _COMMANDS:
            end = next((number for number in range(at + 1, len(words)) if words[number][-1:] in ";,:)"), len(words) - 1)
            words[at : end + 1] = [" ".join(words[at : end + 1])]
    return words


def _excerpt(problem: Problem, room: int) -> list[str]:
    """Return the source line and its caret line, cut around the caret where the line is long."""
    line = problem.excerpt.replace("\t", " ")
    column = problem.place.column - problem.excerpt_column
    begin = 0 if column + problem.width <= room else max(0, column - room // 2)
    shown = line[begin : begin + room]
    width = max(1, min(problem.width, len(shown) - (column - begin)))
    before = "…" if begin or problem.excerpt_column > 1 else ""
    after = "…" if begin + room < len(line) else ""
    number = str(problem.place.line)
    return [
        f"  {number} | {before}{_in_columns(shown)}{after}",
        f"  {' ' * len(number)} | {' ' * (column - begin + len(before))}{'^' * width}",
    ]


def in_lines(text: str) -> str:
    """Return a hint, of which each line after the first is indented."""
    first, *rest = map(visible, text.split("\n"))
    return "\n".join([first, *(f"    {line.removeprefix('    ')}" for line in rest)])


def _in_columns(text: str) -> str:
    """Return an excerpt, in which each character keeps its column."""
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
