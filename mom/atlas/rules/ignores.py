"""Comments that silence a warning: `# mom: ignore[rule] reason`, on its line or alone on the line above.

Several ids are separated by commas. An error is never silenced, and a comment that silences nothing is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mom.atlas.documents import DataDocument, Stream
from mom.atlas.rules.catalogue import RULES, problem_at
from mom.atlas.suggestions import closest
from mom.problems import Problem, Severity
from mom.yamledit.data import walk
from mom.yamledit.nodes import Scalar
from mom.yamledit.source import Source

# YAML 1.2.2, rule 75: a comment begins at a line's start or after white space.
_COMMENT = re.compile(r"(?:^|(?<=[ \t]))#[ \t]*mom:[ \t]*ignore\b(?:[ \t]*\[([^\]\n]*)\])?", re.MULTILINE)


class _Ignore(NamedTuple):
    """One id of a comment: its limits in the text, and the line whose problems it silences."""

    rule: str
    start: int
    end: int
    line: int


def without_ignored(stream: Stream, problems: list[Problem]) -> list[Problem]:
    """Return `problems` without those that comments in documents of ours silence, plus those about the comments."""
    ignores = list(_ignores(stream))
    if not ignores:
        return problems
    silencing = {(ignore.line, ignore.rule) for ignore in ignores}
    kept = [problem for problem in problems if not _is_silenced(problem, silencing)]
    return kept + list(_about(stream.source, ignores, problems))


def _is_silenced(problem: Problem, silencing: set[tuple[int, str]]) -> bool:
    return problem.severity is not Severity.ERROR and (problem.place.line, problem.rule) in silencing


def _about(source: Source, ignores: Iterable[_Ignore], problems: list[Problem]) -> Iterator[Problem]:
    """Yield what is wrong with the comments."""
    here = {(problem.place.line, problem.rule): problem.severity for problem in problems}
    for ignore in ignores:
        if ignore.rule not in RULES:
            message, hint = f"there is no rule `{ignore.rule}`", None
            if not ignore.rule:
                message, hint = "no rule is named", "write # mom: ignore[rule] reason"
            elif meant := closest(ignore.rule, RULES):
                hint = f"did you mean `{meant}`?"
            yield problem_at(source, ignore.start, "unknown-rule", message, end=ignore.end, hint=hint)
        elif (severity := here.get((ignore.line, ignore.rule))) is None:
            message = f"no `{ignore.rule}` to ignore in line {ignore.line}"
            yield problem_at(source, ignore.start, "unused-ignore", message, end=ignore.end)
        elif severity is Severity.ERROR:
            message = f"`{ignore.rule}` is an error, which cannot be ignored"
            yield problem_at(source, ignore.start, "ignored-error", message, end=ignore.end)


def _ignores(stream: Stream) -> Iterator[_Ignore]:
    """Yield each id in the comments of documents of ours that could be read."""
    source = stream.source
    if "ignore" not in source.text or _COMMENT.search(source.text) is None:
        return
    seen: set[int] = set()
    for document in stream.own:
        if document.limits.start in seen:
            continue
        seen.add(document.limits.start)
        yield from _of_document(document)


def _of_document(document: DataDocument) -> Iterator[_Ignore]:
    source, limits = document.source, document.limits
    comments = list(_COMMENT.finditer(source.text, limits.start, limits.end))
    texts = [(node.start, node.end) for node in walk(document.root) if comments and isinstance(node, Scalar)]
    for comment in comments:
        if any(start <= comment.start() < end for start, end in texts):
            continue
        line = _silenced_line(source, comment.start())
        # Without brackets, an empty one at the comment's end.
        begin, inner = (comment.end(), "") if comment[1] is None else (comment.start(1), comment[1])
        for rule in inner.split(","):
            name = rule.strip()
            start = begin + len(rule) - len(rule.lstrip())
            begin += len(rule) + 1
            if name:
                yield _Ignore(name, start, start + len(name), line)
            else:
                yield _Ignore("", comment.start(), comment.end(), line)


def _silenced_line(source: Source, offset: int) -> int:
    """Return the line that a comment at `offset` is about: its own, or, where it is alone, the next with content."""
    line = source.line_number(offset)
    if source.line(line).lstrip().startswith("#"):
        while line < len(source.line_starts) and source.line(line).lstrip().startswith("#"):
            line += 1
    return line
