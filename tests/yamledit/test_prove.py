"""The proof of an edit: it compares what is read with what an operation expects, and knows no operation."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from mom.yamledit.document_operations import AppendDocument, RemoveDocument
from mom.yamledit.expected import Written
from mom.yamledit.nodes import Scalar
from mom.yamledit.operations import Operation, Stream, carry_out, expected
from mom.yamledit.prove import Difference, Fault, first_difference, lines_kept, same
from mom.yamledit.shape import Shape
from mom.yamledit.source import Source
from mom.yamledit.splice import Splice
from mom.yamledit.stream import documents, parse_document
from mom.yamledit.tree_operations import AppendEntry, AppendItems, RemoveEntry, RemoveItems, RenameKey, ReplaceScalar
from tests.yamledit.pieces import entry, only

TEXT = "# head\nl:\n- a\n- b # c\nk: 'v'\n"


def proof(source: Source, *operations: Operation) -> Difference | None:
    """Return what the proof says of the operations."""
    outcome = carry_out(source, operations)
    stream = expected(documents(source), outcome.operations)
    new = Source(source.name, outcome.text)
    return first_difference(source, new, stream, outcome.changes, must_mean_the_same=lambda _: True)


def operations() -> dict[str, Operation]:
    source, document, root = only(TEXT)
    value = entry(root, "k")[1]
    assert isinstance(value, Scalar)
    items = entry(root, "l")
    found = documents(source)
    return {
        "append items": AppendItems(document, root, root, items, ["x", "z"], Shape()),
        "append an entry": AppendEntry(document, root, root, "n", {"a": "b"}, Shape()),
        "remove an item": RemoveItems(document, root, items, (0,)),
        "remove all items": RemoveItems(document, root, items, (0, 1)),
        "remove an entry": RemoveEntry(document, root, root, 1),
        "replace a value": ReplaceScalar(document, root, value, "w", flow=False),
        "rename a key": RenameKey(document, root, root, 1, "key"),
        "append a document": AppendDocument(source, found, {"a": "b"}, Shape()),
    }


@pytest.mark.parametrize("name", operations())
def test_each_operation_does_what_it_expects(name: str) -> None:
    source = Source("x.yml", TEXT)
    assert proof(source, operations()[name]) is None


@dataclass(frozen=True)
class Slip:
    """An operation whose splices do something else than it expects."""

    right: Operation
    wrong: Splice

    @property
    def place(self) -> int:
        return self.right.place

    def splices(self, source: Source) -> list[Splice]:
        return [*self.right.splices(source), self.wrong]

    def expected(self, stream: Stream) -> Stream:
        return self.right.expected(stream)


SLIPS = {
    "another value changes": Splice(TEXT.index("'v'"), 3, "'w'"),
    "quotes change": Splice(TEXT.index("'v'"), 3, "v"),
    "a key is lost": Splice(TEXT.index("k:"), 7, ""),
    "a document comes": Splice(len(TEXT), 0, "---\nz: 1\n"),
    "it cannot be read": Splice(TEXT.index("'v'"), 3, "[v"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_what_an_operation_does_by_mistake_is_found(slip: str) -> None:
    source = Source("x.yml", TEXT)
    assert proof(source, Slip(operations()["append items"], SLIPS[slip])) is not None


def test_a_line_that_is_lost_is_found_though_no_data_change() -> None:
    source = Source("x.yml", TEXT)
    outcome = carry_out(source, [operations()["append items"]])
    stream = expected(documents(source), outcome.operations)
    new = Source("x.yml", outcome.text.replace("# head\n", ""))
    found = first_difference(source, new, stream, outcome.changes, must_mean_the_same=lambda _: True)
    assert found == Difference(Fault.LINES)


def test_two_operations_in_one_document_expect_both() -> None:
    source = Source("x.yml", TEXT)
    both = operations()
    assert proof(source, both["append items"], both["replace a value"]) is None
    assert proof(source, both["remove an item"], both["rename a key"]) is None


def test_a_document_is_removed_and_its_neighbours_keep_their_bytes() -> None:
    source = Source("x.yml", "a: 1\n# about b\n---\nb: 2\n---\nc: 3\n")
    assert proof(source, RemoveDocument(source, documents(source), 1)) is None


def test_the_last_line_is_ended_first_and_a_scalar_that_would_gain_that_is_found() -> None:
    source = Source("x.yml", "a: 1")
    add = AppendDocument(source, documents(source), {"a": "b"}, Shape())
    assert proof(source, add) is None
    literal = Source("x.yml", "a: |\n  x")
    found = proof(literal, add._replace(source=literal, documents=documents(literal)))
    assert found is not None
    assert found.fault is Fault.LINE_ENDING


READ_AS = [
    ("k: x\n", {"k": "x"}, True),
    ("k: 'yes'\n", {"k": "yes"}, True),
    ("k: yes\n", {"k": "yes"}, False),
    ("k: &a x\n", {"k": "x"}, False),
    ("k: !!str x\n", {"k": "x"}, False),
    ("k: x\nk: x\n", {"k": "x"}, False),
    ("{l: [a, 'b']}\n", {"l": ["a", "b"]}, True),
]


@pytest.mark.parametrize(("text", "value", "read"), READ_AS)
def test_a_written_value_is_read_by_every_parser_as_it_was_meant(text: str, value: dict[str, str], read: bool) -> None:
    source = Source("x.yml", text)
    assert Written(value).is_read_from(parse_document(source, documents(source)[0])) is read


@pytest.mark.parametrize(
    ("other", "equal"),
    [
        ("# x\nl:\n\n- a\n- b\nk: 'v'\n", True),
        ("l:\n- a\n- b\nk: v\n", False),
        ("l: [a, b]\nk: 'v'\n", False),
        ("k: 'v'\nl:\n- a\n- b\n", False),
        ("l:\n- &x a\n- b\nk: 'v'\n", False),
    ],
)
def test_trees_are_the_same_but_for_where_things_are(other: str, equal: bool) -> None:
    assert same(only(TEXT)[2], only(other)[2]) is equal


def test_every_line_outside_the_changes_is_looked_for() -> None:
    source = Source("x.yml", TEXT)
    outcome = carry_out(source, [operations()["remove an item"]])
    assert lines_kept(source, Source("x.yml", outcome.text), outcome.changes)
    assert not lines_kept(source, Source("x.yml", outcome.text + "z: 1\n"), outcome.changes)
    assert not lines_kept(source, Source("x.yml", outcome.text.replace("# head", "# tail")), outcome.changes)
