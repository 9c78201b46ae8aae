"""Names of Kubernetes objects: each a label of a domain name, whatever an Atlas is called."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mom.export.kubernetes_names import LONGEST, dns_label
from tests.searches import examples

# RFC 1035, 2.3.1; RFC 1123 would let a digit begin, which Services do not.
LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
names = st.text(min_size=1) | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}", fullmatch=True)


@settings(max_examples=examples(30))
@given(names)
@example("1")
@example("ä")
@example("-")
@example("a" * LONGEST + "-")
@example(".".join("a" * 253))
def test_every_name_of_an_atlas_gives_a_label(name: str) -> None:
    label = dns_label(name)

    assert LABEL.fullmatch(label)
    assert len(label) <= LONGEST
    assert dns_label(label) == label


@settings(max_examples=examples(30))
@given(names, names)
def test_two_names_give_two_labels(one: str, other: str) -> None:
    assert (dns_label(one) == dns_label(other)) == (one == other)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("atlas", "atlas"),
        ("team-a", "team-a"),
        ("Atlas", "atlas-9dee1c"),
        ("corp.example", "corp-example-2cc487"),
        ("2026", "atlas-2026-158a32"),
        ("__", "atlas-9911f4"),
    ],
)
def test_a_label_is_the_name_where_that_can_be(name: str, label: str) -> None:
    assert dns_label(name) == label
