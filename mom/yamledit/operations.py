"""Operations on a stream, each with two faces: what changes in the text, and what must be read afterwards.

`splices(source)` and `expected(stream)` know nothing of each other, and the proof (`mom.yamledit.prove`) knows no
operation by name: what one does by mistake, the other does not expect. Those inside a document are in
`mom.yamledit.tree_operations`, those on whole documents in `mom.yamledit.document_operations`.
"""

from __future__ import annotations

from collections.abc import Sequence as SequenceABC
from typing import NamedTuple, Protocol, TypeAlias

from mom.yamledit.diff import Change, changes
from mom.yamledit.expected import ExpectedDocument
from mom.yamledit.source import Source
from mom.yamledit.splice import NO_FINAL_LINE_ENDING, Splice, apply, line_ending_at
from mom.yamledit.stream import Document

Stream: TypeAlias = tuple[ExpectedDocument, ...]


class Operation(Protocol):
    """A change of a stream. `place`: an offset in the old text, where to point when it cannot be made."""

    @property
    def place(self) -> int:
        """Where in the old text the operation is about."""

    def splices(self, source: Source) -> list[Splice]:
        """Return what changes in the text, in the order of the offsets."""

    def expected(self, stream: Stream) -> Stream:
        """Return what must be read afterwards where `stream` had to be read before."""


class EndLastLine(NamedTuple):
    """Give a stream without a final line ending one, before something is put below its last line."""

    source: Source

    @property
    def place(self) -> int:
        """Return where the stream ends."""
        return len(self.source.text)

    def splices(self, source: Source) -> list[Splice]:
        """Return the line ending."""
        end = len(source.text)
        return [Splice(end, 0, line_ending_at(source.text, end), NO_FINAL_LINE_ENDING)]

    def expected(self, stream: Stream) -> Stream:
        """Return the stream whose last document has the line ending, where that reaches to the end."""
        reaches = [
            expected
            for expected in stream
            if expected.document is not None and expected.document.end == len(self.source.text)
        ]
        return tuple(expected._replace(ended=True) if expected in reaches[-1:] else expected for expected in stream)


class Outcome(NamedTuple):
    """What operations make of a text: the operations, the splices, the lines that change, and the new text."""

    operations: tuple[Operation, ...]
    splices: tuple[Splice, ...]
    changes: tuple[Change, ...]
    text: str


def carry_out(source: Source, operations: SequenceABC[Operation]) -> Outcome:
    """Return what `operations` make of the text; they do not touch the same places.

    Where something is put below a last line without a line ending, that gets one first.
    """
    text = source.text
    splices = [splice for operation in operations for splice in operation.splices(source)]
    if text and not text.endswith("\n") and any(splice.offset == len(text) and splice.text for splice in splices):
        end = EndLastLine(source)
        operations, splices = [end, *operations], [*end.splices(source), *splices]
    splices.sort(key=lambda splice: splice.offset)
    return Outcome(tuple(operations), tuple(splices), tuple(changes(source, splices)), apply(text, splices))


def expected(documents: SequenceABC[Document], operations: SequenceABC[Operation]) -> Stream:
    """Return what must be read after `operations` where the stream has `documents` now."""
    stream: Stream = tuple(ExpectedDocument(document) for document in documents)
    for operation in operations:
        stream = operation.expected(stream)
    return stream
