"""The loader: by name, by base URL, by what a user types; and how little it reads for that."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from mom.catalog import loader
from mom.catalog.integration import filled
from mom.errors import UsageError


@pytest.fixture
def nothing_read_yet() -> None:
    for cached in (loader._entry, loader._known, loader.heads, loader.names, loader._text, loader._index):
        cached.cache_clear()


@pytest.mark.usefixtures("nothing_read_yet")
def test_one_entry_is_read_without_the_others() -> None:
    with patch.object(loader, "_text", wraps=loader._text) as text:
        entry = loader.get("github")

    assert entry.base_url == "https://api.github.com"
    assert [call.args for call in text.call_args_list] == [("github",)]


@pytest.mark.usefixtures("nothing_read_yet")
def test_an_entry_is_found_by_its_base_url_and_only_that_one_is_parsed() -> None:
    with patch.object(loader, "_parsed", wraps=loader._parsed) as parsed:
        match = loader.match("https://api.openai.com")

    assert match is not None
    assert (match.integration.name, match.beyond, match.smoke_path) == ("openai", "", "/v1/models")
    assert parsed.call_count == 1


@pytest.mark.parametrize(
    ("url", "name", "entry", "path"),
    [
        ("https://API.openai.com:443/", "x", "openai", "/v1/models"),
        ("https://api.openai.com/v1", "x", "openai", "/models"),
        ("https://api.openai.com/v1/", "x", "openai", "/models"),
        ("https://api.openai.com/v2", "x", "openai", None),
        ("https://api.openai.com/v", "x", "openai", None),
        ("https://api.datadoghq.com/api", "dd", "datadog", "/v2/validate_keys"),
        ("https://api.datadoghq.eu", "dd", "datadog", "/api/v2/validate_keys"),
        ("https://us19.api.mailchimp.com", "x", "mailchimp", "/3.0/ping"),
        ("https://api.eu.pagerduty.com", "x", "pagerduty", "/abilities"),
        ("https://gitlab.com", "x", "gitlab", "/api/v4/user"),
        ("https://git.example.com", "gitlab", "gitlab", "/api/v4/user"),
        ("https://argo.example.com:8443/", "argocd", "argocd", "/api/v1/session/userinfo"),
        ("https://vault.example.com:8200", "vault", "vault", "/v1/auth/token/lookup-self"),
        ("https://api.cloudflare.com/client/v4", "x", "cloudflare", "/user/tokens/verify"),
    ],
)
def test_the_base_url_of_an_adapter_names_the_entry(url: str, name: str, entry: str, path: str | None) -> None:
    match = loader.match(url, name)

    assert match is not None
    assert (match.integration.name, match.smoke_path) == (entry, path)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://api.openai.com.evil.example", "openai"),
        ("https://api.openai.com@evil.example", "openai"),
        ("https://api.openai.comx", "openai"),
        ("https://xapi.openai.com", "openai"),
        ("http://api.openai.com", "openai"),
        ("https://api.openai.com:8443", "openai"),
        ("https://git.example.com", "mine"),
        ("https://argo.example.com", "openai"),
        ("https://evil.example/x.api.mailchimp.com", "mailchimp"),
        ("https://api.datadoghq.example", "x"),
        ("https://api.cloudflare.com/client/v40", "x"),
        ("https://api.cloudflare.com", "cloudflare"),
        ("", ""),
        ("${{ X }}", "openai"),
    ],
)
def test_another_host_is_not_taken_for_an_entry(url: str, name: str) -> None:
    assert loader.match(url, name) is None


def test_every_entry_is_found_by_its_own_base_url() -> None:
    for entry in loader.all_integrations():
        url = filled(entry.base_url, {each.name: each.example for each in entry.placeholders})
        match = loader.match(url, entry.name)
        assert match is not None, url
        assert (match.integration.name, match.smoke_path) == (entry.name, entry.smoke.path)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("opnai", "openai"),
        ("OpenAI", "openai"),
        ("claude", "anthropic"),
        ("argo-cd", "argocd"),
        ("google", "gemini"),
        ("githb", "github"),
        ("hashicorp", "vault"),
        ("new relic", "new-relic"),
        ("huggingface-hub", "huggingface"),
        ("terraform", "hcp-terraform"),
    ],
)
def test_an_unknown_name_names_what_was_probably_meant(typed: str, meant: str) -> None:
    assert meant in loader.nearest(typed)
    with pytest.raises(UsageError, match="the catalog has no API") as caught:
        loader.get(typed)
    assert f"{meant}" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "typed", ["", "..", "../openai", "openai.yml", "/etc/passwd", "a\nb", "\0", "x" * 9999, "[a-z"]
)
def test_a_name_that_is_none_reads_no_file(typed: str) -> None:
    with patch.object(loader, "_parsed") as parsed, pytest.raises(UsageError) as caught:
        loader.get(typed)

    assert parsed.call_count == 0
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 200


def test_the_catalog_imports_nothing_of_atlas() -> None:
    """What an adapter is can then use the catalog, and a client could."""
    imported = {
        module
        for path in Path(loader.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for module in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
        if module.startswith("mom.")
    }

    outside = {module.split(".")[1] for module in imported if not module.startswith("mom.catalog")}
    assert outside == {"errors", "gateway", "masking", "yamledit"}


def test_the_catalog_is_no_burden_to_a_command_that_does_not_use_it() -> None:
    program = "import sys; import mom.catalog.loader; print([m for m in sys.modules if 'yaml' in m or 'rich' in m])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
