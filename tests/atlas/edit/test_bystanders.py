"""Other documents of a stream: whatever they hold, an edit leaves every byte of them and does its work.

`bystanders` holds oddities, valid YAML or not. With `MOM_YAML_TEST_SUITE` set to a checkout of the branch `data` of
https://github.com/yaml/yaml-test-suite, its valid cases are bystanders too.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mom.atlas.adapters.http import HttpAdapterSpec
from mom.atlas.edit.add import add_adapter
from mom.yamledit.source import decode
from tests.samples import BYSTANDERS, atlas, http, reference

SUITE = os.environ.get("MOM_YAML_TEST_SUITE")

ATLAS, ITEM, HTTP = atlas("github").encode(), reference("openai").encode(), http("github").encode()
DOCUMENT = HTTP.replace(b"github", b"openai")
OPENAI = HttpAdapterSpec("openai", "https://api.openai.com")


def suite_cases(root: Path) -> list[Path]:
    """Return the valid cases: files `in.yaml` without an `error` beside them; `name` and `tags` are links to them."""
    found = (path for path in root.rglob("in.yaml") if path.relative_to(root).parts[0] not in {"name", "tags"})
    return sorted(path for path in found if not (path.parent / "error").exists())


def survives(case: bytes) -> None:
    """Add an adapter to streams that hold `case` before, after and between documents of ours; expect the exact text.

    `...` before and after the case ends any document, also one that opens with directives.
    """
    line_end = b"" if case.endswith(b"\n") else b"\n"
    head = ATLAS + ITEM
    streams = {
        "first": (case + line_end + b"...\n---\n" + ATLAS, HTTP),
        "between": (ATLAS, b"...\n" + case + line_end + b"...\n" + HTTP),
        "last": (ATLAS, HTTP + b"...\n" + case),
    }
    if not case.startswith((b"---", b"%", b"\xef\xbb\xbf")):
        streams["last, after a marker"] = (ATLAS, HTTP + b"---\n" + case)
    for where, (before, after) in streams.items():
        got = add_adapter(decode(before + after, "atlas.yml"), OPENAI).text.encode()

        expected = before[: -len(ATLAS)] + head + after
        added = got[len(expected) :].replace(b"\r\n", b"\n")
        assert got.startswith(expected), where
        # A bare `---` at the end of the stream is used; a last line without an end gets one.
        assert added in {DOCUMENT, line_end + DOCUMENT, DOCUMENT.removeprefix(b"---\n")}, where


@pytest.mark.parametrize("path", BYSTANDERS, ids=lambda path: path.stem)
def test_an_oddity_keeps_its_bytes_before_between_and_after_our_documents(path: Path) -> None:
    survives(path.read_bytes())


@pytest.mark.skipif(SUITE is None, reason="MOM_YAML_TEST_SUITE names no checkout of yaml-test-suite's branch data")
def test_every_valid_case_of_the_public_yaml_test_suite_keeps_its_bytes() -> None:
    assert SUITE is not None
    cases = suite_cases(Path(SUITE))

    assert len(cases) >= 308
    for case in cases:
        survives(case.read_bytes())


def test_a_literal_at_the_end_of_a_bystander_gains_the_missing_line_ending_and_that_is_reported() -> None:
    """Nothing can follow it otherwise."""
    text = ATLAS + b"---\nscript: |\n  echo done"
    edit = add_adapter(decode(text, "atlas.yml"), OPENAI)

    assert edit.text.encode() == ATLAS + ITEM + b"---\nscript: |\n  echo done\n" + DOCUMENT
    assert edit.notes == ("the document in line 11 ends in a block scalar without a line ending: it has one now",)


def test_a_last_line_without_an_end_is_no_reason_for_a_note_where_no_value_changes() -> None:
    edit = add_adapter(decode(ATLAS + b"---\nscript: echo", "atlas.yml"), OPENAI)

    assert edit.text.encode() == ATLAS + ITEM + b"---\nscript: echo\n" + DOCUMENT
    assert edit.notes == ()
    assert add_adapter(decode(ATLAS.rstrip(), "atlas.yml"), OPENAI).notes == ()
