"""A file that is read again by what is known of it is what it is when it is read for the first time."""

from __future__ import annotations

import gc
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mom.atlas.folding import FoldedDocument
from mom.atlas.forms import FormedAdapter, Forms, Known, general_form, split
from mom.atlas.rules import stream_rules
from mom.atlas.rules.variable_rules import names_in, uses
from mom.yamledit.source import Source
from tests.atlas import form_files
from tests.atlas.form_files import PLAIN, VERSION, atlas
from tests.atlas.test_forms import understood
from tests.searches import examples

BYSTANDER = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: other\n"
BROKEN = f"{VERSION}metadata:\n  name: broken\nspec: [\n"
UNNAMED = PLAIN.replace("name: NAME", "labels: {}")
UNKNOWN = PLAIN.replace("kind: HTTP", "kind: Http-Adapter")
AWS = (
    "apiVersion: moment.dev/adapters/v1alpha1\nkind: AWS\nmetadata:\n  name: aws-one\nspec:\n  profiles:\n"
    "  - name: main\n    region: eu-west-1\n    accessKeyId: ${{ KEY_ID }}\n    secretAccessKey: ${{ KEY_SECRET }}\n"
)
FLOW = (
    "{apiVersion: moment.dev/adapters/v1alpha1, kind: HTTP, metadata: {name: flow-one}, spec: {baseUrl: 'https://a.b',\n"
    "  basicAuth: {username: u, password: '${{ FLOW }}'}, tls: {caFile: ca.pem}, allow: [{methods: [GET]}],\n"
    "  query: [{name: q, value: '${{ QUERY }}'}]}}\n"
)
OTHER_AWS = AWS.replace("aws-one", "aws-two")


def of_number(number: int) -> str:
    """Return an adapter's document."""
    own = PLAIN.replace("NAME", f"name-{number}").replace("HOST", f"h{number}.example.com")
    return own.replace("VARIABLE", f"TOKEN_{number % 7}")


def edited(documents: list[str], random: Random) -> list[str]:
    """Return the documents after an edit: one more, one less, another one, or all in another order or form."""
    at = random.randrange(len(documents) + 1)
    others = [
        BYSTANDER,
        BROKEN,
        UNNAMED,
        UNKNOWN,
        "",
        "# only this\n",
        AWS,
        FLOW,
        OTHER_AWS,
        atlas([]),
    ]
    others += [text.replace("  name: name", "  name: Name", 1) for text in documents[:2]]
    new = random.choice([of_number(random.randrange(60)), random.choice(others), random.choice([*documents, AWS])])
    changed = [text.replace("https://h", "https://api.h", 1) for text in documents[at : at + 1]]
    return random.choice(
        [
            [*documents[:at], new, *documents[at:]],
            [*documents[:at], new, *documents[at:]],
            [*documents[:at], *documents[at + 1 :]],
            [*documents[:at], *changed, *documents[at + 1 :]],
            [*documents[:at], *(f"# A comment\n{text}" for text in documents[at : at + 1]), *documents[at + 1 :]],
            random.sample(documents, len(documents)),
            [text.replace("Bearer ", "Token ") for text in documents],
        ]
    )


def text_of(documents: list[str], random: Random) -> str:
    """Return a file with these documents, most of which its Atlas lists."""
    names = [line.split()[1] for text in documents for line in text.splitlines() if line.startswith("  name: ")]
    names += ["flow-one"] if FLOW in documents else []
    listed = list(dict.fromkeys(names)) if random.random() < 0.8 else random.sample(names, len(names))
    start = random.choice(["", "# The first line\n", "---\n", "%YAML 1.2\n---\n"])
    at = random.choice([0, 0, random.randrange(len(documents) + 1)])
    text = start + "---\n".join([*documents[:at], atlas(listed), *documents[at:]])
    if random.random() < 0.9:
        text = text.replace("kind: HTTP\n      name: aws", "kind: AWS\n      name: aws")
    return text.replace("\n", "\r\n") if random.random() < 0.1 else text


