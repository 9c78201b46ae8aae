"""All problems of one configuration file, in one run."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from mom.atlas.documents import DataDocument, Stream, carriage_return_problem, read, value_at
from mom.atlas.folding import FoldedDocument
from mom.atlas.forms import Forms, KnownDocument
from mom.atlas.kinds import ATLAS, Kind
from mom.atlas.rules.document_rules import check_document, kind_of
from mom.atlas.rules.findings import Findings
from mom.atlas.rules.ignores import without_ignored
from mom.atlas.rules.schema_rules import schema_problems
from mom.atlas.rules.separators import missing_separator
from mom.atlas.rules.stream_rules import Typed, stream_problems
from mom.problems import Place, Problem, Severity
from mom.yamledit.source import Source


def validate(source: Source) -> list[Problem]:
    """Return every problem of `source`, sorted by place: errors, and warnings such as a credential in plain text.

    Never raises for what the file contains. Documents of other tools are left alone. No excerpt shows a credential.
    """
    forms = Forms()
    return check(read(source, forms), forms)[0]


class Checked(NamedTuple):
    """What was found in one document: its kind, what is wrong, and the limits of values that no report may show."""

    kind: Kind | None
    problems: list[Problem]
    secrets: list[tuple[int, int]]


def problems_of_document(document: DataDocument) -> Checked:
    """Return what is wrong with a document by itself."""
    if isinstance(document, FoldedDocument):
        checked = problems_of_document(document.fold.short)
        return checked if not (checked.problems or checked.secrets) else problems_of_document(document.whole)
    kind, about_kind = kind_of(document)
    findings = check_document(document, kind)
    problems = [problem for _, problem in findings.problems]
    if kind is not None:
        problems += _of_schema(document, kind, findings)
    return Checked(kind, [problem for _, problem in about_kind] + problems, findings.secrets)


def check(stream: Stream, forms: Forms | None = None) -> tuple[list[Problem], list[Typed]]:
    """Return every problem of a stream that was read, and its readable documents with their kinds.

    forms: those by which the stream was read.
    """
    problems = [document.problem for document in stream.unreadable]
    problems += _line_ends(stream)
    problems += [missing_separator(stream.source, offset) for offset in stream.unseparated]
    hidden: list[tuple[int, int]] = []
    typed: list[Typed] = []
    doubtful: list[DataDocument] = []
    for document in stream.own:
        if isinstance(document, KnownDocument):
            typed.append((document, document.kind))
            continue
        kind, wrong, secrets = problems_of_document(document)
        typed.append((document, kind))
        if any(_is_doubtful(document, kind, problem) for problem in wrong):
            doubtful.append(document)
        problems += wrong
        hidden += secrets
        if forms is not None and kind is not None and not (wrong or secrets):
            forms.learn(document, kind)
    problems += stream_problems(stream, typed, doubtful)
    shown = without_ignored(stream, _masked(stream.source, _unique(problems), hidden))
    return _sorted(shown), typed


def _is_doubtful(document: DataDocument, kind: Kind | None, problem: Problem) -> bool:
    """Whether a problem leaves open which adapters an Atlas lists, or what an adapter is called."""
    if problem.severity is not Severity.ERROR:
        return False
    if kind != ATLAS:
        return document.name is None or problem.rule == "adapter-name"
    if problem.rule not in {"wrong-type", "unknown-key", "missing-key"}:
        return False
    return problem.path.startswith("spec.apiAdapters") or not value_at(document.data, "spec", "apiAdapters")


def _line_ends(stream: Stream) -> Iterator[Problem]:
    if stream.source.carriage_return(0, len(stream.source.text)) is None:
        return
    limits = [document.limits for document in stream.own] + [document.limits for document in stream.unreadable]
    returns = (
        carriage_return_problem(stream.source, document) for document in sorted(limits, key=lambda limit: limit.start)
    )
    yield from (problem for problem in returns if problem is not None)


# What a schema says of a value in fewer words than the rule that checks that value.
_SAID_BETTER = frozenset({"wrong-value"})


def _of_schema(document: DataDocument, kind: Kind, findings: Findings) -> Iterable[Problem]:
    covered = {path for path, problem in findings.problems if problem.severity is Severity.ERROR}
    for path, problem in schema_problems(document, kind):
        if findings.has_template(path) or (problem.rule in _SAID_BETTER and path in covered):
            continue
        yield problem


def _unique(problems: Iterable[Problem]) -> list[Problem]:
    """Drop repetitions: what is written once and used through aliases is wrong once."""
    unique: dict[tuple[Place, str, str], Problem] = {}
    for problem in problems:
        unique.setdefault((problem.place, problem.rule, problem.message), problem)
    return list(unique.values())


def _sorted(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.place, problem.rule, problem.message))


def _masked(source: Source, problems: Sequence[Problem], hidden: Sequence[tuple[int, int]]) -> list[Problem]:
    """Hide in excerpts what is a credential by its place; tokens that look like one are hidden already."""
    spans = sorted(hidden)
    starts = [start for start, _ in spans]
    shown = []
    for problem in problems:
        begin = source.line_starts[problem.place.line - 1] + problem.excerpt_column - 1
        excerpt = problem.excerpt
        # Credentials do not overlap, so those that touch the excerpt are neighbours.
        nearest = bisect_right(starts, begin + len(excerpt)) - 1
        while nearest >= 0 and spans[nearest][1] > begin:
            left, right = max(spans[nearest][0] - begin, 0), min(spans[nearest][1] - begin, len(excerpt))
            excerpt = excerpt[:left] + "*" * (right - left) + excerpt[right:]
            nearest -= 1
        shown.append(problem if excerpt == problem.excerpt else replace(problem, excerpt=excerpt))
    return shown
