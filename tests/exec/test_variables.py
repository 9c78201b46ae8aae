"""Which variables a program gets: by the adapter's name in the catalog, else by its base URL."""

from __future__ import annotations

import pytest

from mom.auth.base_url import parse_base_url
from mom.catalog import loader
from mom.errors import MomError
from mom.exec.variables import Served, variables

GATEWAY = parse_base_url("https://atlas.test/prefix")
BASE = "https://atlas.test/prefix/v1/apis/http"


def of(*adapters: Served, **environ: str) -> dict[str, str]:
    """Return the variables but those of git."""
    found = variables(adapters, GATEWAY, "TOKEN", environ)
    return {name: value for name, value in found.items() if not name.startswith("GIT_")}


def http(name: str, base_url: str | None = None) -> Served:
    return Served(name, f"/v1/apis/http/{name}/", base_url)


def test_an_adapter_of_the_catalog_by_its_name_and_by_its_base_url() -> None:
    common = {"MOM_BASE_URL": "https://atlas.test/prefix", "MOM_TOKEN": "TOKEN"}
    for adapter in (http("openai"), http("openai", "http://127.0.0.1:1"), http("openai", "https://api.openai.com")):
        assert of(adapter) == {
            **common,
            "ATLAS_OPENAI_URL": f"{BASE}/openai",
            "OPENAI_BASE_URL": f"{BASE}/openai/v1",
            "OPENAI_API_KEY": "TOKEN",
        }
    assert of(http("models", "https://api.openai.com"))["OPENAI_BASE_URL"] == f"{BASE}/models/v1"
    # What the adapter's base URL has already, the SDK does not add again.
    assert of(http("models", "https://api.openai.com/v1"))["OPENAI_BASE_URL"] == f"{BASE}/models"
    assert of(http("openai", "https://api.openai.com/v1/"))["OPENAI_BASE_URL"] == f"{BASE}/openai"
    assert of(http("openai", "https://api.openai.com/v10"))["OPENAI_BASE_URL"] == f"{BASE}/openai/v1"
    assert of(http("my-own.api", "https://api.test")) == {**common, "ATLAS_MY_OWN_API_URL": f"{BASE}/my-own.api"}
    assert of(Served("aws", "/v1/apis/aws/")) == {
        **common,
        "ATLAS_AWS_URL": "https://atlas.test/prefix/v1/apis/aws",
        "AWS_ACCESS_KEY_ID": "atlas",
        "AWS_SECRET_ACCESS_KEY": "atlas",
        "AWS_SESSION_TOKEN": "TOKEN",
    }


def test_a_key_is_never_set_without_the_base_url_of_the_same_sdk() -> None:
    """The SDK would send the token to the API itself."""
    for entry in loader.all_integrations():
        found = of(http(entry.name, entry.base_url))
        for sdk in entry.sdks:
            if sdk.key_variable and found.get(sdk.key_variable) == "TOKEN":
                urls = [each.base_url_variable for each in entry.sdks if each.key_variable == sdk.key_variable]
                assert any(url and found[url].startswith(BASE) for url in urls), entry.name


def test_two_adapters_that_need_one_variable_are_refused_and_of_one_value_not() -> None:
    with pytest.raises(MomError, match="first and second both set OPENAI_BASE_URL"):
        of(http("first", "https://api.openai.com"), http("second", "https://api.openai.com"))
    assert len(of(http("openai"), http("anthropic"))) == 8


def test_git_sends_the_token_below_the_adapter_alone_and_keeps_its_other_settings() -> None:
    before = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "user.name", "GIT_CONFIG_VALUE_0": "x"}
    found = variables([http("github")], GATEWAY, "TOKEN", before)
    assert {name: value for name, value in found.items() if name.startswith("GIT_")} == {
        "GIT_CONFIG_COUNT": "3",
        "GIT_CONFIG_KEY_1": f"http.{BASE}/github/.extraHeader",
        "GIT_CONFIG_VALUE_1": "Atlas-Accesstoken: TOKEN",
        "GIT_CONFIG_KEY_2": f"http.{BASE}/github/.followRedirects",
        "GIT_CONFIG_VALUE_2": "false",
    }