@settings(max_examples=examples(10, 120), deadline=None)
@given(st.integers(0, 2**40))
def test_a_file_that_is_read_again_is_what_it_is_when_it_is_read_first(seed: int) -> None:
    random, forms = Random(seed), Forms()
    # Enough for a list of references of which most are left out.
    documents = [of_number(number) for number in range(random.choice([3, 10, 45]))]
    documents += random.choice([[], [AWS, FLOW], [AWS, OTHER_AWS]])
    for _ in range(random.randrange(2, 7)):
        source = Source("atlas.yml", text_of(documents, random))
        with pytest.MonkeyPatch.context() as patch:
            # As if the list were longer.
            patch.setattr("mom.atlas.forms._LONG", 100)
            problems, again, _ = understood(source, forms)
        with pytest.MonkeyPatch.context() as patch:
            # The rules for what does not fit together, too, are asked one by one.
            patch.setattr(stream_rules, "_fit_together", lambda _: False)
            problems_of_first, first, _ = understood(source, None)
        assert problems == problems_of_first
        assert again == first
        if again is not None and first is not None:
            assert list(uses(again.adapters)) == list(uses(first.adapters))
            assert list(map(names_in, again.adapters)) == list(map(names_in, first.adapters))
        documents = edited(documents, random)


def test_places_are_right_where_the_atlas_is_behind_its_adapters() -> None:
    documents = [of_number(number) for number in range(90)]
    listed = atlas([f"name-{number}" for number in range(90)])
    forms = Forms()
    for start, first in (("", 10), ("\n", 10), ("\n# A comment\n", 20), ("", 0)):
        text = start + "---\n".join([*documents[:first], listed, *documents[first:]])
        source = Source("atlas.yml", text)
        _, configuration, stream = understood(source, forms)
        assert configuration == understood(source, None)[1]
        assert configuration is not None
        assert source.line(configuration.identity_providers[0].place.line) == "    auth0:"
        assert any(isinstance(document, FoldedDocument) for document in stream.own)


def test_an_adapter_is_the_same_as_long_as_its_place_is() -> None:
    forms = Forms()
    documents = [of_number(number) for number in range(50)]

    def read(changed: list[str]) -> list[FormedAdapter]:
        names = [line.split()[1] for text in changed for line in text.splitlines() if line.startswith("  name: ")]
        _, configuration, _ = understood(Source("atlas.yml", "---\n".join([atlas(names), *changed])), forms)
        assert configuration is not None
        return [each for each in configuration.adapters[2:] if isinstance(each, FormedAdapter)]

    read(documents)
    before = read(documents)
    assert len(before) == 48
    another = read([*documents[:10], documents[10].replace("https://h", "https://api.h"), *documents[11:]])
    assert [at for at, pair in enumerate(zip(before, another, strict=True)) if pair[0] is not pair[1]] == [8]
    # One more line in the list moves all of them.
    moved = read([*documents, of_number(50)])
    assert not any(each is other for each, other in zip(before, moved, strict=False))
    assert [each.known for each in before[:8]] == [each.known for each in moved[:8]]
    assert {each.place.line - other.place.line for each, other in zip(moved, before, strict=False)} == {4}


def test_only_what_the_last_reading_used_is_kept() -> None:
    forms = Forms()

    def known() -> int:
        gc.collect()
        return sum(isinstance(each, Known) for each in gc.get_objects())

    def read(first: int) -> None:
        numbers = range(first, first + 40)
        documents = [atlas([f"name-{number}" for number in numbers]), *map(of_number, numbers)]
        understood(Source("atlas.yml", "---\n".join(documents)), forms)

    others = known()
    for reading in range(6):
        read(100 * reading)
        assert known() - others <= 80
    # A file that cannot be read has nothing forgotten that it may have again in a moment.
    for _ in range(2):
        understood(Source("atlas.yml", "\t"), forms)
    assert known() - others >= 39


@pytest.mark.parametrize("wild", [0, 0.2])
@settings(max_examples=examples(10, 150), deadline=None)
@given(st.integers(0, 2**40))
def test_the_pattern_of_a_form_finds_what_a_split_finds(wild: float, seed: int) -> None:
    random = Random(seed)
    different = [form_files.form(random) for _ in range(2)]
    texts = [form_files.filled(random.choice(different), random, number, wild=wild) for number in range(6)]
    forms = {key: general_form(key) for key in {split(text)[0] for text in texts}}
    for key, form in forms.items():
        for text in texts:
            if form is None:
                continue
            match = form.pattern.fullmatch(text)
            assert (split(text) == (key, match.groups())) if match else split(text)[0] != key
