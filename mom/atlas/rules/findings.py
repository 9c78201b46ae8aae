"""What was found in one document, collected while it is checked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from mom.atlas.documents import DataDocument
from mom.atlas.rules.catalogue import problem_at
from mom.atlas.values.objection import Objection
from mom.problems import Place, Problem
from mom.yamledit.nodes import Node, Scalar
from mom.yamledit.paths import Path, show


@dataclass
class Findings:
    """What was found in one document, each problem with the path of the value at fault.

    `templates` are the paths of text with template braces: whatever else is said about it only distracts. `unread` are
    the paths of values with a reference that is none. `secrets` are the limits of values that no report may show.
    """

    document: DataDocument
    problems: list[tuple[Path, Problem]] = field(default_factory=list)
    templates: set[Path] = field(default_factory=set)
    unread: set[Path] = field(default_factory=set)
    secrets: list[tuple[int, int]] = field(default_factory=list)

    def add(
        self,
        path: Path,
        rule: str,
        message: str,
        *,
        at: Node | None = None,
        hint: str | None = None,
        related: tuple[tuple[Place, str], ...] = (),
        replacement: str | None = None,
    ) -> None:
        """Add a problem about the value at `path`."""
        problem = self.document.problem(path, rule, message, at=at, hint=hint, related=related)
        self.problems.append((path, replace(problem, replacement=replacement)))

    def objection(self, path: Path, rule: str, objection: Objection) -> None:
        """Add an error that says what `objection` says about the value at `path`."""
        self.add(path, rule, objection.message, hint=objection.hint)

    def inside(self, node: Scalar, text: str, after: int | None = None) -> tuple[int, int]:
        """Return where `text`, a part of a scalar's value, is in the file; the scalar's limits where it is escaped."""
        first = text.split("\n", 1)[0]
        start = self.document.source.text.find(first, node.start if after is None else after, node.end)
        return (node.start, node.end) if start == -1 else (start, start + len(first))

    def add_inside(
        self,
        path: Path,
        rule: str,
        message: str,
        part: str,
        *,
        hint: str,
        at_end: bool = False,
    ) -> None:
        """Add a problem about `part` of the text at `path`; `at_end`: its last occurrence is meant, not its first."""
        node = self.document.tree.follow(self.document.tree.nearest(path).value)
        start, end = node.start, node.end
        if isinstance(node, Scalar):
            begin = self.document.source.text.rfind(part, node.start, node.end) if at_end else None
            start, end = self.inside(node, part, None if begin == -1 else begin)
        self.add_at((start, end), path, rule, message, hint=hint)

    def add_at(self, limits: tuple[int, int], path: Path, rule: str, message: str, *, hint: str | None = None) -> None:
        """Add a problem about the value at `path`, shown where the file has what is between `limits`."""
        start, end = limits
        problem = problem_at(self.document.source, start, rule, message, end=end, hint=hint, path=show(path))
        self.problems.append((path, problem))

    def has_template(self, path: Path) -> bool:
        """Whether `path` leads into template braces."""
        return bool(self.templates) and any(path[:length] in self.templates for length in range(len(path) + 1))
