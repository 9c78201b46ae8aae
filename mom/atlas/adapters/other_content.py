"""What a document in the file has other than was asked for, each with its place, for an edit that is refused."""

from __future__ import annotations

from dataclasses import replace

from mom.atlas.documents import value_at
from mom.atlas.ownership import OwnDocument
from mom.atlas.rules.catalogue import problem_at
from mom.problems import Problem
from mom.yamledit.data import Data
from mom.yamledit.nodes import Node, get
from mom.yamledit.source import Source


class OtherContent:
    """Collects it for one document. `spec` is its data; `node` is where it is, or the document where it has none."""

    def __init__(self, source: Source, existing: OwnDocument, data: Data) -> None:
        """`data`: that of the document `existing`."""
        spec = value_at(data, "spec")
        self.spec: dict[str, Data] = spec if isinstance(spec, dict) else {}
        self.node: Node = get(existing.root, "spec") or existing.root
        self.problems: list[Problem] = []
        self._source = source

    def add(self, where: Node | None, path: str, message: str, *, secret: bool = False) -> None:
        """Add a difference at a node, the spec where that is None; `secret`: its line is not shown."""
        at = where or self.node
        problem = problem_at(self._source, at.start, "other-content", message, end=at.end, path=path)
        self.problems.append(replace(problem, excerpt="") if secret else problem)

    def add_unasked(self, *asked: str) -> None:
        """Add each key of the spec that is none of those that were asked for."""
        for key in self.spec.keys() - set(asked):
            self.add(get(self.node, key), f"spec.{key}", f"`{key}` was not asked for")
