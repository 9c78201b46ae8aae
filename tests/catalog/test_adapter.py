"""From an entry and what a user says of it to an adapter, and what is refused so that no credential goes elsewhere."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mom.catalog import loader
from mom.catalog.adapter import Choice, choose, read_values, usual_host
from mom.catalog.integration import Form, Integration, Placeholder
from mom.errors import UsageError
from tests.searches import examples


def test_an_entry_without_placeholders_needs_nothing() -> None:
    assert choose(loader.get("openai"), values={}) == Choice(
        "openai", "https://api.openai.com", (("Authorization", "Bearer ${{ OPENAI_API_TOKEN }}"),)
    )


def test_every_part_can_be_replaced() -> None:
    choice = choose(
        loader.get("openai"),
        values={},
        optional=["organization"],
        adapter_name="ai",
        base_url="https://eu.api.openai.com",
        headers=[("authorization", "Bearer ${{ MINE }}"), ("X-Team", "a")],
    )

    assert choice.adapter_name == "ai"
    assert choice.base_url == "https://eu.api.openai.com"
    assert choice.headers == (
        ("authorization", "Bearer ${{ MINE }}"),
        ("OpenAI-Organization", "${{ OPENAI_ORG_ID }}"),
        ("X-Team", "a"),
    )


def test_a_placeholder_is_the_default_or_what_is_set() -> None:
    gitlab, mailchimp = loader.get("gitlab"), loader.get("mailchimp")

    assert choose(gitlab, values={}).base_url == "https://gitlab.com"
    assert choose(gitlab, values={"host": "git.example.com:8443"}).base_url == "https://git.example.com:8443"
    assert choose(mailchimp, values={"datacenter": "us19"}).base_url == "https://us19.api.mailchimp.com"
    assert choose(loader.get("vault"), values={"origin": "http://127.0.0.1:8200/"}).base_url == "http://127.0.0.1:8200"


def test_a_placeholder_is_not_needed_where_its_text_is_replaced() -> None:
    assert choose(loader.get("weaviate"), values={}, base_url="https://w.example").base_url == "https://w.example"
    with pytest.raises(UsageError, match="has no effect beside --base-url"):
        choose(loader.get("weaviate"), values={"host": "a.b"}, base_url="https://w.example")


def test_a_missing_placeholder_is_one_error_with_its_meaning_and_an_example() -> None:
    with pytest.raises(UsageError) as caught:
        choose(loader.get("weaviate"), values={})

    assert caught.value.message == "weaviate needs --set host=…, REST endpoint of the cluster"
    assert "mom atlas config add weaviate --set host=" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("host", "is not NAME=VALUE"),
        ("=x", "is not NAME=VALUE"),
        ("", "is not NAME=VALUE"),
        ("region=eu", "gitlab has no placeholder `region`"),
        ("host=", "is not a host name"),
        ("HOST=git.example.com/", "is not a host name"),
        ("host=https://git.example.com", "is not a host name"),
        ("host=git.example.com:99999", "is not a host name"),
        ("host=a@evil.example", "is not a host name"),
        ("host=a b", "is not a host name"),
        ("host=a\nb", "is not a host name"),
        ("host=a\n", "is not a host name"),
        ("host=a.example\0", "is not a host name"),
        ("host=${{ X }}", "is not a host name"),
        ("host={host}", "is not a host name"),
        ("host=a#b", "is not a host name"),
        ("host=a\\b", "is not a host name"),
        ("host='a'", "is not a host name"),
        ("host=sk-abcdefghijklmnop.example/", r"`\*+\.example/`"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        choose(loader.get("gitlab"), values=read_values([text]))


def test_a_documented_region_is_accepted_and_any_other_host_is_not() -> None:
    pagerduty = loader.get("pagerduty")

    assert choose(pagerduty, values={"host": "API.EU.pagerduty.com"}).base_url == "https://api.eu.pagerduty.com"
    for host in ("api.eu.pagerdty.com", "evil.example", "api.pagerduty.com:444", "api.pagerduty.com.evil.example"):
        with pytest.raises(UsageError, match="is not one of those that the vendor documents"):
            choose(pagerduty, values={"host": host})


@pytest.mark.parametrize(
    ("name", "url", "usual"),
    [
        ("openai", "https://api.openai.com", None),
        ("openai", "https://eu.api.openai.com/v1", None),
        ("openai", "https://API.OPENAI.COM:443", None),
        ("openai", "http://127.0.0.1:8000", None),
        ("openai", "http://[::1]:8000", None),
        ("openai", "https://openai.example.com", "api.openai.com"),
        ("openai", "https://api.openai.com.evil.example", "api.openai.com"),
        ("openai", "https://evilopenai.com", "api.openai.com"),
        ("openai", "https://evil.example/api.openai.com", "api.openai.com"),
        ("openai", "https://[2001:db8::1]", "api.openai.com"),
        ("pagerduty", "https://api.au.pagerduty.com", None),
        ("pagerduty", "https://pagerduty.example", "api.pagerduty.com"),
        ("snyk", "https://api.snykgov.io", None),
        ("datadog", "https://api.datadoghq.eu", None),
        ("mailchimp", "https://us19.api.mailchimp.com", None),
        ("mailchimp", "https://us19.api.mailchimp.example", "us19.api.mailchimp.com"),
        ("gitlab", "https://git.example.com", None),
        ("vault", "https://vault.example.com:8200", None),
        ("huggingface", "https://router.huggingface.co", None),
    ],
)
def test_another_domain_than_the_vendors_is_recognized(name: str, url: str, usual: str | None) -> None:
    assert usual_host(loader.get(name), url) == usual


def test_no_entry_takes_its_own_host_for_another() -> None:
    for entry in loader.all_integrations():
        values = {each.name: each.example for each in entry.placeholders}
        assert usual_host(entry, choose(entry, values=values).base_url) is None, entry.name


def test_a_name_is_set_once_in_any_spelling() -> None:
    assert read_values(["APP_ID=x"]) == {"app-id": "x"}
    with pytest.raises(UsageError, match="is given twice"):
        read_values(["app-id=x", "APP_ID=y"])


def test_an_unknown_optional_header_names_those_that_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        choose(loader.get("openai"), values={}, optional=["organisation"])
    assert caught.value.hint == "it has: organization, project"
    with pytest.raises(UsageError) as caught:
        choose(loader.get("mistral"), values={}, optional=["x"])
    assert "-H" in (caught.value.hint or "")


NOT_LABELS = ["evil.example/x", "evil.example#x", "evil.example?x", "a@evil.example", "evil.example:1", "a.b", "a\\b"]
NOT_LABELS += ["", " ", "-a", "a-", "a" * 64, "{datacenter}", "%2e", "a\n", "\u0430", "xn--", "a_b", "${{ X }}"]


@pytest.mark.parametrize("value", NOT_LABELS)
def test_a_label_is_one_label(value: str) -> None:
    with pytest.raises(UsageError, match="one part of a host name"):
        choose(loader.get("mailchimp"), values={"datacenter": value})


# An account's part of a host name, such as {datacenter} of Mailchimp.
LABELS = [
    (entry, each)
    for entry in loader.all_integrations()
    for each in entry.placeholders
    if each.form is Form.LABEL and not each.choices and f"{{{each.name}}}" in entry.base_url
]


@settings(max_examples=examples(50))
@given(st.sampled_from(LABELS), st.text(max_size=80) | st.text("aZ09-./@:?#\\%_", max_size=12))
def test_no_value_of_a_label_leads_to_another_domain(case: tuple[Integration, Placeholder], value: str) -> None:
    entry, placeholder = case
    name = placeholder.name
    domain = entry.base_url.partition("://")[2].replace(f"{{{name}}}", "")
    try:
        choice = choose(entry, values={name: value})
    except UsageError:
        return
    host = urlsplit(choice.base_url).hostname or ""
    assert host.endswith(domain)
    assert host == value.lower() + domain
    assert urlsplit(choice.base_url).path == ""
