"""A path of data leads back to where the value is written, through aliases and merges."""

from __future__ import annotations

import pytest

from mom.yamledit.paths import Path, Tree, places, show
from mom.yamledit.source import Source
from mom.yamledit.stream import documents, parse_document

TEXT = """\
base: &base
  url: https://a.example
  list: [x, &item y]
one:
  <<: *base
  own: 1
two:
  <<: [{url: first}, *base]
three: *base
again: &base {url: other}
four: *base
last: [*item]
twice: 1
twice: 2
"""


def tree(text: str = TEXT) -> Tree:
    source = Source("f.yml", text)
    root = parse_document(source, documents(source)[0])
    assert root is not None
    return Tree(root)


@pytest.mark.parametrize(
    ("path", "written"),
    [
        pytest.param(("base", "url"), "https://a.example", id="where it stands"),
        pytest.param(("base", "list", 1), "&item y", id="an item"),
        pytest.param(("one", "own"), "1", id="a key beside a merge"),
        pytest.param(("one", "url"), "https://a.example", id="a merged key"),
        pytest.param(("two", "url"), "first", id="the first of several merged mappings counts"),
        pytest.param(("two", "list", 0), "x", id="from the second merged mapping"),
        pytest.param(("three",), "*base", id="an alias itself"),
        pytest.param(("three", "url"), "https://a.example", id="below an alias"),
        pytest.param(("four", "url"), "other", id="an anchor defined again"),
        pytest.param(("last", 0), "*item", id="an alias in a list"),
        pytest.param(("twice",), "1", id="the first of duplicate keys"),
    ],
)
def test_a_path_leads_to_the_text_of_its_value(path: Path, written: str) -> None:
    found = tree().find(path)
    assert found is not None
    assert TEXT[found.value.start : found.value.end] == written


@pytest.mark.parametrize("path", [("none",), ("base", "list", 2), ("base", "list", "x"), ("one", "own", "deeper")])
def test_a_path_that_the_data_does_not_have_leads_nowhere_but_has_a_nearest_place(path: Path) -> None:
    assert tree().find(path) is None
    assert tree().nearest(path) == tree().find(path[:-1])


def test_a_chain_of_thousands_of_merges_is_followed_without_recursion() -> None:
    text = "a0: &a0 {k: 1}\n" + "".join(f"a{i}: &a{i} {{<<: *a{i - 1}}}\n" for i in range(1, 3000))
    found = tree(text).find(("a2999", "k"))
    assert found is not None
    assert found.value.start == text.index("1}")


def test_every_value_is_listed_with_the_path_that_leads_to_it() -> None:
    found = tree("a: [1, {b: 2}]\nc: 3\n")
    listed = list(places(found.root))
    assert [show(path) for path, _ in listed] == ["", "a", "a[0]", "a[1]", "a[1].b", "c"]
    for path, node in listed:
        place = found.find(path)
        assert place is not None
        assert place.value is node


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ((), ""),
        (("spec", "headers", 0, "value"), "spec.headers[0].value"),
        (("labels", "a.b/c"), 'labels["a.b/c"]'),
        ((0,), "[0]"),
        (("x", ""), 'x[""]'),
    ],
)
def test_a_path_is_shown_as_people_write_it(path: Path, shown: str) -> None:
    assert show(path) == shown
