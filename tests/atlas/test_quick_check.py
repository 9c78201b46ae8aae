"""The fast check accepts nothing that the full validator refuses, and accepts what people write."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mom.atlas.adapters import kinds
from mom.atlas.kinds import Kind
from mom.atlas.quick_check import compile_schema
from mom.atlas.schemas import schema
from tests.searches import examples

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([0.5, -1.0, 8082.0, math.inf, math.nan])
    | st.sampled_from(
        ["", "x", "a b", "https://a.example", "openai", "dns:a:1", "moment.dev/adapters/v1alpha1", "HTTP"]
    )
)


def mutated(example: Any) -> st.SearchStrategy[Any]:
    """Return data shaped like `example`, with any part replaced, left out or added to."""
    if isinstance(example, dict):
        kept = st.fixed_dictionaries({}, optional={key: mutated(value) for key, value in example.items()})
        return kept | st.just(example) | st.builds(lambda value: {**example, "unknown": value}, SCALARS) | SCALARS
    if isinstance(example, list):
        return st.lists(mutated(example[0]), max_size=2) | SCALARS | st.just(example)
    return SCALARS | st.just(example)


@pytest.mark.parametrize("kind", kinds(), ids=str)
def test_what_the_fast_check_accepts_the_validator_accepts(kind: Kind) -> None:
    whole = schema(kind)
    fits, validator = compile_schema(whole), Draft202012Validator(whole)
    (example,) = whole["examples"]
    seen = {True: 0, False: 0}

    @settings(max_examples=examples(40, 300))
    @given(st.just(example) | mutated(example))
    def compare(data: Any) -> None:
        seen[validator.is_valid(data)] += 1
        assert not fits(data) or validator.is_valid(data)

    compare()
    assert seen[True]
    assert seen[False]
    assert fits(example)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "integer", "minimum": 1, "maximum": 3},
        {"type": ["object", "null"], "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "null"}},
        {"items": {"enum": ["x", "y"]}, "type": "array"},
        {"const": "x"},
        {"pattern": "^a"},
        {"minLength": 2, "maxLength": 3},
        {"minProperties": 1},
        {"required": ["a"]},
        {"additionalProperties": False},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}},
        {"type": "number"},
    ],
    ids=str,
)
@given(
    data=st.recursive(
        SCALARS | st.sampled_from(["a", "ab", "abcd"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
        max_leaves=4,
    )
)
def test_each_keyword_means_what_the_validator_means(part: dict[str, Any], data: Any) -> None:
    assert not compile_schema(part)(data) or Draft202012Validator(part).is_valid(data)


def test_a_keyword_that_it_does_not_know_is_left_to_the_validator() -> None:
    assert not compile_schema({"uniqueItems": True})([1])
    assert not compile_schema({"properties": {"a": {"not": {}}}})({"a": 1})
    assert not compile_schema({"$ref": "#/elsewhere"})(1)
