"""The binary form of what Envoy gets is the same message as its JSON, by Envoy's descriptors and Google's parser."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format, message_factory
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from mom.atlas.forms import Forms
from mom.atlas.load import load_with_warnings
from mom.envoy import messages, wire
from mom.envoy.by_form import _template
from mom.envoy.options import Options
from mom.envoy.translate import resources, translate
from mom.envoy.wire import encode
from mom.yamledit.source import Source
from tests.envoy import descriptors
from tests.envoy.configurations import read
from tests.envoy.test_by_form import GIVEN, OPTIONS, text
from tests.envoy.test_translation import CASES
from tests.envoy.test_translation import options as case_options
from tests.searches import examples

TYPES = {
    "routes": "envoy.config.route.v3.RouteConfiguration",
    "authentication": "envoy.config.core.v3.TypedExtensionConfig",
    "listener": "envoy.config.listener.v3.Listener",
    "limits": "envoy.config.core.v3.TypedExtensionConfig",
    "oauth2": "envoy.config.core.v3.TypedExtensionConfig",
}


def message(name: str) -> Message:
    """Return an empty message that knows what Envoy knows."""
    made: Message = message_factory.GetMessageClass(descriptors.pool().FindMessageTypeByName(name))()
    return made


def from_json(name: str, value: object) -> Message:
    """Return the message that JSON is."""
    return json_format.Parse(messages.dumps(value), message(name), descriptor_pool=descriptors.pool())


def from_bytes(name: str, content: bytes) -> Message:
    """Return the message that bytes are."""
    read = message(name)
    read.ParseFromString(content)
    return read


def as_dict(read: Message) -> dict[str, Any]:
    """Return a message as a dictionary, what is in an Any opened."""
    found: dict[str, Any] = json_format.MessageToDict(
        read, preserving_proto_field_name=True, descriptor_pool=descriptors.pool()
    )
    return found


def check(name: str, value: dict[str, Any]) -> None:
    """Check that both forms of a message are the same one."""
    assert as_dict(from_bytes(name, encode(name, value))) == as_dict(from_json(name, value))


def test_the_fields_are_those_of_envoys_own_descriptors() -> None:
    """Else: python -m tests.envoy.descriptors."""
    assert descriptors.FILE.read_text(encoding="utf-8") == descriptors.text(descriptors.made())


@pytest.mark.parametrize("changed", OPTIONS)
@pytest.mark.parametrize("tree_above", [10, 1_000])
def test_adapters_of_every_form(tree_above: int, changed: Callable[[Options], Options]) -> None:
    configuration, _ = load_with_warnings(Source("atlas.yml", text()), Forms())
    options = changed(Options(**GIVEN, tree_above=tree_above))
    given = resources(configuration, options, directory="/run/atlas")
    for kind, resource in (("routes", given.routes), ("authentication", given.authentication)):
        assert resource, kind
        check(TYPES[kind], resource)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_case_of_the_translation(case: Path) -> None:
    given = translate(read((case / "atlas.yml").read_text()), case_options(case), directory="/run/atlas")
    for kind, name in TYPES.items():
        if resource := getattr(given, kind):
            check(name, resource)


def test_a_field_that_a_message_does_not_have() -> None:
    with pytest.raises(KeyError, match="no_such"):
        encode("envoy.config.route.v3.Route", {"no_such": 1})


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
NUMBERS = {"int32": 2**31, "int64": 2**63, "uint32": 2**32, "uint64": 2**64}
PLAIN = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "bool": st.booleans(),
    "string": WORDS,
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "float": st.floats(allow_nan=False, allow_infinity=False, width=32),
    **{kind: st.integers(-top if kind.startswith("int") else 0, top - 1) for kind, top in NUMBERS.items()},
    "google.protobuf.Duration": st.integers(0, 10**12).map(lambda number: f"{number / 1_000:.3f}s"),
    "google.protobuf.Struct": st.dictionaries(WORDS, PLAIN, max_size=3),
    "google.protobuf.Value": PLAIN,
    "google.protobuf.ListValue": st.lists(PLAIN, max_size=3),
}
SCHEMA = json.loads(descriptors.FILE.read_text(encoding="utf-8"))


@st.composite
def values(draw: st.DrawFn, kind: str, depth: int) -> Any:
    """Draw a value of a kind."""
    if kind in SCALARS:
        return draw(SCALARS[kind])
    if kind in wire.WRAPPERS:
        return draw(SCALARS[wire.WRAPPERS[kind]])
    if kind in SCHEMA["enums"]:
        return draw(st.sampled_from(sorted(SCHEMA["enums"][kind])))
    if kind == "google.protobuf.Any":
        if depth == 0 or draw(st.booleans()):
            return {}
        name = draw(st.sampled_from(sorted(SCHEMA["messages"])))
        return {"@type": f"type.googleapis.com/{name}", **draw(values(name, depth - 1))}
    fields = (
        draw(st.lists(st.sampled_from(sorted(SCHEMA["messages"][kind])), max_size=3))
        if SCHEMA["messages"][kind]
        else []
    )
    return (
        {}
        if depth == 0
        else dict(draw(st.tuples(*(one_field(kind, field, depth) for field in one_of_each(kind, fields)))))
    )


def one_of_each(kind: str, fields: list[str]) -> list[str]:
    """Return the fields, of those that exclude one another the last one."""
    found = descriptors.pool().FindMessageTypeByName(kind).fields_by_name
    groups = ((found[name].containing_oneof, name) for name in fields)
    return list({name if group is None else group.name: name for group, name in groups}.values())


@st.composite
def one_field(draw: st.DrawFn, kind: str, name: str, depth: int) -> tuple[str, Any]:
    """Draw the value of a field."""
    of_map, _, rest = SCHEMA["messages"][kind][name][1].partition("map ")
    if of_map:
        field = descriptors.pool().FindMessageTypeByName(kind).fields_by_name[name]
        one = values(of_map, depth - 1)
        return name, draw(st.lists(one, max_size=2) if field.is_repeated else one)
    key, _, value = rest.partition(" ")
    assert key == "string"
    return name, draw(st.dictionaries(WORDS, values(value, depth - 1), max_size=2))


@settings(max_examples=examples(100), deadline=None)
@given(st.data())
def test_any_value_of_any_message_is_the_same_in_both_forms(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(SCHEMA["messages"])))
    check(name, data.draw(values(name, 4)))


def nested(first: str, second: str) -> dict[str, Any]:
    """Return a message that has two texts in messages in messages."""
    route = {
        "name": second,
        "match": {"prefix": f"/{first}/{second}"},
        "metadata": {"filter_metadata": {first: {"x": first}}},
    }
    return {"name": f"{first}-{first}", "virtual_hosts": [{"name": "x", "routes": [route, route]}]}


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS, st.sampled_from([0, 1, 100, 127, 128, 20_000])), min_size=1, max_size=4))
def test_a_template_with_values_of_any_length_is_the_message_with_them(given: list[tuple[str, str, int]]) -> None:
    name = "envoy.config.route.v3.RouteConfiguration"
    template = _template(lambda text: wire._message(name, nested("<first>", "<second>"), text), ["<first>", "<second>"])
    assert template is not None
    for first, second, length in given:
        values = first, second + "x" * length
        assert template(values) == encode(name, nested(*values))
