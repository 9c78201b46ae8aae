"""The name of a deployment: made of the Atlas's, and one that every engine takes."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mom.export.deployment_name import deployment_name
from tests.searches import examples

# RFC 1035, 2.3.1, as Kubernetes has it for Services, the strictest; load balancers of AWS take 32 characters.
LABEL = re.compile(r"[a-z]([-a-z0-9]{0,30}[a-z0-9])?")
names = st.text(min_size=1) | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}", fullmatch=True)


@settings(max_examples=examples(30))
@given(names)
@example("1")
@example("ä")
@example("-")
@example("a" * 26)
@example("a" * 26 + "-")
@example(".".join("a" * 253))
def test_every_name_of_an_atlas_gives_a_label(name: str) -> None:
    label = deployment_name(name)

    assert LABEL.fullmatch(label)
    assert deployment_name(label) == label or len(label) > 26


@settings(max_examples=examples(30))
@given(names, names)
@example("a.b", "a-b")
@example("A", "a")
@example("a", "atlas-a")
def test_two_names_give_two_labels_but_for_the_word_in_front(one: str, other: str) -> None:
    short, long = sorted((one, other), key=len)
    # A name that could be the whole one of another's deployment is left as it is.
    same = short == long or (f"atlas-{short}" == long and len(long) <= 26)

    assert (deployment_name(one) == deployment_name(other)) == same


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("atlas", "atlas"),
        ("atlas-staging", "atlas-staging"),
        ("ssh", "atlas-ssh"),
        ("2026", "atlas-2026"),
        ("Atlas", "atlas-9dee1c"),
        ("a/../../b c%n", "atlas-a-b-c-n-"),
        ("x" * 200, "atlas-" + "x" * 17 + "-"),
        ("Ärger\n", "atlas-rger-"),
    ],
)
def test_the_label_begins_with_the_name_where_that_can_be(name: str, label: str) -> None:
    assert deployment_name(name).startswith(label)
