"""Fixes of what `validate` reports, where only one is likely: `validate --fix`.

Each is an operation of the editor, proved like any edit; what cannot be proved is left for a person. A fix may show
another problem, so the file is checked again until there is nothing more to fix.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from mom.atlas.documents import DataDocument
from mom.atlas.documents import Stream as Read
from mom.atlas.documents import read as read_stream
from mom.atlas.edit.adapter_list import AdapterList
from mom.atlas.edit.proof import proved
from mom.atlas.edit.result import Action
from mom.atlas.kinds import ADAPTERS_VERSION, ATLAS
from mom.atlas.ownership import as_own
from mom.atlas.rules.stream_rules import Typed
from mom.atlas.validate import check
from mom.errors import MomError
from mom.problems import Problem
from mom.yamledit import tree_operations as yaml
from mom.yamledit.diff import Change, changes
from mom.yamledit.expected import ExpectedDocument
from mom.yamledit.nodes import Mapping, Node, Scalar, text_of
from mom.yamledit.nodes import Sequence as SequenceNode
from mom.yamledit.operations import Operation, Stream
from mom.yamledit.parser import ParserError, parse
from mom.yamledit.prove import same
from mom.yamledit.source import Source
from mom.yamledit.splice import Splice, line_ending_at
from mom.yamledit.stream import Document, documents

# Each round checks the whole file again.
_MOST_ROUNDS = 200


@dataclass(frozen=True)
class Fixed:
    """A text with its fixes. problems: those that were fixed, each as it was when its turn came."""

    source: Source
    text: str
    problems: tuple[Problem, ...]
    changes: tuple[Change, ...]


def fix(source: Source) -> Fixed:
    """Return `source` with everything fixed for which one fix is likely, and proved; unchanged if there is nothing."""
    pieces = _Pieces(source.text)
    current = source
    fixed: list[Problem] = []
    given_up: set[tuple[str, str, str]] = set()
    for _ in range(_MOST_ROUNDS):
        stream = read_stream(current)
        problems, typed = check(stream)
        candidates = list(
            _candidates(stream, typed, [problem for problem in problems if _identity(problem) not in given_up])
        )
        done = _first_that_works(current, candidates, given_up)
        if done is None:
            break
        outcome, solved = done
        pieces.apply(outcome.splices)
        fixed += solved
        # What comes back although it was fixed is not tried twice.
        given_up |= {_identity(problem) for problem in solved}
        current = Source(source.name, outcome.text)
    return Fixed(source, current.text, tuple(fixed), tuple(changes(source, pieces.splices())))


class _Candidate(NamedTuple):
    problem: Problem
    operation: Operation


class _Outcome(NamedTuple):
    text: str
    splices: tuple[Splice, ...]


def _identity(problem: Problem) -> tuple[str, str, str]:
    return problem.rule, problem.message, problem.path


def _first_that_works(
    source: Source, candidates: Sequence[_Candidate], given_up: set[tuple[str, str, str]]
) -> tuple[_Outcome, list[Problem]] | None:
    """Return the result of all candidates together, else that of the first that can be proved alone."""
    if len(candidates) > 1 and (outcome := _carried_out(source, candidates)) is not None:
        return outcome, [candidate.problem for candidate in candidates]
    for candidate in candidates:
        if (outcome := _carried_out(source, [candidate])) is not None:
            return outcome, [candidate.problem]
        given_up.add(_identity(candidate.problem))
    return None


def _carried_out(source: Source, candidates: Sequence[_Candidate]) -> _Outcome | None:
    operations = [candidate.operation for candidate in candidates]
    try:
        edit = proved(source, documents(source), operations, Action.CHANGED, ())
    except (MomError, AssertionError):
        # Not provable, or two at one place.
        return None
    return _Outcome(edit.text, edit.splices)


def _candidates(stream: Read, typed: Sequence[Typed], problems: Sequence[Problem]) -> Iterator[_Candidate]:
    """Yield the fixes that could be made now. Where documents begin comes first: all else is counted from there."""
    separators = [_separator(stream, problem) for problem in problems]
    if usable := [candidate for candidate in separators if candidate is not None]:
        yield usable[0]
        return
    unreferenced = any(problem.rule == "unreferenced-document" for problem in problems)
    adapters = _adapter_list(stream, typed) if unreferenced else None
    for problem in problems:
        offset = _offset(stream.source, problem)
        document = next(
            (candidate for candidate in stream.own if candidate.root.start <= offset <= candidate.root.end), None
        )
        if document is not None and (operation := _operation(adapters, typed, problem, document, offset)) is not None:
            yield _Candidate(problem, operation)


def _offset(source: Source, problem: Problem) -> int:
    return source.line_starts[problem.place.line - 1] + problem.place.column - 1


def _operation(
    adapters: AdapterList | None, typed: Sequence[Typed], problem: Problem, document: DataDocument, offset: int
) -> Operation | None:
    """Return the operation that fixes a problem inside a document, None where no one fix is likely."""
    meant = problem.replacement
    limits, root = document.limits, document.root
    if problem.rule == "unreferenced-document":
        return None if adapters is None else _reference(adapters, typed, document)
    if problem.rule == "unknown-key" and meant is not None:
        for mapping, index in _entries_at(root, offset):
            return yaml.RenameKey(limits, root, mapping, index, meant)
    if problem.rule == "duplicate-key":
        for mapping, index in _entries_at(root, offset):
            return _repetition(limits, root, mapping, index)
    is_kind = problem.path == "kind" or problem.path.endswith(".kind")
    is_value = problem.rule == "quoted-value" or (is_kind and problem.rule in {"unknown-kind", "unknown-value"})
    if is_value and meant is not None:
        for scalar, flow in _scalars_at(root, offset, flow=False):
            return yaml.ReplaceScalar(limits, root, scalar, meant, flow)
    return None


def _entries_at(root: Node, offset: int) -> Iterator[tuple[Mapping, int]]:
    """Yield the mapping and the index of the entry whose key begins at `offset`."""
    for node in _around(root, offset):
        if isinstance(node, Mapping):
            for index, (key, _) in enumerate(node.entries):
                if key.start == offset and isinstance(key, Scalar):
                    yield node, index


def _scalars_at(root: Node, offset: int, *, flow: bool) -> Iterator[tuple[Scalar, bool]]:
    """Yield the scalar value that begins at `offset`, and whether it is inside braces or brackets."""
    for node in _around(root, offset):
        flow = flow or (isinstance(node, Mapping | SequenceNode) and node.flow)
        values = [value for _, value in node.entries] if isinstance(node, Mapping) else getattr(node, "items", ())
        for value in values:
            if isinstance(value, Scalar) and value.start == offset:
                yield value, flow


def _around(root: Node, offset: int) -> Iterator[Node]:
    """Yield the nodes that `offset` is in, from the root inwards."""
    node: Node | None = root
    while node is not None:
        yield node
        parts: Sequence[Node] = ()
        if isinstance(node, Mapping):
            parts = [part for entry in node.entries for part in entry]
        elif isinstance(node, SequenceNode):
            parts = node.items
        node = next((part for part in parts if part.start <= offset < part.end), None)


def _repetition(limits: Document, root: Node, mapping: Mapping, index: int) -> Operation | None:
    """Return the removal of an entry that an earlier one of the same key and value makes superfluous."""
    key, value = mapping.entries[index]
    twins = (other for known, other in mapping.entries[:index] if text_of(known) == text_of(key) and same(other, value))
    has_anchor = any(getattr(node, "anchor", None) for node in (key, value))
    return None if has_anchor or next(twins, None) is None else yaml.RemoveEntry(limits, root, mapping, index)


def _adapter_list(stream: Read, typed: Sequence[Typed]) -> AdapterList | None:
    """Return the list of the one Atlas document, None where there is none to which a reference can be added."""
    atlases = [own for own, kind in typed if kind == ATLAS]
    atlas = as_own(atlases[0].limits, atlases[0].root) if len(atlases) == 1 else None
    if atlas is None:
        return None
    try:
        return AdapterList(stream.source, atlas, documents(stream.source))
    except MomError:
        return None


def _reference(adapters: AdapterList, typed: Sequence[Typed], document: DataDocument) -> Operation | None:
    """Return the addition of the reference to an adapter's document."""
    kind = next((kind for own, kind in typed if own is document), None)
    if kind is None or document.name is None:
        return None
    reference = {"apiVersion": ADAPTERS_VERSION, "kind": kind.kind, "name": document.name}
    return adapters.append({"adapterRef": reference})


