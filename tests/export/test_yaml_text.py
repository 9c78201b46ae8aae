"""The YAML text of manifests: how it looks, and that parsers read what was meant."""

from __future__ import annotations

import io
from typing import Any

import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from mom.export.yaml_text import Explained, yaml_text
from tests.searches import examples

SAMPLE = {
    "kind": "Sample",
    "spec": {
        "first": Explained({"nested": Explained(1, "Of a number.")}, "Of a mapping.\nIn two lines."),
        "list": Explained(
            [Explained({"name": "x", "value": Explained("0440", "Of text.")}, "Of an item."), "z"], "Of a list."
        ),
        "empty": {},
        "words": ["on", "8082", "1e3", "ALL", "a: b", "# no comment", ""],
    },
    "last": Explained(True, "Of the last one."),
}
TEXT = """\
kind: Sample
spec:
  # Of a mapping.
  # In two lines.
  first:
    # Of a number.
    nested: 1
  # Of a list.
  list:
  # Of an item.
  - name: x
    # Of text.
    value: "0440"
  - z
  empty: {}
  words:
  - "on"
  - "8082"
  - "1e3"
  - ALL
  - "a: b"
  - "# no comment"
  - ""
# Of the last one.
last: true
"""

words = st.text(st.characters(min_codepoint=32, max_codepoint=0x24F), max_size=12) | st.sampled_from(
    ["on", "0440", "0o17", "1_000", "12:30", "~", "=", "<<", "null", "2026-11-26", "-", "? a", "a\nb\n", " a ", "\t"]
)
comments = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
scalars = words | st.booleans() | st.integers() | st.none()


def explained(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return inner | st.builds(Explained, inner, comments)


values = st.recursive(
    scalars,
    lambda inner: st.lists(explained(inner), max_size=4) | st.dictionaries(words, explained(inner), max_size=4),
    max_leaves=20,
)


def bare(value: Any) -> Any:
    if isinstance(value, Explained):
        return bare(value.value)
    if isinstance(value, dict):
        return {key: bare(each) for key, each in value.items()}
    return [bare(each) for each in value] if isinstance(value, list) else value


def test_it_looks_as_people_write_it() -> None:
    assert yaml_text(SAMPLE) == TEXT


@settings(max_examples=examples(15))
@given(st.dictionaries(words, explained(values), min_size=1, max_size=4))
@example(SAMPLE)
def test_parsers_of_both_versions_read_what_was_meant(document: dict[str, Any]) -> None:
    text = yaml_text(document)

    assert yaml.safe_load(text) == bare(document)
    assert YAML(typ="safe", pure=True).load(io.StringIO(text)) == bare(document)
    assert yaml_text(document) == text
