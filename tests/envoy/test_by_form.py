"""What Envoy gets for adapters of one form is what it gets for each of them by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from mom.atlas.forms import FormedAdapter, Forms
from mom.atlas.load import load_with_warnings
from mom.atlas.model import Adapter, Configuration
from mom.envoy.bootstrap import discovery
from mom.envoy.by_form import Texts, distinct
from mom.envoy.options import CredentialState, Listen, Options
from mom.envoy.origins import split
from mom.envoy.proxies import Proxy
from mom.envoy.translate import problems, resources, upstreams
from mom.yamledit.source import Source
from tests.atlas.test_forms import HEADERS, VERSION, atlas
from tests.envoy.tokens import es256, jwks

START = f"{VERSION}metadata:\n  name: NAME\nspec:\n  baseUrl: https://HOST"
PLAIN = f"{START}\n{HEADERS}"
OAUTH2 = "tokenUrl: https://login.example.com/token\n    clientId: ${{ VARIABLE }}"
FORMS = [
    f"{START}\n",
    PLAIN,
    PLAIN.replace("HOST", "HOST/v1/api.x"),
    PLAIN.replace("Bearer ${{ VARIABLE }}", "${{ VARIABLE }}").replace("Authorization", "Cookie"),
    PLAIN.replace("Bearer ${{", "50% %REQ(x)% ${{ OTHER_ONE }}:${{"),
    f"{PLAIN}  - name: X-Key\n    value: ${{{{ VARIABLE }}}}\n  timeout: 30s\n  retries: 2\n",
    f"{PLAIN}  allow:\n  - methods: [GET]\n    paths: [/x/*/y, /z/**]\n    claims:\n      groups: platform\n",
    f"{PLAIN}  limits: {{requestsPerMinute: 5, per: adapter}}\n  proxy: none\n",
    f"{START}\n  query:\n  - name: key\n    value: ${{{{ VARIABLE }}}}\n  smoke: {{path: /x}}\n",
    f"{START}\n  basicAuth:\n    username: user\n    password: ${{{{ VARIABLE }}}}\n",
    f"{START}\n  oauth2:\n    {OAUTH2}\n    clientSecret: ${{{{ VARIABLE }}}}\n",
]
OPTIONS: list[Callable[[Options], Options]] = [
    lambda options: options,
    lambda options: replace(options, key_slots=False, hosts=("127.0.0.1:8082",), access_log="-", timeout=5.0),
    lambda options: replace(
        options,
        secrets=frozenset({"MY_TOKEN_3", "MY_TOKEN_7", "MY_TOKEN_12"}),
        secret_folder="/run/secrets",
        credential_states={("HTTP", "adapter-number-4"): CredentialState("stale", "2026-01-01T00:00:00Z")},
    ),
    lambda options: replace(options, stand_in=8_000),
    lambda options: replace(
        options, proxies={(split("https://h5.example.com")[0], ""): Proxy("http://proxy.test:3128", "127.0.0.1", 3128)}
    ),
]


def text() -> str:
    """Return a configuration with five adapters of each form."""
    names = [f"adapter-number-{number}" for number in range(5 * len(FORMS))]
    documents = [
        FORMS[number % len(FORMS)]
        .replace("NAME", name)
        .replace("HOST", f"h{number}.example.com")
        .replace("VARIABLE", f"MY_TOKEN_{number}")
        for number, name in enumerate(names)
    ]
    return "---\n".join([atlas(names).replace("https://a.example/jwks.json", "keys.json"), *documents])


def without_forms(configuration: Configuration) -> Configuration:
    """Return the same with adapters that are of no form."""
    return configuration._replace(
        adapters=tuple(each._replace() if isinstance(each, FormedAdapter) else each for each in configuration.adapters)
    )


@pytest.mark.parametrize("changed", OPTIONS)
@pytest.mark.parametrize("tree_above", [10, 1_000])
def test_resources_of_a_form_are_those_of_each_adapter(tree_above: int, changed: Callable[[Options], Options]) -> None:
    configuration, _ = load_with_warnings(Source("atlas.yml", text()), Forms())
    formed = [each for each in configuration.adapters if isinstance(each, FormedAdapter) and each.form is not None]
    # All but the first of each form.
    assert len(formed) >= 4 * (len(FORMS) - 1)
    keys = {"keys.json": json.dumps(jwks(es256()))}
    options = changed(Options(listen=Listen("127.0.0.1", 8082), ca_file="ca.pem", jwks=keys, tree_above=tree_above))
    plain = without_forms(configuration)
    assert plain == configuration
    assert not any(getattr(each, "form", None) for each in plain.adapters)
    assert problems(configuration, options) == problems(plain, options) == []
    assert upstreams(configuration, options) == upstreams(plain, options)
    for directory in ("/run/atlas", None):
        one, other = (resources(each, options, directory=directory) for each in (configuration, plain))
        if directory is not None:
            assert discovery(one) == discovery(other)
        assert one.clusters == other.clusters


def test_a_text_that_changes_a_value_in_another_way_is_made_for_each_adapter() -> None:
    configuration, _ = load_with_warnings(Source("atlas.yml", text()), Forms())

    def loud(adapter: Adapter, _: Options) -> str:
        return f"{adapter.name.upper()} {adapter.name[::-1]} {adapter.name[4:]}"

    options = Options(listen=Listen("127.0.0.1", 8082), ca_file="ca.pem")
    texts = Texts(loud, options)
    assert [texts.of(each) for each in configuration.adapters] == [
        loud(each, options) for each in configuration.adapters
    ]


def test_one_adapter_of_each_form_stands_for_all_of_it() -> None:
    configuration, _ = load_with_warnings(Source("atlas.yml", text()), Forms())
    options = Options(listen=Listen("127.0.0.1", 8082), ca_file="ca.pem", secrets=frozenset({"MY_TOKEN_12"}))
    # The first ones, which were read by themselves, and one of each form.
    assert len(list(distinct(configuration.adapters))) == 2 * len(FORMS)
    # Of the second form one adapter has a value from a file.
    assert len(list(distinct(configuration.adapters, options))) == 2 * len(FORMS) + 1
