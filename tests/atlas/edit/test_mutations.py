"""The promises of an edit, on files with slips and oddities: what is not refused is done right, for every parser."""

from __future__ import annotations

from collections import Counter
from typing import Any
from unittest.mock import patch

import pytest

from mom.atlas.adapters.http import HttpAdapterSpec
from mom.atlas.edit import spec as specs
from mom.atlas.edit.add import add_adapter
from mom.atlas.edit.result import Action, Edit
from mom.errors import MomError
from mom.yamledit import parser
from mom.yamledit.source import Source
from tests.atlas.edit.test_properties import plain
from tests.promises import lines_lost
from tests.searches import SLIPS
from tests.yamledit.mutations import mutations
from tests.yamledit.readers import read_11, read_12

ADAPTER = HttpAdapterSpec("new-one", "https://new.example/v1", (("Authorization", "Bearer ${{ X }}"), ("X-N", "2")))
READERS = {"YAML 1.1": read_11, "YAML 1.2": read_12}


def outcome(source: Source, name: str) -> Edit | set[str]:
    """Return the edit, or why it is refused, with one of the two parsers."""
    with patch.object(parser, "c_parser", parser.c_parser if name == "libyaml" else lambda: None):
        try:
            return add_adapter(source, ADAPTER)
        except MomError as error:
            return {f"{problem.place}: {problem.message}" for problem in error.problems} or {error.message}


def with_adapter(before: list[Any], text: str, new_text: str) -> list[Any]:
    """Return what a parser must read after the edit, given what it read before."""
    result = list(before)
    for number, found in enumerate(result):
        if (
            isinstance(found, dict)
            and found.get("kind") == "Atlas"
            and "moment.dev/atlas/" in str(found.get("apiVersion"))
        ):
            spec = found.get("spec") or {}
            listed = spec.get("apiAdapters")
            tag, items = listed if isinstance(listed, tuple) else ("", listed or [])
            fresh = [*items, specs.reference(ADAPTER)]
            result[number] = {**found, "spec": {**spec, "apiAdapters": (tag, fresh) if tag else fresh}}
    if new_text.count("\n---") == text.count("\n---") and result and result[-1] is None:
        # A bare `---` at the end was used.
        result.pop()
    return [*result, specs.document(ADAPTER)]


def holds(text: str) -> str:
    """Hold one file against the promises; return what became of it."""
    source = Source("atlas.yml", text)
    edit = outcome(source, "libyaml")
    in_python = outcome(source, "Python")
    if not isinstance(edit, Edit) or not isinstance(in_python, Edit):
        assert isinstance(edit, set), text
        assert isinstance(in_python, set), text
        if not any("invalid YAML" in reason for reason in edit | in_python):
            assert edit == in_python, text
        # What has no place is a file without an Atlas.
        assert all(": " in reason or "no Atlas" in reason for reason in edit), edit
        return "refused"
    assert edit.text == in_python.text, text
    # Where YAML leaves no choice: the list's own line, and the end of a file without a line ending.
    lost = lines_lost(text.encode(), edit.text.encode())
    assert lost <= 1 + (not text.endswith("\n")), text
    for name, read in READERS.items():
        before = read(text)
        if before is not None:
            after = read(edit.text)
            assert after is not None, (name, text)
            assert plain(after) == plain(with_adapter(before, text, edit.text)), (name, text)
    again = add_adapter(Source("atlas.yml", edit.text), ADAPTER)
    assert again.action is Action.UNCHANGED, text
    return "added lines alone" if not lost else "changed a line"


def check(seed: int, number: int) -> None:
    outcomes = Counter(holds(text) for text in mutations(seed, number))
    # Not by refusing are the promises kept: half of these files have no slip that matters.
    assert outcomes["added lines alone"] > number * 0.2, outcomes


def test_an_edit_of_a_file_with_slips_keeps_every_promise() -> None:
    check(seed=3, number=40)


@pytest.mark.proof
def test_an_edit_of_many_files_with_slips_keeps_every_promise() -> None:
    check(seed=4, number=SLIPS)
