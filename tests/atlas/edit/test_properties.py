"""The promises of an edit, on random streams: it only adds lines, it means what was asked, and it does so once.

What is drawn is in `tests.atlas.edit.streams`. Run with `MOM_EXAMPLES=20000` for a long search.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import assume, event, example, given, settings
from hypothesis import strategies as st

from mom.atlas.adapters.http import HttpAdapterSpec
from mom.atlas.edit import spec
from mom.atlas.edit.add import add_adapter
from mom.atlas.edit.result import Action, Edit
from mom.errors import MomError
from mom.yamledit import parser as parsing
from mom.yamledit.data import to_data
from mom.yamledit.diff import lines_of as diff_lines
from mom.yamledit.diff import unified
from mom.yamledit.nodes import Node
from mom.yamledit.scalars import write
from mom.yamledit.source import Source
from mom.yamledit.stream import Document, YamlSyntaxError, documents, parse_document
from tests.atlas.edit.streams import Stream, adapters, streams
from tests.searches import EXAMPLES, examples
from tests.yamledit.readers import read_11, read_12

READERS: dict[str, Callable[[str], list[Any] | None]] = {"YAML 1.1": read_11, "YAML 1.2": read_12}
PARSERS = ("libyaml", "Python")


@contextmanager
def parser(name: str) -> Iterator[None]:
    """Read with libyaml, or as where `ruamel.yaml.clib` is not installed."""
    if name == "libyaml":
        yield
    else:
        with patch.object(parsing, "c_parser", lambda: None):
            yield


def lines_of(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def check_lines(stream: Stream, edit: Edit) -> None:
    """Every old line stands in the new text, in order, but for those that YAML leaves no choice about."""
    old, new = stream.text, edit.text
    old_lines, new_lines = lines_of(old), lines_of(new)
    replaced = {change.start + number for change in edit.changes for number in range(len(change.old))}
    unended = bool(old) and not old.endswith("\n")

    assert len(replaced) <= stream.changed + unended
    if unended:
        # The list's own line may be the last one.
        assert len(replaced) >= max(stream.changed, 1)
        assert len(old_lines) - 1 in replaced
    else:
        assert len(replaced) == stream.changed
    rest = iter(new_lines)
    for number, line in enumerate(old_lines):
        assert number in replaced or line in rest, f"line {number + 1} was lost: {line!r}"
    for first, last in edit.added_lines():
        assert 1 <= first <= last <= len(new_lines)


def check_data(stream: Stream, edit: Edit, adapter: HttpAdapterSpec) -> int:
    """Both readers see the old data and the addition, when they can read the old text; return how many can."""
    able = 0
    for name, read in {**READERS, "mom": read_own}.items():
        before = read(stream.text)
        if before is None:
            continue
        able += 1
        atlas = next(data for data in before if isinstance(data, dict) and data.get("kind") == "Atlas")
        listed = atlas["spec"].get("apiAdapters") or []
        tag, listed = listed if isinstance(listed, tuple) else ("", listed)
        fresh = [*listed, spec.reference(adapter)]
        atlas["spec"]["apiAdapters"] = (tag, fresh) if tag else fresh
        if len(documents(Source("", edit.text))) == len(documents(Source("", stream.text))):
            # A bare marker at the end was used: its document was a null.
            assert before.pop() is None
        after = read(edit.text)

        assert plain(after) == plain([*before, spec.document(adapter)]), name
    return able


def read_own(text: str) -> list[Any] | None:
    """Return the documents of a stream as mom reads it: the one reader for what only YAML 1.2 allows."""
    source = Source("", text)
    try:
        return [to_data(parse_document(source, document)) for document in documents(source)]
    except MomError:
        return None


def plain(value: Any, around: tuple[int, ...] = ()) -> str:
    """Return data as text: NaN is equal to nothing, 1 and True are equal, and an alias may stand in what it names."""
    if id(value) in around:
        return "(itself)"
    inside = (*around, id(value))
    if isinstance(value, dict):
        return "{" + ", ".join(sorted(f"{key!r}: {plain(part, inside)}" for key, part in value.items())) + "}"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}[" + ", ".join(plain(part, inside) for part in value) + "]"
    return repr(value)


def check_bystanders(stream: Stream, edit: Edit) -> None:
    """All documents but the Atlas keep their bytes; the last may gain a line end."""
    old, new = Source("", stream.text), Source("", edit.text)
    before = [old.text[one.start : one.end] for one in documents(old)]
    after = [new.text[one.start : one.end] for one in documents(new)]
    kept = [text for text in before if text in after or text + "\n" in after or text + "\r\n" in after]
    # The Atlas and, where it was used, a bare marker at the end.
    assert len(before) - len(kept) <= 2
    assert len(after) - len(before) in {0, 1}


def patched(old: str, diff: str) -> str:
    """Apply a unified diff, strictly: every context line must be where it says."""
    if not diff:
        return old
    old_lines = [line + "\n" for line in old.split("\n")]
    old_lines[-1] = old_lines[-1][:-1]
    lines = diff.removesuffix("\n").split("\n")
    result: list[str] = []
    position = 0
    for number, line in enumerate(lines[2:], 2):
        if line.startswith("@@ "):
            start, _, count = line.split(" ")[1][1:].partition(",")
            begin = int(start) - (0 if count == "0" else 1)
            result += old_lines[position:begin]
            position = begin
            continue
        if line.startswith("\\"):
            continue
        unended = number + 1 < len(lines) and lines[number + 1].startswith("\\")
        text = line[1:] + ("" if unended else "\n")
        if line[0] in " -":
            assert old_lines[position] == text
            position += 1
        if line[0] in " +":
            result.append(text)
    return "".join([*result, *old_lines[position:]])


def check(stream: Stream, adapter: HttpAdapterSpec) -> str:
    """Edit the stream and hold the result against every promise; return what became of it."""
    source = Source("atlas.yml", stream.text)
    try:
        edit = add_adapter(source, adapter)
    except MomError as refusal:
        return f"refused: {'; '.join(problem.message for problem in refusal.problems) or refusal.message}"
    assert edit.action is Action.ADDED
    check_lines(stream, edit)
    check_bystanders(stream, edit)
    able = check_data(stream, edit, adapter)
    assert patched(stream.text, unified(source, edit.changes, old_name="a", new_name="b")) == edit.text

    assert add_adapter(source, adapter) == edit
    again = add_adapter(Source("atlas.yml", edit.text), adapter)
    assert again.action is Action.UNCHANGED
    assert again.text == edit.text
    return f"edited, data compared by {able} readers"


HEAD = "apiVersion: moment.dev/atlas/v1alpha1\nkind: Atlas\nspec:\n"
# What random streams once found: each of these was refused, or worse.
FOUND = {
    "a blank line between items, the last of which keeps its blank lines": Stream(
        HEAD + "  apiAdapters:\n  - adapterRef: {name: a}\n\n  - adapterRef: {name: b}\n    note: >+\n      text\n", 0
    ),
    "an empty list below its tag": Stream(HEAD + "  apiAdapters: !!seq\n    []\n", 1),
    "comments and white space behind a tab": Stream(HEAD + "\t# c\n  owner: team\t# d\n\t\n  apiAdapters:\n", 0),
    "a question mark in flow style": Stream(
        HEAD.replace("spec:\n", "spec: {apiAdapters: []}\n")
        + "---\n{apiVersion: moment.dev/adapters/v1alpha1, kind: HTTP, metadata: {name: a}, spec: {baseUrl: b}}\n",
        1,
    ),
}


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("found", FOUND)
def test_what_a_random_stream_once_found_stays_right(found: str, name: str) -> None:
    adapter = HttpAdapterSpec("openai", "https://api.openai.com", (("X-Query", "a?b"),))
    with parser(name):
        assert check(FOUND[found], adapter).startswith("edited")


@pytest.mark.parametrize("name", PARSERS)
def test_an_edit_of_any_stream_adds_lines_and_means_the_old_data_with_the_adapter(name: str) -> None:
    outcomes: Counter[str] = Counter()

    @settings(max_examples=examples(30 if name == "libyaml" else 20))
    @given(streams(), adapters())
    def holds(stream: Stream, adapter: HttpAdapterSpec) -> None:
        with parser(name):
            outcome = check(stream, adapter)
        event(outcome)
        outcomes[outcome] += 1

    holds()

    total = outcomes.total()
    refused = sum(number for outcome, number in outcomes.items() if outcome.startswith("refused"))
    # Not by refusing, and not by reading nothing, are the promises kept. The examples are the same in each run, but
    # another version of Hypothesis draws others: the shares are far from what it drew so far (0 %, and 68 to 80 %).
    assert EXAMPLES or refused <= total * 0.1, outcomes
    assert EXAMPLES or outcomes["edited, data compared by 3 readers"] >= total * 0.4, outcomes


STRINGS = st.one_of(
    st.text(max_size=30),
    st.text(st.sampled_from("ab01.:_+-eExXoO'\"\\#{}[],&*!|>%@`~=?<$/ \t\n\r\x85\u2028\ufeff\0"), max_size=10),
    st.from_regex(r"[-+]?[0-9._:eExobn]{1,6}", fullmatch=True),
    st.from_regex(r"(?i)(true|yes|on|off|null|\.inf|\.nan|y|n|~|[0-9]{1,4}-[0-9]{1,2}-[0-9]{1,2}).?", fullmatch=True),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?Z?", fullmatch=True),
).filter(lambda text: not any("\ud800" <= character <= "\udfff" for character in text))


@settings(max_examples=examples(70))
@given(STRINGS, st.booleans(), st.sampled_from(["", "'", '"']))
@example("", False, "")
@example("=", False, "")
@example("a?b", True, "")
@example("+_", False, "")
def test_a_string_is_written_so_that_both_readers_give_it_back(value: str, flow: bool, style: str) -> None:
    written = write(value, flow=flow, style=style)
    block = f"- {written}\n- key: {written}\n- {written}: 1\n"
    text = f"[{written}, {{key: {written}}}, {{{written}: 1}}]\n" if flow else block

    expected = [value, {"key": value}, {value: 1}]
    assert "\n" not in written
    for name, read in READERS.items():
        assert read(text) == [expected], name
    for name in PARSERS:
        with parser(name):
            source = Source("", text)
            assert to_data(parse_document(source, documents(source)[0])) == expected, name


def tree(source: Source, document: Document, name: str) -> Node | None:
    with parser(name):
        return parse_document(source, document)


@settings(max_examples=examples(25))
@given(streams(), adapters())
def test_half_an_edit_is_completed_to_the_whole(stream: Stream, adapter: HttpAdapterSpec) -> None:
    edit = add_adapter(Source("atlas.yml", stream.text), adapter)
    assume(len(edit.changes) == 2)
    for half in edit.changes:
        lines = diff_lines(stream.text)
        lines[half.start : half.start + len(half.old)] = half.new
        completed = add_adapter(Source("atlas.yml", "".join(lines)), adapter)

        assert completed.action is Action.COMPLETED
        assert completed.text == edit.text


@settings(max_examples=examples(40))
@given(streams())
@example(
    Stream(
        "- !local &a x\n- &b !local y: z\n- &c\n  !local {a: b}\n- !local # comment\n  &d [a]\n- &e !local\n- f\n", 0
    )
)
def test_both_parsers_give_the_same_trees_with_the_same_positions(stream: Stream) -> None:
    source = Source("", stream.text)
    for document in documents(source):
        try:
            assert tree(source, document, "libyaml") == tree(source, document, "Python")
        except YamlSyntaxError:
            # What one of them cannot read may only be an oddity of other tools.
            assert "apiVersion: moment.dev/" not in stream.text[document.start : document.end]
