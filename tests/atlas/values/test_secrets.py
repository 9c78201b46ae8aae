"""Credentials in plain text are found, references are not taken for them, and no reason repeats a value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mom.atlas.values.foreign import find_foreign, is_meant_as_reference, message
from mom.atlas.values.secrets import literal_credential, literal_password, literal_secret, suggested_reference

# Made up. The prefixes are joined here, so that no scanner takes this file for a leak.
MADE_UP = {
    "OpenAI": "sk" + "-proj-abcdefgh12345678",
    "GitHub": "gh" + "p_abcdefgh12345678abcdefgh",
    "fine-grained GitHub": "github" + "_pat_abcdefgh12345678",
    "Slack": "xox" + "b-1234567890-abcdefgh",
    "AWS": "AK" + "IAABCDEFGH12345678",
    "JWT": "ey" + "JhbGciOiJIUzI1NiJ9.e30.x",
    "Stripe": "sk" + "_live_abcdefgh12345678",
    "GitLab": "glp" + "at-abcdefgh12345678abcd",
}


@pytest.mark.parametrize("token", MADE_UP.values(), ids=MADE_UP)
@pytest.mark.parametrize("header", ["Authorization", "X-Anything"])
def test_a_known_token_is_found_in_any_header(token: str, header: str) -> None:
    reason = literal_secret(header, f"Bearer {token}")
    assert reason is not None
    assert "looks like" in reason
    assert token not in reason


@pytest.mark.parametrize("token", MADE_UP.values(), ids=MADE_UP)
def test_a_known_token_beside_a_reference_is_found(token: str) -> None:
    assert literal_secret("X-Anything", f"${{{{ A }}}} {token}") is not None


@pytest.mark.parametrize(
    "header",
    [
        "Authorization",
        "authorization",
        "Proxy-Authorization",
        "Cookie",
        "X-Api-Key",
        "DD-API-KEY",
        "PRIVATE-TOKEN",
        "apikey",
        "X-Auth-Token",
        "X-Client-Secret",
        "X-Password",
        "X_API_KEY",
    ],
)
def test_plain_text_in_a_credential_header_is_a_secret(header: str) -> None:
    reason = literal_secret(header, "hunter2")
    assert reason is not None
    assert header in reason
    assert "hunter2" not in reason


@pytest.mark.parametrize(
    ("header", "value"),
    [
        pytest.param("Authorization", "Bearer ${{ TOKEN }}", id="a reference"),
        pytest.param("Authorization", "Token token=${{TOKEN}}", id="text and a reference"),
        pytest.param("X-Api-Key", "${{ KEY }}", id="a reference alone"),
        pytest.param("Authorization", "", id="nothing"),
        pytest.param("Accept", "application/vnd.heroku+json; version=3", id="a public header"),
        pytest.param("Idempotency-Key", "7f9c", id="a key that is public"),
        pytest.param("X-Score", "risk-management-and-more", id="sk- inside a word"),
        pytest.param("X-Region", "global-configuration-service", id="gl- that is no GitLab token"),
        pytest.param("Monkey", "banana", id="a name that only ends in the letters of key"),
        pytest.param("User-Agent", "sk-1", id="a prefix with next to nothing after it"),
    ],
)
def test_references_and_public_values_are_no_secrets(header: str, value: str) -> None:
    assert literal_secret(header, value) is None


def test_a_malformed_reference_does_not_hide_a_secret() -> None:
    assert literal_secret("Authorization", "Bearer ${{ }}") is not None
    assert literal_secret("X-Anything", "${{ " + MADE_UP["GitHub"]) is not None


def test_a_field_that_is_always_a_credential_needs_a_reference() -> None:
    assert literal_credential("secretAccessKey", "hunter2") == "plain-text credential for `secretAccessKey`"
    assert literal_credential("secretAccessKey", "${{ S }}") is None
    assert literal_credential("secretAccessKey", "") is None


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("postgres://app:hunter2@db/app", True),
        ("postgres://db/app?user=app&password=hunter2", True),
        ("postgres://app:${{ PASSWORD }}@db/app", False),
        ("postgres://db/app?password=${{ PASSWORD }}", False),
        ("${{ DATABASE_URL }}", False),
        ("postgres://app@db/app", False),
        ("postgres://[bad", False),
    ],
)
def test_a_password_in_a_connection_url_needs_a_reference(url: str, found: bool) -> None:
    assert (literal_password(url) is not None) is found


@pytest.mark.parametrize(
    ("name", "value", "suggestion"),
    [
        ("Authorization", "Bearer x", "Bearer ${{ API_TOKEN }}"),
        ("Authorization", "x", "${{ API_TOKEN }}"),
        ("Authorization", '"token x"', "token ${{ API_TOKEN }}"),
        ("DD-API-KEY", "x", "${{ DD_API_KEY }}"),
        ("secretAccessKey", "x", "${{ SECRET_ACCESS_KEY }}"),
        ("1-Key", "x", "${{ _1_KEY }}"),
        ("!!", "x", "${{ TOKEN }}"),
    ],
)
def test_the_suggestion_keeps_the_scheme_and_names_a_variable(name: str, value: str, suggestion: str) -> None:
    assert suggested_reference(name, value) == suggestion


@given(st.text(), st.text())
def test_any_name_and_value_get_an_answer_and_a_usable_suggestion(name: str, value: str) -> None:
    literal_secret(name, value)
    assert literal_secret("Authorization", suggested_reference(name, value)) is None


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("Bearer $TOKEN", "TOKEN"),
        ("Bearer ${TOKEN}", "TOKEN"),
        ("${TOKEN:-hunter2}", "TOKEN"),
        ("$(TOKEN)", "TOKEN"),
        ("token %TOKEN%", "TOKEN"),
        ("Token token={{ TOKEN }}", "TOKEN"),
        ("{TOKEN}", "TOKEN"),
        ("process.env.TOKEN", "TOKEN"),
        ("os.environ['TOKEN']", "TOKEN"),
        ("$(pass show api)", None),
        ("<your token>", None),
        ("Bearer YOUR_API_KEY", None),
        ("your-token-here", None),
        ("changeme", None),
        ("xxxxxxxx", None),
    ],
)
def test_a_credential_in_another_tools_form_is_meant_as_a_reference(value: str, name: str | None) -> None:
    found = find_foreign(value, placeholders=True)
    assert found is not None
    assert found.name == name
    assert is_meant_as_reference(value)
    assert "hunter2" not in message(value, found)


@pytest.mark.parametrize(
    "value",
    ["hunter2", "my-secret-password", "mytoken", "pa$$word", "a%20b%20c", "$5 a month", "x-y-z", "abc$def", "a<b>c"],
)
def test_a_credential_that_only_looks_odd_is_one(value: str) -> None:
    assert not is_meant_as_reference(value)


@pytest.mark.parametrize("value", ["costs $5", "100% pure%", "text/plain; q=0.9, <https://a.example>", "{a}", "a & b"])
def test_other_values_with_such_signs_are_text(value: str) -> None:
    found = find_foreign(value, placeholders=False)
    assert found is None or found.name is None
