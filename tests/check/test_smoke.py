"""Which request proves an adapter's credential."""

from __future__ import annotations

import pytest

from mom.atlas.adapters.http import HttpAdapter, Smoke
from mom.atlas.load import load
from mom.check.smoke import smoke_request
from mom.errors import MomError
from mom.problems import Place
from mom.yamledit.source import decode

PLACE = Place("atlas.yml", 1, 1)


def adapter(base_url: str, smoke: Smoke | None = None) -> HttpAdapter:
    return HttpAdapter("name", base_url, (), PLACE, smoke=smoke)


def test_the_path_of_the_command_line_comes_first_and_the_configuration_before_the_catalog() -> None:
    openai = adapter("https://api.openai.com", Smoke("HEAD", "/mine", 204))
    assert str(smoke_request(openai, "/given")) == "GET /given"
    configured = smoke_request(openai)
    assert (str(configured), configured.status, configured.proves) == ("HEAD /mine", 204, True)
    known = smoke_request(adapter("https://api.openai.com"))
    assert (str(known), known.status, known.proves) == ("GET /v1/models", 200, True)


def test_a_part_of_the_path_that_is_in_the_base_url_is_not_sent_twice() -> None:
    assert str(smoke_request(adapter("https://api.openai.com/v1"))) == "GET /models"


def test_an_unknown_api_is_asked_for_its_root_which_proves_nothing() -> None:
    request = smoke_request(adapter("https://api.example.com"))
    assert (str(request), request.proves) == ("GET /", False)


def test_an_entry_of_the_catalog_brings_its_headers_its_body_and_its_proof() -> None:
    linear = smoke_request(adapter("https://api.linear.app"))
    assert linear.method == "POST"
    assert linear.body
    assert ("content-type", "application/json") in [(name.lower(), value) for name, value in linear.headers]


def documents(smoke: str) -> str:
    """Return a configuration with one adapter that has `smoke`."""
    return (
        "apiVersion: moment.dev/atlas/v1alpha1\nkind: Atlas\nmetadata: {name: a}\nspec:\n  apiAdapters:\n"
        "  - adapterRef: {apiVersion: moment.dev/adapters/v1alpha1, kind: HTTP, name: one}\n---\n"
        "apiVersion: moment.dev/adapters/v1alpha1\nkind: HTTP\nmetadata: {name: one}\n"
        f"spec:\n  baseUrl: https://api.example.com\n  smoke: {smoke}\n"
    )


@pytest.mark.parametrize(
    ("text", "smoke"),
    [
        ("{path: /me}", Smoke("GET", "/me")),
        ("{method: POST, path: '/me?a=b', expect: 204}", Smoke("POST", "/me?a=b", 204)),
    ],
)
def test_a_configuration_names_the_request(text: str, smoke: Smoke) -> None:
    (one,) = load(decode(documents(text).encode(), "atlas.yml")).adapters
    assert isinstance(one, HttpAdapter)
    assert one.smoke == smoke


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "path"),
        ("{path: me}", "a path starts with `/`"),
        ("{path: '/a b'}", "no blanks"),
        ("{path: /me, method: DELETE}", "DELETE"),
        ("{path: /me, expect: 20}", "expect"),
        ("{path: /me, exspect: 200}", "exspect"),
    ],
)
def test_a_request_that_could_not_be_sent_is_an_error_with_its_place(text: str, words: str) -> None:
    with pytest.raises(MomError) as caught:
        load(decode(documents(text).encode(), "atlas.yml"))
    (problem,) = caught.value.problems
    assert problem.place.line == 13
    assert words in f"{problem.message} {problem.path} {problem.hint}"
