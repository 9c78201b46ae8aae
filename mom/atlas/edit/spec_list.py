"""A list in the `spec` of a document of ours, and how to append to it where that is safe."""

from __future__ import annotations

from collections.abc import Sequence as SequenceABC
from functools import cached_property

from mom.atlas.edit.scope import data_of, refusal
from mom.atlas.edit.style import nearest
from mom.atlas.ownership import OwnDocument
from mom.atlas.rules.catalogue import problem_at
from mom.problems import Problem
from mom.yamledit import shape as shapes
from mom.yamledit.data import Data, is_merge, walk
from mom.yamledit.nodes import Alias, Mapping, Node, Scalar, Sequence, entries_of, text_of
from mom.yamledit.operations import Operation
from mom.yamledit.scalars import resolve
from mom.yamledit.shape import Shape, Value
from mom.yamledit.source import Source
from mom.yamledit.stream import Document
from mom.yamledit.tree_operations import AppendEntry, AppendItems, Fill


class SpecList:
    """The place of the list `spec.KEY` in a document, and how to append to it. Refuses what is unsafe."""

    # What to write where the value is not a list, for a hint.
    wanted = "a list"

    def __init__(self, source: Source, own: OwnDocument, documents: SequenceABC[Document], key: str) -> None:
        """Find the list in a document of a stream. Raises MomError, with the place, where no item can go."""
        self.source = source
        self.root = own.root
        self.document = own.document
        self.key = key
        self.documents = documents
        entries = entries_of(self.root, "spec")
        self.spec_entry = entries[0] if entries else None
        self.spec = self._spec()
        entries = entries_of(self.spec, key)
        self.entry = entries[0] if entries else None
        self._check()

    @cached_property
    def _all_data(self) -> dict[str, Data]:
        """The document's data, aliases followed and `<<` merged. Made only where the nodes alone do not tell."""
        data = data_of(self.source, self.root)
        return data if isinstance(data, dict) else {}

    @property
    def _data(self) -> dict[str, Data]:
        spec = self._all_data.get("spec")
        return spec if isinstance(spec, dict) else {}

    def _contains(self, *words: str) -> bool:
        """Whether the document's text has one of `words`."""
        return any(self.source.text.find(word, self.root.start, self.root.end) != -1 for word in words)

    def _spec(self) -> Mapping | None:
        """Return the mapping `spec`, None where there is none yet: no key, no value, or `{}`."""
        if self.spec_entry is None:
            if self._contains("<<") and "spec" in self._all_data:
                merge = next(key for key, _ in self.root.entries if is_merge(key))
                message = "`spec` comes from a merge key (`<<`); a local `spec` would override it"
                raise refusal(self._problem(merge, "", message, "write it out in this document"))
            return None
        spec = self.spec_entry[1]
        if isinstance(spec, Mapping):
            return spec if spec.entries else None
        if isinstance(spec, Alias):
            hint = "write it out in place"
            message = f"`spec` is an alias (`*{spec.name}`); mom cannot edit through aliases"
            raise refusal(self._problem(spec, "spec", message, hint))
        self._refuse_unless_empty(spec, "spec", "a mapping", f"write a mapping with `{self.key}`")
        return None

    def _problem(self, node: Node, path: str, message: str, hint: str) -> Problem:
        return problem_at(self.source, node.start, "unsafe-edit", message, end=node.end, hint=hint, path=path)

    def _refuse_unless_empty(self, node: Node, path: str, wanted: str, hint: str) -> None:
        """Raise MomError unless `node` is nothing or a null word, with no tag: a tagged null cannot become a list."""
        name = path.rpartition(".")[2]
        if not isinstance(node, Scalar) or resolve(node.value, node.style, node.tag) is not None:
            kind = "a mapping" if isinstance(node, Mapping) else "a list" if isinstance(node, Sequence) else "a scalar"
            raise refusal(self._problem(node, path, f"`{name}` is {kind}, not {wanted}", hint))
        if node.tag is not None:
            tag = self.source.text[node.start : node.end].split()
            written = next((word for word in tag if word.startswith("!")), node.tag)
            message = f"`{name}` has the tag `{written}`, with which no parser reads {wanted}"
            raise refusal(self._problem(node, path, message, "remove the tag"))

    def _check(self) -> None:
        path = f"spec.{self.key}"
        nodes = walk(self.root) if self._contains("*") else ()
        aliased = {node.name: node for node in nodes if isinstance(node, Alias)}
        spec = self.spec_entry[1] if self.spec_entry else None
        for node, where in ((self.root, ""), (spec, "spec"), (self.entry[1] if self.entry else None, path)):
            if node is not None and not isinstance(node, Alias) and node.anchor in aliased:
                other = self.source.place(aliased[node.anchor].start)
                message = f"`&{node.anchor}` is used again in line {other.line}: an edit here would change both places"
                raise refusal(self._problem(node, where, message, "write both lists out in place"))
        if self.entry is None:
            if self.spec is not None and self._contains("<<") and self.key in self._data:
                merge = next(key for key, _ in self.spec.entries if text_of(key) == "<<")
                message = f"`{self.key}` comes from a merge key (`<<`); a local list would override it"
                raise refusal(self._problem(merge, "spec", message, "write the list out in `spec`"))
            return
        node = self.entry[1]
        if isinstance(node, Alias):
            message = f"`{self.key}` is an alias (`*{node.name}`); mom cannot edit through aliases"
            raise refusal(self._problem(node, path, message, "write it out in place"))
        if not isinstance(node, Sequence):
            self._refuse_unless_empty(node, path, "a list", f"write {self.wanted}")

    @cached_property
    def fallback_style(self) -> Shape:
        """How a new list is written: its dashes as those of another list, keys and quotes as the document's.

        The nearest list counts: of the spec, of the document, of the documents around it.
        """
        style = self._nearest_style() or Shape()
        keys = shapes.shape_of(self.source.text, self.root._replace(entries=self.root.entries[:3]))
        return Shape(indent=style.indent, gap=style.gap, quote=keys.quote, item=self.item_style(keys))

    def item_style(self, keys: Shape) -> Shape:
        """Return how an item is written where there is none yet, if `keys` is how the document's keys are."""
        return Shape(key_quote=keys.key_quote, quote=keys.quote)

    def _nearest_style(self) -> Shape | None:
        text = self.source.text
        own = self.entry[1] if self.entry else None
        if self.spec is not None and isinstance(own, Sequence) and own.items and not own.flow:
            indent = shapes.dash_column(text, own) - shapes.mapping_column(text, self.spec)
            return Shape(indent=indent, gap=1)
        for node in (self.spec, self.root):
            if node is not None and (style := shapes.list_style(text, node)) is not None:
                return style
        around = (shapes.list_style(text, own.root) for own in nearest(self.source, self.documents, self.document))
        return next((style for style in around if style is not None), None)

    @property
    def items(self) -> tuple[Node, ...]:
        """The list's items, none where there is no list."""
        node = self.entry[1] if self.entry else None
        return node.items if isinstance(node, Sequence) else ()

    def append(self, *values: Value) -> Operation:
        """Return the operation that appends `values` to the list, or adds the list, and a spec, where there is none."""
        document, root, style, items = self.document, self.root, self.fallback_style, list(values)
        if self.entry is not None and self.spec is not None:
            return AppendItems(document, root, self.spec, self.entry, items, style)
        if self.spec is not None:
            return AppendEntry(document, root, self.spec, self.key, items, style)
        steps = shapes.shape_of(self.source.text, self.root)
        step = next((child.indent for child in steps.children.values() if child.indent and child.order), None)
        shape = Shape(indent=step, pad=steps.pad, quote=steps.quote, key_quote=steps.key_quote)
        shape = shape.with_child(self.key, style)
        if self.spec_entry is not None:
            return Fill(document, root, root, self.spec_entry, {self.key: items}, shape)
        return AppendEntry(document, root, root, "spec", {self.key: items}, shape)
