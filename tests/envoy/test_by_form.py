"""What Envoy gets for adapters of one form is what it gets for each of them by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mom.atlas.forms import _STAND_INS, FormedAdapter, Forms
from mom.atlas.jwks import judge
from mom.atlas.load import load_with_warnings
from mom.atlas.model import Adapter, Configuration
from mom.atlas.policy import AllowList, Claim, Entry
from mom.atlas.rules.variable_rules import uses
from mom.envoy.bootstrap import discovery, dumps, static
from mom.envoy.by_form import Memory, Texts, distinct
from mom.envoy.options import CredentialState, Listen, Options, PemFile
from mom.envoy.origins import split
from mom.envoy.proxies import Proxy
from mom.envoy.translate import problems, resources, upstreams
from mom.run.notes import notes
from mom.run.plan import Plan
from mom.run.plan_changes import changes
from mom.yamledit.source import Source
from tests.atlas import form_files
from tests.atlas.form_files import HEADERS, VERSION, atlas
from tests.atlas.test_forms import understood
from tests.envoy.tokens import es256, jwks
from tests.searches import examples

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


GIVEN: dict[str, Any] = {
    "listen": Listen("127.0.0.1", 8082),
    "ca_file": "ca.pem",
    "jwks": {"keys.json": json.dumps(jwks(es256()))},
}


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
    formed = [each for each in configuration.adapters if isinstance(each, FormedAdapter) and each.known is not None]
    # All but the first of each form.
    assert len(formed) >= 4 * (len(FORMS) - 1)
    options = changed(Options(**GIVEN, tree_above=tree_above))
    plain = without_forms(configuration)
    assert plain == configuration
    assert not any(getattr(each, "known", None) for each in plain.adapters)
    assert problems(plain, options) == []
    compared(configuration, options, plain)


def test_keys_are_judged_as_often_for_one_adapter_as_for_many(monkeypatch: pytest.MonkeyPatch) -> None:
    configuration = without_forms(load_with_warnings(Source("atlas.yml", text()), Forms())[0])
    numbers = []
    for adapters in (configuration.adapters[:1], configuration.adapters):
        counting = Mock(wraps=judge)
        monkeypatch.setattr("mom.envoy.jwt.judge", counting)
        resources(configuration._replace(adapters=adapters), Options(**GIVEN, tree_above=0), directory="/x")
        numbers.append(counting.call_count)
    assert numbers[0] == numbers[1] > 0


def of_three(form: str, changed: Mapping[str, Sequence[str]]) -> Configuration:
    """Return a configuration with three adapters of a form, the last two of which are known by it."""
    documents = []
    for number in range(3):
        document = form.replace("NAME", f"name-{number}").replace("HOST", f"h{number}.example.com")
        for word, values in changed.items():
            document = document.replace(word, values[number])
        documents.append(document)
    names = [f"name-{number}" for number in range(3)]
    listed = atlas(names).replace("https://a.example/jwks.json", "keys.json")
    return load_with_warnings(Source("atlas.yml", "---\n".join([listed, *documents])), Forms())[0]


def test_a_secret_that_an_adapter_has_twice_is_carried_once() -> None:
    pair = "  query:\n  - name: a\n    value: x${{ FIRST }}\n  - name: b\n    value: ${{ SECOND }}\n"
    configuration = of_three(f"{START}\n{pair}", {"FIRST": ["A_B", "C_D", "E_F"], "SECOND": ["A_B", "D_E", "E_F"]})
    secrets = frozenset({"C_D", "D_E", "E_F"})
    compared(configuration, Options(**GIVEN, tree_above=0, secrets=secrets, secret_folder="/run"))


def test_a_text_that_says_what_stands_for_a_value() -> None:
    configuration = of_three(PLAIN, {"VARIABLE": ["A_B", "C_D", "E_F"]})
    claims = (Claim("group", ("group",), (_STAND_INS[0].format(0),)),)
    allow = AllowList("spec.allow", (Entry((), (), claims, configuration.place),), configuration.place)
    compared(configuration._replace(allow=allow), Options(**GIVEN, tree_above=0))


def test_a_header_that_is_too_long_with_some_variables() -> None:
    long = PLAIN.replace("Bearer ", f"Bearer {'%' * 8_160}")
    configuration = of_three(long, {"VARIABLE": ["A_B", "C_D", f"E_{'F' * 60}"]})
    found = problems(configuration, Options(**GIVEN))
    assert [problem.rule for problem in found] == ["header-value"]
    assert found == problems(without_forms(configuration), Options(**GIVEN))


def test_http2_through_a_proxy_is_reported_for_each_adapter() -> None:
    form = START.replace("https://HOST", "http://127.0.0.1:80\n  http2: prior-knowledge\n  proxy: http://127.0.0.1:1\n")
    configuration = of_three(form, {})
    proxies = {(split("http://127.0.0.1:80")[0], "http://127.0.0.1:1"): Proxy("http://127.0.0.1:1", "127.0.0.1", 1)}
    found = problems(configuration, Options(**GIVEN, proxies=proxies))
    assert [problem.rule for problem in found] == ["proxy"] * 3


def test_plain_http_is_noted_of_each_adapter() -> None:
    configuration = of_three(START.replace("https://HOST", "http://localhost:1\n"), {})
    (note,) = notes(Plan(configuration, Options(**GIVEN), {}, ()), {}, verbose=True)
    assert note.startswith("name-0, name-1, name-2: plain http APIs get HTTP/1.1")


@settings(max_examples=examples(10), deadline=None)
@given(st.integers(0, 2**40))
def test_files_of_a_few_forms_are_what_they_are_document_by_document(seed: int) -> None:
    random, forms = Random(seed), Forms()
    wild = random.choice((0, 0, 0.03, 0.1, 0.3))
    different = [form_files.form(random) for _ in range(random.choice((1, 1, 2, 3)))]

    def document(number: int) -> str:
        return form_files.filled(random.choice(different), random, number, wild=wild)

    documents = [document(number) for number in range(random.randint(3, 10))]
    before: list[Plan] = []
    memory, options = Memory(), None
    for step in range(3):
        if step:
            at = random.randrange(len(documents))
            documents[at : at + random.randrange(2)] = [document(random.choice((at, 20)))] * random.randrange(3)
            random.shuffle(documents) if random.random() < 0.2 else None
        source = Source("atlas.yml", form_files.file(documents, random))
        problems_by_form, by_form, _ = understood(source, forms)
        problems_by_itself, by_itself, _ = understood(source, None)
        assert problems_by_form == problems_by_itself
        assert by_form == by_itself
        if by_form is None or by_itself is None:
            continue
        assert list(uses(by_form.adapters)) == list(uses(by_itself.adapters))
        if options is None or random.random() < 0.3:
            options = given_options(by_itself, random)
        compared(by_form, options, by_itself, memory)
        plans = [Plan(each, options, {}, ()) for each in (by_form, by_itself)]
        assert list(notes(plans[0], {})) == list(notes(plans[1], {}))
        if before:
            assert changes(before[0], replace(plans[0], options=before[0].options)) == changes(
                before[1], replace(plans[1], options=before[1].options)
            )
        before = plans


def given_options(configuration: Configuration, random: Random) -> Options:
    """Return options of a run: some secrets from files, some proxies, and what else changes an adapter's resources."""
    variables = sorted({use.name for use in uses(configuration.adapters)})
    options = Options(
        **GIVEN,
        tree_above=random.choice((0, 0, 3, 10)),
        pem_files={name: PemFile(name, "CERTIFICATE") for name in ("ca.pem",)},
        secrets=frozenset(random.sample(variables, random.randint(0, len(variables)))),
        secret_folder="/run/secrets",
        access_log=random.choice((None, "-")),
        key_slots=random.random() < 0.8,
        stand_in=random.choice((None, None, None, 8_000)),
        credential_states={("HTTP", "name-1"): CredentialState("stale", "2026-01-01T00:00:00Z")},
    )
    keys = sorted({(upstream.origin, upstream.proxy) for upstream in upstreams(configuration, options)})
    some = random.sample(keys, random.randint(0, len(keys))) if random.random() < 0.2 else []
    return replace(options, proxies={key: Proxy("http://proxy.test:1", "127.0.0.1", 3128) for key in some})


def compared(
    configuration: Configuration,
    options: Options,
    plain: Configuration | None = None,
    memory: Memory | None = None,
) -> None:
    """Compare what Envoy gets for adapters with forms with what it gets for the same adapters without.

    memory: of what other configurations with other options were translated with.
    """
    plain = without_forms(configuration) if plain is None else plain
    assert upstreams(configuration, options) == upstreams(plain, options)
    wrong = problems(plain, options)
    assert problems(configuration, options) == wrong
    if wrong:
        return
    watched = resources(configuration, options, directory="/run/atlas", memory=memory)
    other = resources(plain, options, directory="/run/atlas")
    assert discovery(watched) == discovery(other)
    assert watched.clusters == other.clusters
    one, two = (dumps(static(resources(each, options), options)) for each in (configuration, plain))
    assert one == two


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