def _separator(stream: Read, problem: Problem) -> _Candidate | None:
    """Return the separator that a problem says is missing, or is written in another way."""
    source = stream.source
    offset = _offset(source, problem)
    if problem.rule == "missing-separator":
        document = next((candidate for candidate in stream.own if candidate.root.start == offset), None)
        if document is None:
            return None
        parts = [candidate.root for candidate in stream.own if candidate.limits == document.limits]
        line = source.line_starts[problem.place.line - 1]
        splice = Splice(line, 0, f"---{line_ending_at(source.text, line)}")
        before = tuple(part for part in parts if part.start < offset)
        after = tuple(part for part in parts if part.start >= offset)
        return _Candidate(problem, Separate(document.limits, splice, (_joined(before), _joined(after))))
    if problem.rule == "yaml-syntax" and problem.replacement is not None:
        limits = next(
            (candidate.limits for candidate in stream.unreadable if candidate.problem.place == problem.place), None
        )
        end = offset + len(source.line(problem.place.line)) - problem.place.column + 1
        if limits is None:
            return None
        trees = (_parsed(source, limits.start, offset), _parsed(source, end, limits.end))
        splice = Splice(offset, end - offset, problem.replacement)
        return None if None in trees else _Candidate(problem, Separate(limits, splice, trees))
    return None


