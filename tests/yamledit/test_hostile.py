"""Files made to hurt: each gets an edit or a clear refusal, in seconds and in less than a gigabyte.

Each goes through the real command, in a process that has a gigabyte and a minute of the processor. The sizes are such
that a linear run takes a second or two and a quadratic one hours: nothing here depends on how fast the machine is.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from mom.yamledit.parser import MAX_EVENTS
from mom.yamledit.source import MAX_BYTES
from mom.yamledit.stream import MAX_DOCUMENTS
from tests.searches import examples

GIGABYTE = 1 << 30
# Half the size, in `make test`: a quadratic run still takes longer than the minute it has.
N = examples(100_000, 200_000)

HEAD = "apiVersion: moment.dev/atlas/v1alpha1\nkind: Atlas\nmetadata:\n  name: a\nspec:\n"
LIST = "  apiAdapters:\n  - adapterRef: {apiVersion: moment.dev/adapters/v1alpha1, kind: HTTP, name: x}\n"
ATLAS = HEAD + LIST
OWN = "---\napiVersion: moment.dev/adapters/v1alpha1\n"
LAUGHS = "  a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"  {name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghijk", "bcdefghijkl", strict=True)
)

# What an edit changes nothing about, however much of it there is.
EDITED: dict[str, Callable[[], str]] = {
    "a bystander nested in brackets": lambda: ATLAS + "---\n" + "[" * N + "\n" + OWN,
    "a bystander nested in brackets with escapes": lambda: ATLAS + "---\n" + "[" * N + "\\\n" + OWN,
    "a bystander nested in braces behind a dollar": lambda: ATLAS + "---\n[" + "${{[${{ " * N + "\n" + OWN,
    "a bystander nested in dashes": lambda: ATLAS + "---\n" + "- " * 5 * N + "\n" + OWN,
    "a bystander nested in question marks": lambda: ATLAS + "---\n" + "? " * 5 * N + "\n" + OWN,
    "a bystander nested in block mappings": lambda: ATLAS + "---\n" + "".join(" " * n + "a:\n" for n in range(3000)),
    "a bystander of one quote that is not closed": lambda: ATLAS + '---\nmoment.dev/: "' + "x\n" * N,
    "a bystander of white space before no apiVersion": lambda: ATLAS + "---\n@ moment.dev/\n" + " " * N,
    "a bystander of lines of white space": lambda: ATLAS + "---\n@ moment.dev/\n" + "  \n" * N,
    "a bystander of opening template braces": lambda: ATLAS + "---\n\\\n" + "{{" * N,
    "a plain scalar of 20 MB": lambda: HEAD + "  s: " + "word " * 4_000_000 + "\n" + LIST,
    "a quoted scalar": lambda: HEAD + '  s: "' + "w\\n " * N + '"\n' + LIST,
    "a literal": lambda: HEAD + "  s: |\n" + "    line of text\n" * N + LIST,
    "a literal of blank lines that are kept": lambda: HEAD + "  s: |+\n" + "\n" * 10 * N + LIST,
    "a plain scalar over many lines": lambda: HEAD + "  s: a\n" + "    line of text\n" * N + LIST,
    "a number": lambda: HEAD + "  s: " + "1" * 10 * N + "\n" + LIST,
    "a literal at the end of the last item": lambda: ATLAS + "    note: |\n" + "      line of text\n" * N,
    "blank lines below the last item's literal": lambda: ATLAS + "    note: |\n      x\n" + "\n" * 10 * N,
    "comments": lambda: ATLAS + ("# " + "x" * 30 + "\n") * N,
    "comments below an empty list": lambda: HEAD + "  apiAdapters:\n" + "    # c\n" * N + "  x: y\n",
    "comments below the last item": lambda: ATLAS + "      # c\n\n" * N + "  # d\n",
    "comments between anchor and list": lambda: HEAD + "  apiAdapters: &l\n" + "  # c\n" * N + LIST.split("\n", 1)[1],
    "number signs": lambda: HEAD + "  apiAdapters:" + " #" * N + "\n",
    "a comment of number signs before the marker": lambda: "#" * N + "\n" + ATLAS,
    "blank lines": lambda: ATLAS + "\n" * 10 * N + "  x: y\n",
    "blank lines between items": lambda: ATLAS + "\n" * N + "  - x\n",
    "spaces": lambda: ATLAS + " " * 10 * N + "\n",
    "spaces before a null": lambda: HEAD + "  apiAdapters: &a" + " " * N + "~\n",
    "tabs": lambda: ATLAS + "\t" * N + "\n",
    "tabs inside a value": lambda: HEAD + "  k: v" + "\t" * N + "x\n" + LIST,
    "tabs and spaces inside a value": lambda: HEAD + "  k: v" + " \t" * N + "x\n" + LIST,
    "tabs and spaces, and a tab that libyaml refuses": lambda: HEAD + "\t# c\n  l: v" + " \t" * N + "x\n" + LIST,
    "Unicode line separators": lambda: HEAD + "  s: '" + "\u2028" * N + "'\n" + LIST,
    "characters beyond the first plane": lambda: HEAD + "  s: '" + "\U0001f600" * 5 * N + "'\n" + LIST,
    "adapters of nearly the same name": lambda: ATLAS + (OWN + "kind: HTTP\nmetadata: {name: OpenAI}\n") * 5000,
}

# Each with words of its refusal.
REFUSED: dict[str, tuple[Callable[[], str], str]] = {
    "billions of aliases": (lambda: HEAD + LAUGHS + LIST + "  - *l\n", "aliases expand to more than"),
    "brackets": (lambda: HEAD + "  n: " + "[" * N + "]" * N + "\n" + LIST, "nested more than 200 levels"),
    "brackets that stay open": (lambda: HEAD + "  n: " + "[" * N + "\n" + LIST, "nested more than 200 levels"),
    "brackets in another document": (lambda: ATLAS + OWN + "x: " + "[" * N + "\n", "nested more than 200 levels"),
    "flow mappings": (lambda: HEAD + "  n: " + "{a: " * N + "\n" + LIST, "nested more than 200 levels"),
    "block sequences": (lambda: ATLAS + "  n:\n    " + "- " * N + "x\n", "nested more than 200 levels"),
    "block mappings": (
        lambda: ATLAS + "  n:\n" + "".join(" " * (4 + n) + "a:\n" for n in range(3000)),
        "nested more than 200 levels",
    ),
    "complex keys": (lambda: ATLAS + "  n:\n    " + "? " * N + "x\n", "nested more than 200 levels"),
    "a million keys": (
        lambda: HEAD + "".join(f"  k{n}: v\n" for n in range(MAX_EVENTS // 2)) + LIST,
        f"more than {MAX_EVENTS:,} nodes",
    ),
    "a million items": (lambda: HEAD + "  s: [" + "a," * MAX_EVENTS + "]\n" + LIST, f"more than {MAX_EVENTS:,} nodes"),
    "a million documents": (lambda: ATLAS + "---\n" * 1_000_000, f"too many documents (limit {MAX_DOCUMENTS:,})"),
    "a million ends": (lambda: ATLAS + "...\n" * 1_000_000, f"too many documents (limit {MAX_DOCUMENTS:,})"),
    "a million directives": (
        lambda: ATLAS + "...\n%A\n---\n" * 1_000_000,
        f"too many documents (limit {MAX_DOCUMENTS:,})",
    ),
    "a hundred megabytes": (lambda: ATLAS + "# " + "x" * 100_000_000, "it is larger than 32 MiB"),
    "documents that cannot be read": (lambda: ATLAS + (OWN + "kind: [\n") * 50_000, "cannot be read"),
    "conflict markers in many documents": (lambda: ATLAS + (OWN + "@\n<<<<<<< a\n") * 20_000, "conflict markers"),
    "opening conflict markers": (lambda: ATLAS + "<<<<<<< a\n" * N, "conflict markers"),
    "spaces before a colon": (lambda: HEAD + "  k" + " " * N + ": v\n" + LIST, "invalid YAML"),
    "colons in words": (lambda: HEAD + "  x: [a:b, " + "a:" * N + "]\n" + LIST, "invalid YAML"),
    "quotes in words": (lambda: HEAD + "  x: [a:b, '" + "a'" * N + "]\n" + LIST, "invalid YAML"),
    "every private-use character": (
        lambda: HEAD + "  x: '\x85" + "".join(map(chr, range(0xE000, 0xF900))) + "'\n" + LIST,
        "every private-use character is in use",
    ),
    "words without a colon": (lambda: HEAD + "  word\n" * N + LIST, "invalid YAML"),
    "tags": (lambda: HEAD + "  x: " + "!a " * N + "\n" + LIST, "invalid YAML"),
    "carriage returns": (lambda: ATLAS + "# \r" * N, "carriage return"),
    "the adapter's document many times": (
        lambda: ATLAS + (OWN + "kind: HTTP\nmetadata: {name: openai}\n") * 5000,
        "more than once: in lines 9 and 13 and",
    ),
    "the Atlas many times": (lambda: (ATLAS + "---\n") * 5000, "5000 Atlas documents, expected one"),
    "an Atlas inside a long line": (lambda: "a: b\n " + "moment.dev/atla " * N + "\n", "has no Atlas document"),
    "lines of white space and no Atlas": (lambda: "a: moment.dev/\n" + " " * N + "\n" + " \n" * N, "no Atlas document"),
    "NULs": (lambda: ATLAS + "\0" * N, "control character U+0000"),
}


def run(data: bytes, *arguments: str | bytes, file: str | bytes = "-") -> subprocess.CompletedProcess[bytes]:
    """Run the command on `data`, with a gigabyte and a minute."""
    command: list[str | bytes] = [sys.executable, "-m", "mom", "atlas", "config", "add-http-adapter", "-f", file]
    command += ["--adapter-name", "openai", "--base-url", "https://api.openai.com", "--check", *arguments]
    return subprocess.run(
        command,
        input=data,
        capture_output=True,
        check=False,
        preexec_fn=_limit,
    )


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (GIGABYTE, GIGABYTE))
    # Of the processor: on a busy machine a second of that takes many.
    resource.setrlimit(resource.RLIMIT_CPU, (60, 60))


# What takes longest, and goes the same ways as others do.
SLOW = {
    *("a million items", "a million keys", "a plain scalar of 20 MB", "words without a colon", "tags", "blank lines"),
    *("opening conflict markers", "block mappings", "colons in words", "the Atlas many times", "spaces before a colon"),
    *(
        "documents that cannot be read",
        "adapters of nearly the same name",
        "a bystander of one quote that is not closed",
    ),
    *("quotes in words", "the adapter's document many times", "conflict markers in many documents", "block sequences"),
    *("blank lines below the last item's literal", "a plain scalar over many lines", "comments", "a literal"),
    *(
        "a million directives",
        "a million documents",
        "flow mappings",
        "complex keys",
        "a number",
        "comments below an empty list",
    ),
    *("a bystander of lines of white space", "a bystander of opening template braces", "a million ends"),
    *("tabs and spaces inside a value", "a bystander nested in brackets with escapes"),
}


def in_proof(cases: Iterable[str]) -> list[Any]:
    """Return the cases as parameters, the slow ones for the proof alone."""
    return [pytest.param(case, marks=pytest.mark.proof) if case in SLOW else case for case in cases]


@pytest.mark.parametrize("case", in_proof(EDITED))
def test_an_edit_takes_what_is_large_but_harmless(case: str) -> None:
    done = run(EDITED[case]().encode(), "--quiet")

    assert (done.returncode, done.stderr) == (3, b"")


@pytest.mark.parametrize("case", in_proof(REFUSED))
def test_a_file_that_is_made_to_hurt_is_refused_in_words(case: str) -> None:
    text, words = REFUSED[case]
    done = run(text().encode())

    assert done.returncode == 1
    assert words in done.stderr.decode()
    assert b"internal error" not in done.stderr
    assert done.stdout == b""


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (ATLAS.encode("utf-16"), "is UTF-16 (byte-order mark at byte 0)"),
        (ATLAS.encode("utf-16-be"), "looks like UTF-16"),
        (ATLAS.encode("utf-32"), "is UTF-32"),
        (ATLAS.encode() + b"# \xff\xfe\n", f"is not UTF-8: byte {len(ATLAS) + 2} is 0xFF"),
        (ATLAS.encode() + b"# \xed\xa0\x80\n", f"is not UTF-8: byte {len(ATLAS) + 2} is 0xED"),
        (b"\x00\x00\x00\x00", "(NUL at byte 0)"),
    ],
    ids=["UTF-16", "UTF-16 without a mark", "UTF-32", "no UTF-8", "a surrogate as UTF-8", "NULs"],
)
def test_an_encoding_that_is_not_edited_is_named_with_the_byte(data: bytes, words: str) -> None:
    done = run(data)

    assert done.returncode == 1
    assert words in done.stderr.decode()


@pytest.mark.parametrize(
    "arguments",
    [
        [b"--adapter-name", b"a\xff"],
        [b"--base-url", b"https://a.example/\xff"],
        [b"-H", b"X-\xff: a"],
        [b"-H", b"X-A: a\xff"],
    ],
    ids=["name", "URL", "header name", "header value"],
)
def test_bytes_on_the_command_line_that_are_not_text_are_refused_in_words(arguments: list[bytes]) -> None:
    done = run(ATLAS.encode(), *arguments)

    assert done.returncode in {1, 2}
    assert b"error" in done.stderr
    assert b"internal error" not in done.stderr


def test_a_file_whose_name_is_not_text_is_edited_and_named(tmp_path: Path) -> None:
    file = os.fsencode(tmp_path) + b"/atlas-\xff.yml"
    Path(os.fsdecode(file)).write_text(ATLAS)
    done = run(b"", file=file)

    assert done.returncode == 3
    assert b"internal error" not in done.stderr
    assert b"atlas-" in done.stderr


def test_no_more_of_a_file_is_read_than_is_edited(tmp_path: Path) -> None:
    """A sparse file of ten times the memory there is."""
    path = tmp_path / "atlas.yml"
    with path.open("wb") as file:
        file.truncate(10 * GIGABYTE)
    done = run(b"", file=str(path))

    assert done.returncode == 1
    assert f"it is larger than {MAX_BYTES >> 20} MiB" in done.stderr.decode()
    assert path.stat().st_size == 10 * GIGABYTE
