"""Edits that undo each other, on random streams: the original bytes come back, and bystanders keep theirs throughout.

What is drawn is in `tests.atlas.edit.streams`. Run with `MOM_EXAMPLES=20000` or, faster,
`MOM_SEEDS=100000` for a long search.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mom.atlas.edit.add import add_adapter
from mom.atlas.edit.bounds import Bounds
from mom.atlas.edit.change import HttpChanges, change_http_adapter
from mom.atlas.edit.remove import remove_adapter
from mom.atlas.edit.rename import rename_adapter
from mom.atlas.edit.result import Action, Edit
from mom.atlas.edit.settings import Settings
from mom.errors import MomError
from mom.yamledit.data import to_data
from mom.yamledit.insert import ends_in_bare_marker
from mom.yamledit.source import Source
from mom.yamledit.stream import documents, parse_document
from tests.atlas.edit.choices import NAMES, Choices, Drawn, Seeded
from tests.atlas.edit.streams import Stream, stream_of, streams
from tests.searches import EXAMPLES, examples

# A number of seeds from 0, or FIRST:END.
_FIRST, _, _END = os.environ.get("MOM_SEEDS", "1000").rpartition(":")
SEEDS = range(int(_FIRST or 0), int(_END))


def read(text: str) -> list[Any]:
    source = Source("", text)
    found: list[Any] = [to_data(parse_document(source, document)) for document in documents(source)]
    for data in found:
        if isinstance(data, dict) and data.get("kind") == "Atlas" and isinstance(data.get("spec"), dict):
            # A list that is missing, empty or null is one to Atlas.
            data["spec"] = {**data["spec"], "apiAdapters": data["spec"].get("apiAdapters") or []}
        elif isinstance(data, dict) and isinstance(data.get("spec"), dict):
            data["spec"] = {**data["spec"], "headers": data["spec"].get("headers") or []}
    return found


def check_bystanders(old: str, edit: Edit) -> None:
    """Every document of another tool is in the result, but for comments and blank lines around it."""
    source = Source("", old)
    for document in documents(source):
        text = old[document.start : document.end]
        if "moment.dev" not in text and "\\" not in text:
            core = text.strip("\n\r\ufeff \t")
            while core.startswith(("#", "%")) or core.rsplit("\n", 1)[-1].startswith("#"):
                core = (
                    core.partition("\n")[2].strip() if core.startswith(("#", "%")) else core.rpartition("\n")[0].strip()
                )
            assert core in edit.text


def ends_without_what_an_addition_changes(stream: Stream) -> bool:
    """Whether an addition changes no line of the stream, so that a removal gives its bytes back."""
    source = Source("", stream.text)
    listed = [data["spec"]["apiAdapters"] for data in read(stream.text) if is_atlas(data)]
    return bool(listed[0]) and stream.text.endswith("\n") and not ends_in_bare_marker(source, documents(source))


def is_atlas(data: Any) -> bool:
    return isinstance(data, dict) and data.get("kind") == "Atlas" and "moment.dev/atlas" in str(data.get("apiVersion"))


def is_set_off_throughout(stream: Stream) -> bool:
    """Whether the stream ends in a blank line and has one above each `---`: a removal takes it for a separation."""
    return not stream.text.rsplit("\n", 2)[-2].strip() if stream.text.count("\n") > 1 else False


def add_and_undo(stream: Stream, choices: Choices) -> str:
    adapter = choices.adapter()
    source = Source("atlas.yml", stream.text)
    edit = add_adapter(source, adapter)
    undone = remove_adapter(Source("atlas.yml", edit.text), adapter.name, "HTTP", keep_comments=edit.below_comments)
    check_bystanders(edit.text, undone)
    assert undone.action is Action.REMOVED
    plainly = remove_adapter(Source("atlas.yml", edit.text), adapter.name)
    assert adapter.name not in {name_of(one) for one in read(plainly.text)}
    if not ends_without_what_an_addition_changes(stream):
        # A block scalar at the end gets a line ending, which is announced and stays.
        has_ending = any(note.endswith("without a line ending: it has one now") for note in edit.notes)
        before, after = read(stream.text + "\n" * has_ending), read(undone.text)
        if ends_in_bare_marker(source, documents(source)):
            assert before.pop() is None
        assert repr(after) == repr(before)
        return "the same data"
    if undone.text != stream.text and is_set_off_throughout(stream):
        assert undone.text.rstrip() == stream.text.rstrip()
        return "the same bytes but for blank lines at the end"
    assert undone.text == stream.text
    return "the same bytes"


def names_in(stream: Stream, *kinds: str) -> list[str]:
    """Return the names of the adapter documents in a stream."""
    return [name_of(one) for one in read(stream.text) if name_of(one) in NAMES and (not kinds or one["kind"] in kinds)]


def name_of(data: Any) -> Any:
    metadata = data.get("metadata") if isinstance(data, dict) else None
    return metadata.get("name") if isinstance(metadata, dict) else None


def rename_and_back(stream: Stream, choices: Choices) -> str:
    if not (names := names_in(stream)):
        return "not drawn"
    old = choices.pick(names)
    new = choices.adapter_name()
    edit = rename_adapter(Source("atlas.yml", stream.text), old, new)
    assert edit.action is Action.RENAMED
    check_bystanders(stream.text, edit)
    assert rename_adapter(Source("atlas.yml", edit.text), old, new).action is Action.UNCHANGED
    undone = rename_adapter(Source("atlas.yml", edit.text), new, old, edit.kind)
    return compared(stream, edit, undone)


def compared(stream: Stream, edit: Edit, undone: Edit) -> str:
    """The data come back, and so do the bytes where each value was written as mom writes it, in one line."""
    assert repr(read(undone.text)) == repr(read(stream.text))
    if undone.text == stream.text:
        return "the same bytes"
    assert edit.text.count("\n") <= stream.text.count("\n")
    return "the same data"


BOUNDS_TO_SET: list[list[Any]] = [
    [{"requestsPerMinute": 60}, {"requestsPerMinute": 6, "per": "adapter"}],
    ["30s", "5m"],
    [0, 2],
]


CLIENT = {"tokenUrl": "https://login.test/token", "clientId": "a", "clientSecret": "${{ S }}"}
TO_SET: dict[str, list[Any]] = {
    "basicAuth": [{"username": "${{ U }}"}, {"username": "u", "password": "${{ P }}"}],
    "oauth2": [
        CLIENT,
        {**CLIENT, "scopes": ["read", "b:c#d"]},
        {**CLIENT, "parameters": [{"name": "a", "value": "b"}]},
    ],
    "tls": [{"caFile": "a.pem"}, {"certFile": "a.pem", "keyFile": "b #.key"}],
    "proxy": ["none", "http://proxy.test:3128"],
    "smoke": [{"path": "/a"}, {"path": "/b", "method": "POST", "expect": 201}],
}


def _one_of(choices: Choices, values: list[Any]) -> Any:
    """Return one of the values, or None as often as all of them."""
    return choices.pick([*values, *[None] * len(values)])


def changes_of(choices: Choices) -> HttpChanges:
    url = choices.base_url() if choices.integer(0, 1) else None
    bounds = Bounds(*(_one_of(choices, values) for values in BOUNDS_TO_SET))
    entry = _one_of(choices, [{"methods": ["GET"], "paths": ["/models"]}])
    query = tuple((key, value) for key, value in choices.headers(2) if value)
    both = choices.pick(("basicAuth", "oauth2"))
    wanted = {key: all_of for key, all_of in TO_SET.items() if key != both}
    settings = Settings(tuple((key, value) for key, all_of in wanted.items() if (value := _one_of(choices, all_of))))
    allow = (entry,) if entry else ()
    return HttpChanges(url, choices.headers(2), allow=allow, bounds=bounds, query=query, settings=settings)


def set_and_back(stream: Stream, choices: Choices) -> str:
    if not (names := names_in(stream, "HTTP")):
        return "not drawn"
    name = choices.pick(names)
    outcome = _set_and_back(Source("atlas.yml", stream.text), name, choices)
    if not choices.integer(0, 1):
        return outcome
    # The second changes what the first has added.
    first = change_http_adapter(Source("atlas.yml", stream.text), name, changes_of(choices))
    return _set_and_back(Source("atlas.yml", first.text), name, choices)


def _set_and_back(old: Source, name: str, choices: Choices) -> str:
    changes = changes_of(choices)
    edit = change_http_adapter(old, name, changes)
    if edit.action is Action.UNCHANGED:
        return "not drawn"
    check_bystanders(old.text, edit)
    new = Source("atlas.yml", edit.text)
    assert change_http_adapter(new, name, changes).action is Action.UNCHANGED
    if edit.before is None:
        return "no undo"
    undone = change_http_adapter(new, name, edit.before)
    assert repr(read(undone.text)) == repr(read(old.text))
    return "the same bytes" if undone.text == old.text else "the same data"


ROUND_TRIPS: dict[str, Callable[[Stream, Choices], str]] = {
    "add and remove": add_and_undo,
    "rename there and back": rename_and_back,
    "set there and back": set_and_back,
}


def undone(stream: Stream, choices: Choices) -> Iterator[tuple[str, str]]:
    """Make each edit of a stream and undo it; yield its name and what came back."""
    for name, there_and_back in ROUND_TRIPS.items():
        try:
            outcome = there_and_back(stream, choices)
        except MomError as refusal:
            outcome = f"refused: {'; '.join(problem.message for problem in refusal.problems) or refusal.message}"
        yield name, outcome


def check_share(outcomes: Counter[tuple[str, str]]) -> None:
    """Not by refusing are the promises kept: the share is far from what was drawn so far."""
    drawn = Counter[str]()
    for (_, outcome), number in outcomes.items():
        drawn[outcome] += number
    assert drawn["the same bytes"] >= (drawn.total() - drawn["not drawn"]) * 0.2, outcomes


def test_an_edit_of_any_stream_is_undone_by_its_opposite() -> None:
    outcomes: Counter[tuple[str, str]] = Counter()

    @settings(max_examples=examples(15))
    @given(streams(), st.data())
    def holds(stream: Stream, data: st.DataObject) -> None:
        outcomes.update(undone(stream, Drawn(data.draw)))

    holds()
    if not EXAMPLES:
        check_share(outcomes)


@pytest.mark.proof
def test_an_edit_of_very_many_streams_is_undone_by_its_opposite() -> None:
    """`MOM_SEEDS=100000` for a long search, `MOM_SEEDS=12345:12346` for one seed again."""
    outcomes: Counter[tuple[str, str]] = Counter()
    for seed in SEEDS:
        choices = Seeded(seed)
        stream = stream_of(choices)
        try:
            outcomes.update(undone(stream, choices))
        except Exception as error:
            error.add_note(f"again: MOM_SEEDS={seed}:{seed + 1}")
            raise
    check_share(outcomes)
