"""Where an adapter's reference goes: `spec.apiAdapters` of the Atlas document, if an item can be added there safely."""

from __future__ import annotations

from functools import cached_property

from mom.atlas.scope import data_of, refusal
from mom.problems import Problem
from mom.yamledit import insert
from mom.yamledit import shape as shapes
from mom.yamledit.data import Data, walk
from mom.yamledit.insert import Splice
from mom.yamledit.nodes import Alias, Mapping, Node, Scalar, Sequence, entries_of, get, text_of
from mom.yamledit.scalars import resolve
from mom.yamledit.shape import Shape, Value
from mom.yamledit.source import Source


class Target:
    """The place of `spec.apiAdapters` in an Atlas document, and how to append to it. Refuses what is unsafe."""

    def __init__(self, source: Source, root: Mapping) -> None:
        """Find the list below `root`, an Atlas document. Raises MomError, with the place, where no item can go."""
        self.source = source
        self.root = root
        self.spec = self._spec()
        entries = entries_of(self.spec, "apiAdapters")
        self.entry = entries[0] if entries else None
        self.house = self._house_list()
        self._check()

    @cached_property
    def _data(self) -> dict[str, Data]:
        """The data of `spec`, aliases followed and `<<` merged. Made only where the nodes alone do not tell."""
        data = data_of(self.source, self.root)
        spec = data.get("spec") if isinstance(data, dict) else None
        return spec if isinstance(spec, dict) else {}

    def _holds(self, *words: str) -> bool:
        """Whether the document's text holds one of `words`."""
        return any(self.source.text.find(word, self.root.start, self.root.end) != -1 for word in words)

    def _spec(self) -> Mapping:
        spec = get(self.root, "spec")
        if isinstance(spec, Mapping):
            if not spec.entries:
                problem = self._problem(
                    spec, "spec", "`spec` is empty", "write the Atlas's spec first: owner, identityProviders"
                )
                raise refusal(problem)
            return spec
        if isinstance(spec, Alias):
            hint = "write the spec out where it stands"
            raise refusal(
                self._problem(
                    spec, "spec", f"`spec` is the alias `*{spec.name}`: an edit would need its expansion", hint
                )
            )
        where = spec or self.root
        raise refusal(
            self._problem(where, "spec", "the Atlas document has no mapping `spec`", "add `spec:` with the owner first")
        )

    def _problem(self, node: Node, path: str, message: str, hint: str) -> Problem:
        return self.source.problem(node.start, "unsafe-edit", message, end=node.end, hint=hint, path=path)

    def _check(self) -> None:
        path = "spec.apiAdapters"
        nodes = walk(self.root) if self._holds("*") else ()
        aliased = {node.name: node for node in nodes if isinstance(node, Alias)}
        for node, where in ((self.root, ""), (self.spec, "spec"), (self.entry[1] if self.entry else None, path)):
            if node is not None and not isinstance(node, Alias) and node.anchor in aliased:
                other = self.source.place(aliased[node.anchor].start)
                message = (
                    f"`&{node.anchor}` is used again in line {other.line}: an item added here would appear there too"
                )
                raise refusal(self._problem(node, where, message, "write the two lists out, each where it stands"))
        if self.entry is None:
            if "apiAdapters" in self._data:
                merge = next(key for key, _ in self.spec.entries if text_of(key) == "<<")
                message = "`apiAdapters` arrives through `<<`: a list written here would hide the merged one"
                raise refusal(self._problem(merge, "spec", message, "write the list out in `spec`"))
            if self.spec.flow:
                message = "`spec` is written as {…} and has no `apiAdapters`"
                raise refusal(self._problem(self.spec, "spec", message, "add `apiAdapters: []` to it"))
            return
        node = self.entry[1]
        if isinstance(node, Alias):
            message = f"`apiAdapters` is the alias `*{node.name}`: an edit would need its expansion"
            raise refusal(self._problem(node, path, message, "write the list out where it stands"))
        null = isinstance(node, Scalar) and resolve(node.value, node.style, node.tag) is None
        if not isinstance(node, Sequence) and not null:
            kind = "a mapping" if isinstance(node, Mapping) else "a scalar"
            raise refusal(
                self._problem(
                    node, path, f"`apiAdapters` is {kind}, not a list", "write a list of `- adapterRef:` items"
                )
            )

    def _house_list(self) -> Shape:
        """Return how a new list is written: its dashes as those of another list of the spec, keys as the document's."""
        text = self.source.text
        indent = None
        for key, value in self.spec.entries:
            if isinstance(value, Sequence) and value.items and not value.flow:
                indent = shapes.dash_column(text, value) - shapes.column(text, key.start)
        order = tuple(key.value for key, _ in self.root.entries if isinstance(key, Scalar))
        keys = shapes.shape_of(text, self.root)
        inner = Shape(order=order, key_quote=keys.key_quote)
        return Shape(indent=indent, item=Shape(key_quote=keys.key_quote).with_child("adapterRef", inner))

    def references(self, name: str) -> list[tuple[Node, Data]]:
        """Return the list's items, node and data, or none where the document cannot name `name` at all.

        It can where its text holds the name, or the escapes or aliases that might stand for it.
        """
        node = self.entry[1] if self.entry else None
        if not isinstance(node, Sequence) or not self._holds(name, "\\", "*"):
            return []
        listed = self._data.get("apiAdapters")
        return list(zip(node.items, listed, strict=True)) if isinstance(listed, list) else []

    def append(self, value: Value) -> list[Splice]:
        """Return the splices that append `value` to the list, or add the list."""
        if self.entry is None:
            return insert.append_entry(self.source, self.spec, "apiAdapters", [value], self.house)
        return insert.append_item(self.source, self.spec, self.entry, value, self.house)
