"""Files with one wrong character: an answer inside the file, with a hint, and mostly in the line of the slip."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from mom.atlas.validate import validate
from mom.problems import Severity
from mom.yamledit import parser
from mom.yamledit.source import Source
from tests.atlas.test_slips import FILE
from tests.searches import examples

FLOW = """\
apiVersion: moment.dev/atlas/v1alpha1
kind: Atlas
metadata: {name: atlas}
spec:
  identityProviders:
  - auth0:
      publicKey: "https://login.example.com/jwks"
      audience: 'https://atlas.example.com'
      issuer: https://login.example.com/
  apiAdapters:
    - adapterRef: {apiVersion: moment.dev/adapters/v1alpha1, kind: HTTP, name: a}
    - adapterRef:
        apiVersion: moment.dev/adapters/v1alpha1
        kind: AWS
        name: aws
---
kind: HTTP
apiVersion: moment.dev/adapters/v1alpha1
metadata: {name: a}
spec:
  baseUrl: https://api.example.com/v4
  headers: [
    {name: X-Api-Key, value: "${{ KEY }}"},
    {name: Accept, value: text/plain},
  ]
---
apiVersion: moment.dev/adapters/v1alpha1
kind: AWS
metadata:
  name: aws
spec:
  profiles:
    - name: default
      accessKeyId: ${{ ID }}
      secretAccessKey: ${{ SECRET }}
"""
TYPED = [*":-#\"'[]{},&*!|>%@`=;/\\x \t\u00a0\ufeff\u201c\uff1a", "\n", "\r"]


def slips(seed: int, count: int) -> Iterator[tuple[str, int]]:
    """Yield texts with one character left out, typed besides, typed instead, or twice; and the line of the slip."""
    chosen = random.Random(seed)
    while count:
        text = chosen.choice([FILE, FLOW])
        at = chosen.randrange(len(text))
        typed = chosen.choice(TYPED)
        damaged = text[:at] + chosen.choice(["", typed, typed + text[at], text[at] * 2]) + text[at + 1 :]
        if damaged != text:
            count -= 1
            yield damaged, text.count("\n", 0, at) + 1


def test_the_file_in_flow_style_is_valid() -> None:
    assert validate(Source("f", FLOW)) == []


@pytest.mark.parametrize(("library", "count"), [("libyaml", examples(300, 600)), ("Python", examples(40, 80))])
def test_one_wrong_character_has_an_answer_in_its_line(
    library: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if library == "Python":
        monkeypatch.setattr(parser, "c_parser", lambda: None)
    reported = near = many = 0
    for text, line in slips(20_261_125, count):
        lines = text.split("\n")
        problems = validate(Source("f", text))
        for problem in problems:
            assert 1 <= problem.place.line <= len(lines)
            assert 1 <= problem.place.column <= len(lines[problem.place.line - 1]) + 1
            assert problem.hint, (text, problem)
        wrong = [problem for problem in problems if problem.severity is not Severity.NOTE]
        reported += bool(wrong)
        # A line break typed or left out moves the lines below it by one.
        near += any(abs(problem.place.line - line) <= 1 for problem in wrong)
        many += len(wrong) > 2
    assert reported > count * 0.5
    # Measured: 98 %, and 1 % (a sign in the middle of `apiAdapters:`, say, is also missed below).
    assert near >= reported * 0.95
    assert many <= reported * 0.03
