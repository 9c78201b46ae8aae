"""The entries of the catalog: each fits its schema and says nothing that contradicts itself or mom's own rules."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from mom.atlas.references import names
from mom.atlas.schema_files import folder
from mom.atlas.values.headers import check_header_name, check_header_value, refused_header
from mom.atlas.values.names import check_adapter_name
from mom.atlas.values.secrets import literal_credential, literal_secret, plain_parameter
from mom.atlas.values.urls import check_base_url
from mom.catalog import loader
from mom.catalog.integration import Integration, filled, placeholders_in

APIS = Path(loader.__file__).parent / "apis"
ENTRIES = loader.all_integrations()
# The APIs that the original mom had guides for, with the names of their variables. Greenhouse retired its keys, and
# wants client credentials in a header of the token request, where Envoy does not send them.
GUIDES = {
    "argocd": ["ARGOCD_TOKEN"],
    "brex": ["BREX_API_TOKEN"],
    "datadog": ["DDOG_API_KEY", "DDOG_APPLICATION_KEY"],
    "github": ["GITHUB_TOKEN"],
    "gitlab": ["GITLAB_TOKEN"],
    "heroku": ["HEROKU_API_KEY"],
    "infracost": ["INFRACOST_API_KEY"],
    "linear": ["LINEAR_API_KEY"],
    "mailchimp": ["MAILCHIMP_API_KEY"],
    "openai": ["OPENAI_API_TOKEN"],
    "pagerduty": ["PAGERDUTY_ACCOUNT_TOKEN"],
    "stripe": ["STRIPE_API_KEY"],
    "vercel": ["VERCEL_ACCESS_TOKEN"],
}


def _validator() -> Any:
    schema = json.loads((folder() / "integration.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


VALIDATOR = _validator()


def example(entry: Integration) -> dict[str, str]:
    """Return a value for each placeholder of an entry."""
    return {each.name: each.example for each in entry.placeholders}


def header_values(entry: Integration) -> list[tuple[str, str]]:
    """Return every header of an entry that Atlas may set."""
    optional = [(each.name, each.value) for each in entry.optional_headers]
    return [*((each.name, each.value) for each in entry.headers), *optional]


def all_texts(entry: Integration) -> list[str]:
    """Return every text of an entry that may refer to variables."""
    return [*entry.required_texts, *(each.value for each in entry.optional_headers)]


def test_there_are_at_least_a_hundred_entries_and_those_of_the_original() -> None:
    assert len(ENTRIES) >= 100
    for name, variables in GUIDES.items():
        entry = loader.get(name)
        assert [used for _, value in header_values(entry) for used in names(value)][: len(variables)] == variables


def test_every_entry_fits_the_schema_and_is_read_as_any_parser_reads_it() -> None:
    heads = {head.name: head for head in loader.heads()}
    for path in sorted(APIS.iterdir()):
        text = path.read_text(encoding="utf-8")
        data = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        assert [error.message for error in VALIDATOR.iter_errors(data)] == [], path.name
        assert path.suffix == ".yml"
        assert data["name"] == path.stem
        head = heads[path.stem]
        assert (head.title, head.base_url) == (data["title"], data["baseUrl"])
        assert loader._parsed(text) == data
        assert len(text.encode()) < 8_000


def test_no_entry_contradicts_itself() -> None:
    for entry in ENTRIES:
        _check_consistency(entry)


def _check_consistency(entry: Integration) -> None:
    headers = header_values(entry)
    used = list(dict.fromkeys(name for text in all_texts(entry) for name in names(text)))
    assert sorted(used) == sorted(variable.name for variable in entry.variables)
    assert len({name.lower() for name, _ in headers}) == len(headers)
    assert entry.basic_auth is None or "authorization" not in {name.lower() for name, _ in headers}
    assert len({header.key for header in entry.optional_headers}) == len(entry.optional_headers)
    placeholders = {each.name for each in entry.placeholders}
    texts = [entry.base_url, entry.smoke.path, *all_texts(entry)]
    assert {name for text in texts for name in placeholders_in(text)} == placeholders
    for placeholder in entry.placeholders:
        assert not placeholder.choices or placeholder.example in placeholder.choices
        assert not placeholder.choices or placeholder.default in placeholder.choices
    for variable in entry.variables:
        if variable.pattern:
            assert re.compile(variable.pattern).groups == 0
            assert not re.fullmatch(variable.pattern, "wrong")
            assert not re.fullmatch(variable.pattern, "")
    if entry.smoke.body is not None:
        assert entry.smoke.method == "POST"
        json.loads(entry.smoke.body)


def test_what_an_entry_writes_is_what_mom_accepts() -> None:
    for entry in ENTRIES:
        assert check_adapter_name(entry.name) is None
        assert check_base_url(filled(entry.base_url, example(entry))) is None
        for name, value in header_values(entry):
            text = filled(value, example(entry))
            assert (check_header_name(name), refused_header(name), check_header_value(text)) == (None, None, None)
            assert literal_secret(name, text) is None, (entry.name, name)
        for each in entry.query:
            assert plain_parameter(each.name, each.value) is None, (entry.name, each.name)
        if basic := entry.basic_auth:
            assert not basic.password or literal_credential("password", basic.password) is None, entry.name
            assert ":" not in basic.username


def test_no_entry_needs_a_path_or_a_query_in_its_place() -> None:
    assert [entry.name for entry in ENTRIES if entry.smoke.path.endswith("#") or "//" in entry.smoke.path] == []
    assert [entry.name for entry in ENTRIES if "${{" in entry.base_url or "${{" in entry.smoke.path] == []


def test_a_status_that_proves_nothing_has_a_proof_in_the_body() -> None:
    """GraphQL APIs and Slack answer 200 to a wrong credential too."""
    proved = {entry.name for entry in ENTRIES if entry.smoke.proof}

    assert {"slack", "linear", "monday", "new-relic", "infracost", "argocd"} <= proved
    assert {entry.name for entry in ENTRIES if "graphql" in entry.smoke.path} <= proved


def test_an_entry_that_is_wrong_is_found_wrong() -> None:
    good = yaml.safe_load((APIS / "openai.yml").read_text(encoding="utf-8"))
    assert VALIDATOR.is_valid(good)
    assert VALIDATOR.is_valid({**good, "basicAuth": {"username": "a"}, "query": [{"name": "key", "value": "a"}]})
    for key in ("name", "title", "baseUrl", "headers", "variables", "smoke", "docs", "sources"):
        assert not VALIDATOR.is_valid({word: value for word, value in good.items() if word != key}), key
    changes: list[dict[str, Any]] = [
        {"name": "Open AI"},
        {"baseUrl": "http://api.openai.com"},
        {"baseUrl": "https://api.openai.com/"},
        {"headers": []},
        {"basicAuth": {"password": "a"}},
        {"query": []},
        {"docs": "the manual"},
        {"smoke": {"method": "DELETE", "path": "/", "status": 200}},
        {"smoke": {"method": "GET", "path": "v1", "status": 200}},
        {"variables": [{"name": "A", "what": "a", "obtain": "https://a.example", "pattern": "a"}]},
        {"sdks": [{"language": "python", "package": "openai", "suffix": ""}]},
        {"unknown": 1},
    ]
    for change in changes:
        assert not VALIDATOR.is_valid({**good, **change}), change
