"""An edit and `validate` agree on whether a file can be read, and on where it cannot."""

from __future__ import annotations

import random
from collections.abc import Iterable
from unittest.mock import patch

import pytest

from mom.atlas.adapters.http import HttpAdapterSpec
from mom.atlas.edit.add import add_adapter
from mom.atlas.validate import validate
from mom.errors import MomError
from mom.problems import Place, Problem
from mom.yamledit import parser
from mom.yamledit.source import Source
from tests.searches import EXAMPLES, SLIPS
from tests.yamledit.mutations import mutated, originals

# What is wrong with a document's text, before anything is known of what it says. (A template in quotes can be read.)
UNREADABLE = {"yaml-syntax", "yaml-alias", "line-end", "conflict-marker", "template"}
# No file has it, so that an edit of a readable file looks for it in vain.
ADAPTER = HttpAdapterSpec("new-one", "https://new.example")

Places = set[tuple[Place, str]]


def places(problems: Iterable[Problem]) -> Places:
    return {
        (problem.place, problem.message)
        for problem in problems
        if problem.rule in UNREADABLE and not (problem.rule == "template" and problem.path)
    }


def unreadable_for_an_edit(source: Source) -> Places:
    try:
        add_adapter(source, ADAPTER)
    except MomError as error:
        return places(error.problems)
    return set()


def unreadable_for_validate(source: Source) -> Places:
    return places(validate(source))


def agree(texts: Iterable[str]) -> None:
    for text in texts:
        source = Source("atlas.yml", text)
        assert unreadable_for_an_edit(source) == unreadable_for_validate(source), text


def with_slips(seed: int, number: int) -> Iterable[str]:
    chance = random.Random(seed)
    files = originals()
    return (mutated(chance.choice(files), chance) for _ in range(number))


@pytest.mark.parametrize("name", ["libyaml", "Python"])
def test_an_edit_and_validate_agree_on_every_golden_file(name: str) -> None:
    with patch.object(parser, "c_parser", parser.c_parser if name == "libyaml" else lambda: None):
        # The parser in Python takes long: in `make test` it reads each fourth file.
        agree(originals()[:: 1 if name == "libyaml" or EXAMPLES else 4])


ADAPTER_WITH_UNKNOWN_ALIAS = """---
apiVersion: moment.dev/adapters/v1alpha1
kind: HTTP
metadata:
  name: github
spec:
  baseUrl: *github
"""


@pytest.mark.parametrize("version", ["apiVersion:!x  moment.dev/atlas/v1alpha1", "api Version:!x  moment.dev/atlas/v1"])
def test_an_edit_and_validate_agree_where_an_alias_elsewhere_is_unknown(version: str) -> None:
    atlas = f"{version}\nkind: Atlas\nmetadata:\n  name: atlas\nspec:\n  apiAdapters: []\n"
    agree([atlas, atlas + ADAPTER_WITH_UNKNOWN_ALIAS, f"{ADAPTER_WITH_UNKNOWN_ALIAS}---\n{atlas}"])


def test_an_edit_and_validate_agree_on_files_with_slips() -> None:
    agree(with_slips(seed=1, number=100))


@pytest.mark.proof
def test_an_edit_and_validate_agree_on_many_files_with_slips() -> None:
    agree(with_slips(seed=2, number=SLIPS))
