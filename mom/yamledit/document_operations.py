"""Operations on whole documents of a stream (see `mom.yamledit.operations`)."""

from __future__ import annotations

from collections.abc import Mapping as MappingABC
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from mom.yamledit import insert
from mom.yamledit.expected import ExpectedDocument, Written
from mom.yamledit.operations import Stream
from mom.yamledit.shape import Shape, Value
from mom.yamledit.source import Source
from mom.yamledit.splice import Splice
from mom.yamledit.stream import Document

if TYPE_CHECKING:
    from mom.yamledit.remove_document import Removal


class AppendDocument(NamedTuple):
    """Put a document at the end of the stream."""

    source: Source
    documents: tuple[Document, ...]
    value: MappingABC[str, Value]
    shape: Shape

    @property
    def place(self) -> int:
        """Return where the last document is."""
        return self.documents[-1].body if self.documents else 0

    def splices(self, source: Source) -> list[Splice]:
        """Return the document as text."""
        return insert.append_document(source, self.documents, self.value, self.shape)

    def expected(self, stream: Stream) -> Stream:
        """Return the stream with the document; a bare `---` at the end is its own."""
        bare = insert.ends_in_bare_marker(self.source, self.documents)
        return (*(stream[:-1] if bare else stream), ExpectedDocument(None, Written(self.value)))


class RemoveDocument:
    """Take the document at `index` out of the stream."""

    def __init__(
        self, source: Source, documents: tuple[Document, ...], index: int, *, keep_comments: bool = False
    ) -> None:
        """Remove the document at `index` of `documents`, which are all of `source`."""
        self.source = source
        self.documents = documents
        self.index = index
        self.keep_comments = keep_comments

    @property
    def place(self) -> int:
        """Return where the document is."""
        return self.documents[self.index].body

    @cached_property
    def _removal(self) -> Removal:
        from mom.yamledit import remove_document

        return remove_document.remove_document(
            self.source, self.documents, self.index, keep_comments=self.keep_comments
        )

    def splices(self, source: Source) -> list[Splice]:  # noqa: ARG002 - the one it was made for
        """Return what goes with the document."""
        return self._removal.splices

    def expected(self, stream: Stream) -> Stream:
        """Return the stream without the document; comments that stay are its neighbours' then."""
        removal = self._removal
        texts = {self.index - 1: removal.previous_text, self.index + 1: removal.following_text}
        changed = {self.documents[index]: text for index, text in texts.items() if text is not None and index >= 0}
        return tuple(
            expected._replace(text=changed[expected.document]) if expected.document in changed else expected
            for expected in stream
            if expected.document != self.documents[self.index]
        )