def _joined(parts: Sequence[Mapping]) -> Mapping:
    """Return documents that nothing separates yet as the one mapping that they still are."""
    return parts[0]._replace(entries=tuple(entry for part in parts for entry in part.entries), end=parts[-1].end)


def _parsed(source: Source, start: int, end: int) -> Node | None:
    try:
        return parse(source.text[start:end], start)
    except ParserError:
        return None


@dataclass(frozen=True)
class Separate:
    """Write `---` between two documents that are read as one, or as none; `trees`: what each must be."""

    document: Document
    splice: Splice
    trees: tuple[Node | None, ...]

    @property
    def place(self) -> int:
        """Return where the separator belongs."""
        return self.splice.offset

    def splices(self, source: Source) -> list[Splice]:  # noqa: ARG002 - the one it was made for
        """Return the separator."""
        return [self.splice]

    def expected(self, stream: Stream) -> Stream:
        """Return the stream with two documents in the place of the one."""
        expected: list[ExpectedDocument] = []
        for expected_document in stream:
            is_it = expected_document.document == self.document
            expected += [ExpectedDocument(None, tree) for tree in self.trees] if is_it else [expected_document]
        return tuple(expected)


class _Pieces:
    """A text after several rounds of splices, as pieces of the first text and new ones."""

    def __init__(self, text: str) -> None:
        self._length = len(text)
        # A piece of the first text as its limits, or new text.
        self._pieces: list[tuple[int, int] | str] = [(0, len(text))]

    def apply(self, splices: Sequence[Splice]) -> None:
        """Apply splices on the text as it is now, given in the order of their offsets."""
        for splice in reversed(splices):
            before, rest = self._split(self._pieces, splice.offset)
            _, after = self._split(rest, splice.length)
            self._pieces = [*before, *([splice.text] if splice.text else []), *after]

    @staticmethod
    def _split(
        pieces: Sequence[tuple[int, int] | str], offset: int
    ) -> tuple[list[tuple[int, int] | str], list[tuple[int, int] | str]]:
        left: list[tuple[int, int] | str] = []
        for number, piece in enumerate(pieces):
            size = len(piece) if isinstance(piece, str) else piece[1] - piece[0]
            if offset >= size:
                left.append(piece)
                offset -= size
                continue
            if offset == 0:
                return left, list(pieces[number:])
            if isinstance(piece, str):
                return [*left, piece[:offset]], [piece[offset:], *pieces[number + 1 :]]
            middle = piece[0] + offset
            return [*left, (piece[0], middle)], [(middle, piece[1]), *pieces[number + 1 :]]
        return left, []

    def splices(self) -> list[Splice]:
        """Return the splices that make this text of the first one."""
        splices: list[Splice] = []
        position, new = 0, ""
        for piece in [*self._pieces, (self._length, self._length)]:
            if isinstance(piece, str):
                new += piece
            else:
                if new or piece[0] > position:
                    splices.append(Splice(position, piece[0] - position, new))
                position, new = piece[1], ""
        return splices
