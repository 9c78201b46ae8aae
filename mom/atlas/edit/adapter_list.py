"""Where an adapter's reference goes: the list `spec.apiAdapters` of the Atlas document."""

from __future__ import annotations

from collections.abc import Sequence as SequenceABC

from mom.atlas.edit.spec_list import SpecList
from mom.atlas.ownership import OwnDocument
from mom.yamledit.data import Data
from mom.yamledit.nodes import Node, Scalar
from mom.yamledit.shape import Shape
from mom.yamledit.source import Source
from mom.yamledit.stream import Document


class AdapterList(SpecList):
    """The list of references to adapters."""

    wanted = "a list of `- adapterRef:` items"

    def __init__(self, source: Source, atlas: OwnDocument, documents: SequenceABC[Document]) -> None:
        """Find the list in the Atlas document of a stream. Raises MomError, with the place, where no item can go."""
        super().__init__(source, atlas, documents, "apiAdapters")

    def item_style(self, keys: Shape) -> Shape:
        """Return how a reference is written where there is none yet: its keys in the order of the document's."""
        order = tuple(key.value for key, _ in self.root.entries if isinstance(key, Scalar))
        inner = Shape(order=order, key_quote=keys.key_quote, quote=keys.quote)
        return super().item_style(keys).with_child("adapterRef", inner)

    def references(self, name: str) -> list[tuple[Node, Data]]:
        """Return the list's items, node and data, or none where the document cannot name `name` at all.

        It can where its text has the name, or the escapes or aliases that might spell it.
        """
        if not self.items or not self._contains(name, "\\", "*"):
            return []
        return self.all_references()

    def all_references(self) -> list[tuple[Node, Data]]:
        """Return the list's items, node and data."""
        listed = self._data.get(self.key)
        return list(zip(self.items, listed, strict=True)) if isinstance(listed, list) else []
