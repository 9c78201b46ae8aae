"""The schemas are themselves valid, strict and helpful, alone and combined."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from mom.atlas.adapters import kinds
from mom.atlas.adapters.http import HTTP
from mom.atlas.kinds import ATLAS, Kind
from mom.atlas.schema_files import Schema, folder
from mom.atlas.schemas import combined, schema
from mom.atlas.values.headers import check_header_name
from mom.atlas.values.names import check_adapter_name
from mom.atlas.values.urls import check_base_url, check_public_key

ALL = [*(pytest.param(schema(kind), id=str(kind)) for kind in kinds()), pytest.param(combined(), id="combined")]
EACH_KIND = pytest.mark.parametrize("kind", kinds(), ids=str)


def subschemas(value: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Yield every subschema with its place."""
    yield path, value
    for word in ("properties", "$defs"):
        for name, inner in value.get(word, {}).items():
            yield from subschemas(inner, f"{path}/{word}/{name}")
    for word in ("items", "additionalProperties"):
        if isinstance(value.get(word), dict):
            yield from subschemas(value[word], f"{path}/{word}")


@pytest.mark.parametrize("found", ALL)
def test_each_schema_is_valid_under_the_metaschema(found: Schema) -> None:
    Draft202012Validator.check_schema(found)


def test_each_schema_of_a_version_belongs_to_a_kind() -> None:
    files = {path.relative_to(folder()).as_posix() for path in folder().glob("*/*/*.json")}
    assert files == {kind.schema for kind in kinds()}


@EACH_KIND
def test_every_example_fits_its_own_subschema(kind: Kind) -> None:
    whole = schema(kind)
    checked = 0
    for path, inner in subschemas(whole):
        for example in inner.get("examples", ()):
            problems = list(Draft202012Validator({**inner, "$defs": whole.get("$defs", {})}).iter_errors(example))
            assert not problems, path
            checked += 1
    assert checked > 2


@EACH_KIND
def test_every_property_says_what_it_is(kind: Kind) -> None:
    for path, inner in subschemas(schema(kind)):
        if "/properties/" in path and "/labels/" not in path and "$ref" not in inner:
            assert inner.get("description", "").endswith("."), path


@EACH_KIND
def test_every_pattern_is_explained_in_words(kind: Kind) -> None:
    for path, inner in subschemas(schema(kind)):
        assert ("pattern" in inner) == ("patternErrorMessage" in inner), path


@EACH_KIND
def test_every_mapping_outside_metadata_is_strict(kind: Kind) -> None:
    for path, inner in subschemas(schema(kind)):
        if "properties" in inner and not path.endswith("/metadata"):
            assert inner.get("additionalProperties") is False, path


def test_metadata_reads_the_same_in_every_adapter() -> None:
    metadata = [schema(kind)["properties"]["metadata"] for kind in kinds() if kind != ATLAS]
    for found in metadata:
        without_example = {**found["properties"]["name"], "examples": None}
        assert without_example == {**metadata[0]["properties"]["name"], "examples": None}
        assert found["properties"]["labels"] == metadata[0]["properties"]["labels"]


@EACH_KIND
def test_the_combined_schema_says_of_a_document_what_its_own_schema_says(kind: Kind) -> None:
    whole = Draft202012Validator(combined())
    (example,) = schema(kind)["examples"]
    assert whole.is_valid(example)
    assert not whole.is_valid({**example, "unknown": 1})
    assert not whole.is_valid({**example, "metadata": {}})


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"apiVersion": "v1", "kind": "ConfigMap", "anything": [1]}, id="another tool's"),
        pytest.param({"apiVersion": "moment.development/v1"}, id="a longer name with our letters"),
        pytest.param({"a": 1}, id="without apiVersion"),
        pytest.param(None, id="empty"),
    ],
)
def test_the_combined_schema_accepts_other_documents(document: Any) -> None:
    assert Draft202012Validator(combined()).is_valid(document)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"apiVersion": ATLAS.api_version}, id="without kind"),
        pytest.param({"apiVersion": ATLAS.api_version, "kind": "HTTP"}, id="a kind of the other version"),
        pytest.param({"apiVersion": "moment.dev/atlas/v2", "kind": "Atlas"}, id="an unknown version"),
    ],
)
def test_the_combined_schema_refuses_our_documents_of_unknown_type(document: Any) -> None:
    assert not Draft202012Validator(combined()).is_valid(document)


def provider_forms() -> list[Any]:
    provider = {"publicKey": "https://a.example/jwks", "audience": "a", "issuer": "b"}
    return [{"auth0": provider}, [{"auth0": provider}, {"auth0": provider}], {}, [], None]


@pytest.mark.parametrize("providers", provider_forms())
def test_identity_providers_are_a_map_or_a_list_of_maps(providers: Any) -> None:
    inner = schema(ATLAS)["properties"]["spec"]["properties"]["identityProviders"]
    assert Draft202012Validator({**inner, "$defs": schema(ATLAS)["$defs"]}).is_valid(providers)


# The schemas' patterns are for editors and say roughly what the checks say exactly. What the checks accept, no editor
# may underline.
BASE_URL = Draft202012Validator(schema(HTTP)["properties"]["spec"]["properties"]["baseUrl"])
HEADER_NAME = Draft202012Validator(
    schema(HTTP)["properties"]["spec"]["properties"]["headers"]["items"]["properties"]["name"]
)
NAME = Draft202012Validator(schema(HTTP)["properties"]["metadata"]["properties"]["name"])
PUBLIC_KEY = Draft202012Validator(schema(ATLAS)["$defs"]["identityProvider"]["properties"]["publicKey"])
URLS = st.from_regex(r"[Hh]ttps?://(localhost|127\.0\.0\.1|\[::1\]|[a-z_.0-9]{1,8})(:[0-9]{1,5})?(/[!-~]{0,8})*")


@given(st.text() | st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]*"))
def test_editors_accept_every_name_that_mom_accepts_and_no_other(text: str) -> None:
    assert NAME.is_valid(text) == (check_adapter_name(text) is None) or text.endswith("\n")


@given(st.text() | URLS)
def test_editors_accept_every_base_url_that_mom_accepts(text: str) -> None:
    assert check_base_url(text) is not None or BASE_URL.is_valid(text)


@given(st.text() | st.from_regex(r"[!-~]+"))
def test_editors_accept_every_header_name_that_mom_accepts(text: str) -> None:
    assert check_header_name(text) is not None or HEADER_NAME.is_valid(text)


@given(st.text() | URLS)
def test_editors_accept_every_location_of_keys_that_mom_accepts(text: str) -> None:
    assert check_public_key(text) is not None or PUBLIC_KEY.is_valid(text)
