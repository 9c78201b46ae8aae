"""A file read by the forms of its documents is the same file: equal problems, equal adapters, equal places."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mom.atlas.documents import Stream, read
from mom.atlas.folding import FoldedDocument
from mom.atlas.forms import _STAND_INS, _VARIABLE, Forms, KnownDocument
from mom.atlas.load import configuration_of, is_unreadable
from mom.atlas.model import Configuration
from mom.atlas.validate import check, validate
from mom.atlas.values.foreign import PLACEHOLDER_WORDS
from mom.masking import _TOKEN_SHAPES
from mom.problems import Problem
from mom.yamledit.source import Source
from tests.atlas.form_files import PLAIN, VERSION, atlas
from tests.searches import examples

DOCUMENTS = (
    PLAIN,
    PLAIN.replace("  ", "    ").replace("https://HOST", "https://HOST/v1"),
    PLAIN.replace("\n", "\r\n"),
    f"# A comment about NAME\n{PLAIN}  timeout: 30s # VARIABLE\n\n",
    PLAIN.replace("Bearer ${{ VARIABLE }}", "'${{ VARIABLE }}'"),
    PLAIN.replace("Bearer ${{ VARIABLE }}", "literal-${{ VARIABLE }}-${{ VARIABLE }}"),
    PLAIN.replace("Bearer ${{ VARIABLE }}", "Basic ${{ VARIABLE }}:${{ VARIABLE }}"),
    PLAIN.replace("Bearer ${{ VARIABLE }}", "<NAME>"),
    PLAIN.replace("- name: Authorization\n    value", "- value").replace("}}\n", "}}\n    name: NAME\n"),
    PLAIN.replace("https://HOST", "http://HOST"),
    PLAIN.replace("https://HOST", "https://HOST/chat/completions"),
    PLAIN.replace("https://HOST", '"https://HOST"'),
    f"{PLAIN}  - name: X-Name\n    value: NAME\n",
    f"{PLAIN}  - name: NAME\n    value: ${{{{ VARIABLE }}}}\n  - name: name\n    value: x\n",
    f"{PLAIN}  allow:\n  - methods: [GET]\n    claims:\n      name: NAME\n  limits: {{requestsPerMinute: 5}}\n",
    f"{PLAIN}  smoke:\n    path: /NAME\n  tls: {{caFile: NAME.pem}}\n",
    f"{PLAIN}  basicAuth:\n    username: NAME\n",
    f"{PLAIN}  query:\n  - name: key\n    value: ${{{{ VARIABLE }}}}\n",
    f"{PLAIN}  - value: plain\n    name: X-Key # mom: ignore[literal-secret] NAME\n",
    f"{PLAIN}description: |\n  name: NAME\n",
    f"{PLAIN}{PLAIN}",
    (
        f"{VERSION}metadata:\n  name: NAME\nspec:\n  baseUrl: https://HOST\n  oauth2:\n    tokenUrl: https://HOST/token\n"
        "    clientId: NAME\n    clientSecret: ${{ VARIABLE }}\n"
    ),
    f"{VERSION}metadata: {{name: NAME}}\nspec: {{baseUrl: 'https://HOST', proxy: none}}\n",
    f"{VERSION}metadata:\n  name: NAME\n  name: NAME\nspec:\n  baseUrl: https://HOST\n",
    f"{VERSION}metadata:\n  name: NAME\nspec:\n  baseUrl: https://HOST\n  baseUrl: https://HOST\n",
    f"{VERSION}metadata: &m\n  name: NAME\nspec:\n  <<: *m\n  baseUrl: https://HOST\n",
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: NAME\n",
    "apiVersion: moment.dev/adapters/v1alpha1\nkind: Kubernetes\nmetadata:\n  name: NAME\nspec: {}\n",
    f"{VERSION}metadata:\n  name: NAME\nspec: [\n",
)
NAMES = st.sampled_from(
    [
        "adapter-one",
        "adapter-two",
        "adapter-three",
        "a1b-2",
        "x-api-key",
        "null",
        "true",
        "no",
        "a-b",
        "Weird",
        "a--b",
        "sk-abcdefghijklmnop",
        "eyj-abc",
        "one",
        "000-1",
        "1e3-x",
        "mom-stand-in-0000",
    ]
)
HOSTS = st.sampled_from(
    [
        "api.example.com",
        "a.b",
        "api.openai.com",
        "localhost",
        "10.0.0.1",
        "x_y.com",
        "metadata.google.internal",
        "a..b",
        "EXAMPLE.com",
        "xn--a.com",
        "api.example.com.",
        "a.b:8443",
        "mom-stand-in-0001.example",
        f"{'a' * 50}.b",
    ]
)
WORDS = [
    "API",
    "KEY",
    "TOKEN",
    "YOUR",
    "INSERT",
    "ENTER",
    "CHANGE",
    "REPLACE",
    "ME",
    "THIS",
    "TODO",
    "XXXX",
    "HERE",
    "LD",
]
WORDS += [
    "SSL",
    "CERT",
    "FILE",
    "PATH",
    "AKIAIOSFODNN7EXAMPLE",
    "SECRET",
    "ENV",
    "SK",
    "GHP",
    "A1",
    "PRIVATE",
    "MOM",
    "X",
]
VARIABLES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map("_".join) | st.sampled_from(
    ["a_b", "MOM_STAND_IN_0002", "1_A", "A__B", ""]
)


def understood(source: Source, forms: Forms | None) -> tuple[list[Problem], Configuration | None, Stream]:
    """Return the problems of a file, its configuration if it can be read, and how it was read."""
    if forms is not None:
        forms.begin()
    stream = read(source, forms)
    problems, typed = check(stream, forms)
    return problems, None if is_unreadable(problems) else configuration_of(source.name, typed), stream


@st.composite
def documents(draw: st.DrawFn) -> str:
    document = draw(st.sampled_from(DOCUMENTS) | st.just(PLAIN))
    for word, values in (("NAME", NAMES), ("HOST", HOSTS), ("VARIABLE", VARIABLES)):
        while word in document:
            document = document.replace(word, draw(values), 1)
    return document


@settings(max_examples=examples(15, 300), deadline=None)
@given(st.lists(documents(), min_size=1, max_size=12), st.lists(documents(), max_size=3), st.data())
def test_what_is_read_by_forms_is_what_is_read_document_by_document(
    first: list[str], more: list[str], data: st.DataObject
) -> None:
    forms = Forms()
    for texts in (first, [*data.draw(st.permutations(first)), *more], first[1:]):
        names = [line.split()[-1] for text in texts for line in text.splitlines() if "name: " in line][:12]
        source = Source("atlas.yml", "---\n".join([atlas(names), *texts]))
        assert understood(source, forms)[:2] == understood(source, None)[:2]


def test_documents_of_a_form_are_not_parsed() -> None:
    names = [f"adapter-{number}" for number in range(50)]
    texts = [
        PLAIN.replace("NAME", name)
        .replace("HOST", f"{name}.example")
        .replace("VARIABLE", name.upper().replace("-", "_"))
        for name in names
    ]
    source = Source("atlas.yml", "---\n".join([atlas(names), *texts]) + "# A comment\n")
    forms = Forms()
    problems, configuration, stream = understood(source, forms)
    assert (problems, configuration) == understood(source, None)[:2]
    assert configuration is not None
    known = [isinstance(document, KnownDocument) for document in stream.own]
    # The Atlas, the first one, and the last one, which has the comment.
    assert known == [False, False, *[True] * 48, False]
    assert not any("_parsed" in document.__dict__ for document in stream.own)
    # Read again, with another one in the front: only that one, and those of other forms, are parsed.
    again = Source("atlas.yml", source.text.replace("---\n", "---\n" + PLAIN.replace("NAME", "another") + "---\n", 1))
    _, configuration, stream = understood(again, forms)
    assert [isinstance(document, KnownDocument) for document in stream.own] == [False, False, *[True] * 50]


SPECIAL = ["YOUR_API_KEY", "LD_PRELOAD", "SSL_CERT_FILE", "AKIAIOSFODNN7_EXAMPLE1234567", "MY_TODO", "X_XXXX"]
SPECIAL += ["GLIBC_TUNABLES", "GCONV_PATH", "RES_OPTIONS", "BASH_ENV", f"A_{'B' * 63}"]
SPECIAL += [f"{word.upper()}_API_KEY" for word in PLACEHOLDER_WORDS]


@pytest.mark.parametrize("name", SPECIAL)
def test_variables_that_a_rule_knows_are_of_no_form(name: str) -> None:
    text = "---\n".join([atlas([]), *(PLAIN.replace("VARIABLE", each) for each in ("GOOD_ONE", "GOOD_TWO", name))])
    assert not isinstance(read(Source("atlas.yml", text), Forms()).own[-1], KnownDocument)
    assert isinstance(read(Source("atlas.yml", text.replace(name, "GOOD_THREE")), Forms()).own[-1], KnownDocument)


@pytest.mark.parametrize("shape", [shape for _, shape in _TOKEN_SHAPES])
@settings(max_examples=examples(5, 50), deadline=None)
@given(st.data())
def test_a_variable_with_a_token_in_its_name_is_of_no_form(shape: str, data: st.DataObject) -> None:
    token = data.draw(st.from_regex(shape, fullmatch=True))
    assert re.fullmatch(_VARIABLE, f"A_{token}") is None


ALLOW = "  allow:\n  - paths: [/v1/apis/http/last-one/x]\n"
CONSTANT = "  - name: X-Name\n    value: "


@pytest.mark.parametrize(
    ("more", "last", "rule"),
    [
        ("", ("last-one", "a.b", "BASH_ENV"), "environment-reference"),
        ("", (f"last-{'x' * 249}", "a.b", "A_B"), "adapter-name"),
        (ALLOW, ("last-one", "a.b", "A_B"), "allow-path"),
        (f"{CONSTANT}mom-stand-in-0000\n", ("last-one", "a.b", "A_B"), ""),
        (f"{CONSTANT}{_STAND_INS[0].format(0)}\n", ("last-one", "a.b", "A_B"), ""),
        (f"{CONSTANT}a ${{{{ {_STAND_INS[3].format(2)} }}}} b\n", ("last-one", "a.b", "A_B"), ""),
        ("x" * 1_800, ("last-one", ".".join(["a" * 42] * 5), "A_B"), "base-url"),
    ],
)
def test_what_is_wrong_with_one_value_is_found_though_others_of_the_form_are_right(
    more: str, last: tuple[str, str, str], rule: str
) -> None:
    every = [("adapter-one", "a.b", "A_B"), ("adapter-two", "c.d", "C_D"), last]
    form = PLAIN.replace("HOST\n", f"HOST/{more}\n") if more.startswith("x") else f"{PLAIN}{more}"
    documents = [form.replace("NAME", name).replace("HOST", host).replace("VARIABLE", at) for name, host, at in every]
    source = Source("atlas.yml", "---\n".join([atlas([name for name, *_ in every]), *documents]))
    problems, configuration, _ = understood(source, Forms())
    assert (problems, configuration) == understood(source, None)[:2]
    assert rule in {"", *(problem.rule for problem in problems)}


AFTER = [
    "",
    "# A comment\n",
    "      extra: x\n",
    "\n      extra: x\n",
    "  # A comment\n        more text\n",
    "  - adapterRef: {apiVersion: moment.dev/adapters/v1alpha1, kind: HTTP, name: flow-one}\n",
    "  - other: x\n",
    "  owner: twice\n",
    "\tx\n",
]


@pytest.mark.parametrize("after", AFTER)
@pytest.mark.parametrize("wrong", [None, 20])
def test_a_list_of_which_most_was_left_out_is_the_whole_list(after: str, wrong: int | None) -> None:
    names = [f"adapter-{number}" for number in range(40)]
    texts = [PLAIN.replace("NAME", name) for name in names]
    if wrong is not None:
        names[wrong] = {1: "no-such-adapter", 20: "Other", 39: "adapter-3"}[wrong]
    turn = AFTER.index(after) + (wrong or 0)
    indent = "  " * (turn % 2)
    text = "---\n".join([atlas(names, after=after.replace("  - ", f"{indent}- "), indent=indent), *texts])
    changes = [("", ""), ("\n", "\r\n"), ("spec:\n", "spec:\n  x: |\n")]
    source = Source("atlas.yml", "# A comment\n" * (turn % 3) + text.replace(*changes[turn % 3]))
    assert understood(source, Forms())[:2] == understood(source, None)[:2]


def test_places_below_a_list_of_which_most_was_left_out() -> None:
    names = [f"adapter-{number}" for number in range(100)]
    texts = [PLAIN.replace("NAME", name) for name in names]
    lists = [atlas(names), atlas(names, after="  allow:\n  - methods: [GET]\n"), atlas([*names[:50], "x", *names[50:]])]
    for given_list in lists:
        source = Source(
            "atlas.yml", "# A comment\n---\n" + "---\n".join([given_list, *texts, PLAIN.replace("NAME", "x")])
        )
        problems, configuration, stream = understood(source, Forms())
        assert (problems, configuration) == understood(source, None)[:2]
        assert configuration is not None
        assert isinstance(stream.own[0], FoldedDocument)
        assert "whole" not in stream.own[0].__dict__
        line = configuration.identity_providers[0].place.line
        assert source.line(line) == "    auth0:"


def test_what_looks_like_the_list_and_is_none_is_read_as_it_is() -> None:
    inside = "\n".join(f"    {line}" for line in atlas([f"adapter-{number}" for number in range(40)]).splitlines())
    text = f"{atlas([])}description: |\n{inside}\n"
    assert validate(Source("atlas.yml", text)) == check(read(Source("atlas.yml", text)))[0]
