"""The commonest slips of the pen: each is one problem, at its own place, with a hint that says what to type.

Both parsers give the same answers, the one of libyaml and the one in Python.
"""

from __future__ import annotations

import pytest

from mom.atlas.validate import validate
from mom.yamledit import parser
from mom.yamledit.source import Source

FILE = """\
apiVersion: moment.dev/atlas/v1alpha1
kind: Atlas
metadata:
  name: atlas
spec:
  owner: team
  apiAdapters:
  - adapterRef:
      apiVersion: moment.dev/adapters/v1alpha1
      kind: HTTP
      name: github
---
apiVersion: moment.dev/adapters/v1alpha1
kind: HTTP
metadata:
  name: github
spec:
  # Where it is.
  baseUrl: https://api.github.com
  headers:
  - name: Authorization
    value: Bearer ${{ GITHUB_TOKEN }}
  - name: X-Team
    value: "core"
"""


def test_the_file_that_the_slips_are_made_in_is_valid() -> None:
    assert validate(Source("f", FILE)) == []


# The text, what was typed instead, the line and the column of the slip, and what the hint says.
SLIPS = [
    pytest.param(
        "  name: atlas\n",
        "  name atlas\n",
        (4, 7),
        "write `name:`, a space and the value",
        id="missing colon, only key",
    ),
    pytest.param(
        "  owner: team", "  owner team", (6, 8), "write `owner:`, a space and the value", id="missing colon, among keys"
    ),
    pytest.param(
        "kind: Atlas", "kind Atlas", (2, 5), "write `kind:`, a space and the value", id="missing colon, top level"
    ),
    pytest.param(
        "metadata:\n  name: github",
        "metadata\n  name: github",
        (15, 9),
        "write `metadata:`",
        id="missing colon, mapping",
    ),
    pytest.param("spec:\n  owner", "spec\n  owner", (5, 5), "write `spec:`", id="missing colon spec"),
    pytest.param("  headers:\n", "  headers\n", (20, 10), "write `headers:`", id="missing colon list"),
    pytest.param(
        "  - adapterRef:\n", "  - adapterRef\n", (8, 15), "write `adapterRef:`", id="missing colon adapterRef"
    ),
    pytest.param(
        "apiVersion: moment.dev/atlas",
        "apiVersion moment.dev/atlas",
        (1, 11),
        "write `apiVersion:`, a space and the value",
        id="missing colon apiVersion",
    ),
    pytest.param(
        "---\napiVersion: moment",
        "---\napiVersion moment",
        (13, 11),
        "write `apiVersion:`, a space and the value",
        id="missing colon first adapters",
    ),
    pytest.param(
        "    value: Bearer",
        "    value Bearer",
        (22, 10),
        "write `value:`, a space and the value",
        id="missing colon item value",
    ),
    pytest.param(
        "  - name: Auth", "  - name Auth", (21, 9), "write `name:`, a space and the value", id="missing colon item name"
    ),
    pytest.param("  owner: team", "  owner:team", (6, 9), "write a space after the colon", id="no space after colon"),
    pytest.param(
        "kind: HTTP\nmeta", "kind:HTTP\nmeta", (14, 6), "write a space after the colon", id="no space after colon top"
    ),
    pytest.param(
        "  name: github\nspec",
        "  name:github\nspec",
        (16, 8),
        "write a space after the colon",
        id="no space after colon only key",
    ),
    pytest.param(
        "apiVersion: moment.dev/atlas",
        "apiVersion:moment.dev/atlas",
        (1, 12),
        "write a space after the colon",
        id="no space after colon apiVersion",
    ),
    pytest.param(
        "baseUrl: https", "baseUrl:https", (19, 11), "write a space after the colon", id="no space after colon baseUrl"
    ),
    pytest.param(
        "  - name: Auth", "  - name:Auth", (21, 10), "write a space after the colon", id="no space after colon item"
    ),
    pytest.param(
        "  - name: Auth",
        "  -name: Auth",
        (21, 4),
        "write a space after the dash of a list item",
        id="no space after dash",
    ),
    pytest.param(
        "  - name: X-",
        "  -name: X-",
        (23, 4),
        "write a space after the dash of a list item",
        id="no space after 2nd dash",
    ),
    pytest.param(
        "  - adapterRef:",
        "  -adapterRef:",
        (8, 4),
        "write a space after the dash of a list item",
        id="no space after dash ref",
    ),
    pytest.param(
        'value: "core"', 'value: "core', (24, 12), 'close it: write `"` after the text', id="unclosed double quote"
    ),
    pytest.param(
        "owner: team", 'owner: "team', (6, 10), 'close it: write `"` after the text', id="unclosed double quote middle"
    ),
    pytest.param(
        "value: Bearer ${{ GITHUB_TOKEN }}",
        'value: "Bearer ${{ GITHUB_TOKEN }}',
        (22, 12),
        'close it: write `"` after the text',
        id="unclosed double quote before other",
    ),
    pytest.param(
        "owner: team", "owner: 'team", (6, 10), "close it: write `'` after the text", id="unclosed single quote"
    ),
    pytest.param('value: "core"', 'value: core"', (24, 16), "write both, or neither", id="missing open quote"),
    pytest.param("owner: team", 'owner: team"', (6, 14), "write both, or neither", id="missing open quote owner"),
    pytest.param(
        'value: "core"',
        'value: "core" x',
        (24, 19),
        'put all of the value inside the quotes; write `\\"` for a quote inside',
        id="text after quote",
    ),
    pytest.param(
        "owner: team", "owner: team\n  identityProviders: [", (7, 22), "close it with `]`", id="unclosed bracket"
    ),
    pytest.param(
        "  - adapterRef:\n      apiVersion: moment.dev/adapters/v1alpha1\n      kind: HTTP\n      name: github",
        "  - adapterRef: {apiVersion: moment.dev/adapters/v1alpha1, kind: HTTP, name: github",
        (8, 17),
        "close it with `}`",
        id="unclosed brace",
    ),
    pytest.param(
        '  - name: X-Team\n    value: "core"',
        '  - {name: X-Team, value: "core"',
        (23, 5),
        "close it with `}`",
        id="unclosed brace in item",
    ),
    pytest.param("  owner: team", "  owner: team\n  identityProviders: []]", (7, 24), "remove it", id="extra bracket"),
    pytest.param(
        '  - name: X-Team\n    value: "core"',
        '  - {name: X-Team, value: "core"}}',
        (23, 34),
        "remove it",
        id="extra brace",
    ),
    pytest.param(
        '  - name: X-Team\n    value: "core"',
        '  - {name: X-Team, value: "core"]',
        (23, 33),
        "write `}`",
        id="wrong closing",
    ),
    pytest.param("  owner: team", "  owner：team", (6, 8), "type a plain `:` and a space", id="full-width colon"),
    pytest.param(
        "kind: HTTP\nmeta",
        "kind： HTTP\nmeta",
        (14, 5),
        "type a plain `:` and a space",
        id="full-width colon with space",
    ),
    pytest.param("  owner: team", "\xa0\xa0owner: team", (6, 1), "type a plain space", id="nbsp indentation"),
    pytest.param("  owner: team", " \xa0owner: team", (6, 2), "type a plain space", id="nbsp indentation second"),
    pytest.param("  owner: team", "  owner:\xa0team", (6, 9), "type a plain space", id="nbsp after colon"),
    pytest.param("  - name: X-", "  -\xa0name: X-", (23, 4), "type a plain space", id="nbsp after dash"),
    pytest.param("  owner: team", "  owner=team", (6, 8), "write `owner:`, a space and the value", id="equals"),
    pytest.param(
        "  owner: team", "  owner = team", (6, 9), "write `owner:`, a space and the value", id="equals spaced"
    ),
    pytest.param("kind: Atlas", "kind = Atlas", (2, 6), "write `kind:`, a space and the value", id="equals top"),
    pytest.param("  # Where it is.", "  // Where it is.", (18, 3), "begin it with `#`", id="slashes comment"),
    pytest.param(
        "  owner: team",
        "  owner: team // us",
        (6, 15),
        "begin a comment with a space and `#`",
        id="slashes comment end",
    ),
    pytest.param("kind: Atlas", "// the kind\nkind: Atlas", (2, 1), "begin it with `#`", id="slashes comment top"),
    pytest.param(
        "apiVersion: moment.dev/atlas",
        "// the\napiVersion: moment.dev/atlas",
        (1, 1),
        "begin it with `#`",
        id="slashes comment first",
    ),
    pytest.param("\n---\n", "\n--\n", (12, 1), "write `---`, three hyphens, on a line of its own", id="double dash"),
    pytest.param("\n---\n", "\n—\n", (12, 1), "write `---`, three hyphens, on a line of its own", id="em dash"),
    pytest.param("\n---\n", "\n----\n", (12, 1), "write `---`, three hyphens, on a line of its own", id="four dashes"),
    pytest.param(
        "\n---\n", "\n===\n", (12, 1), "write `---`, three hyphens, on a line of its own", id="equals separator"
    ),
    pytest.param("\n---\n", "\n  ---\n", (12, 3), "unindent it", id="indented separator"),
    pytest.param("\n---\n", "\n", (12, 1), "write `---` on a line of its own above this line", id="separator missing"),
    pytest.param("  owner: team", "\towner: team", (6, 1), "use spaces", id="tab indent"),
    pytest.param("    value: Bearer", "\tvalue: Bearer", (22, 1), "use spaces", id="tab indent deep"),
    pytest.param("    value: Bearer", "  \tvalue: Bearer", (22, 3), "use spaces", id="space tab indent"),
    pytest.param(
        "  headers:\n", "   headers:\n", (20, 4), "indent it by 2 spaces, like `baseUrl:` above", id="indent +1"
    ),
    pytest.param(
        "  headers:\n", " headers:\n", (20, 2), "indent it by 2 spaces, like `baseUrl:` above", id="indent -1"
    ),
    pytest.param(
        "  owner: team", " owner: team", (6, 2), "indent it by 2 spaces, like `name:` above", id="indent -1 first"
    ),
    pytest.param(
        "  owner: team", "   owner: team", (6, 4), "indent it by 2 spaces, like `name:` above", id="indent +1 first"
    ),
    pytest.param("    value: Bearer", "   value: Bearer", (22, 4), "indent it by 4 spaces", id="value indent -1"),
    pytest.param("    value: Bearer", "     value: Bearer", (22, 6), "indent it by 4 spaces", id="value indent +1"),
    pytest.param(
        "  - name: X-", "   - name: X-", (23, 4), "indent it by 2 spaces, like `- name:` above", id="dash column"
    ),
    pytest.param(
        "  - name: X-", " - name: X-", (23, 2), "indent it by 2 spaces, like `- name:` above", id="dash column -"
    ),
    pytest.param(
        "  name: github\nspec",
        "name: github\nspec",
        (16, 1),
        "`name` belongs inside `metadata`: indent it below",
        id="name not indented",
    ),
    pytest.param(
        "Bearer ${{",
        "Bearer: ${{",
        (22, 18),
        "put the value in quotes: a colon and a space inside it would begin another key",
        id="colon in value",
    ),
    pytest.param(
        "owner: team",
        "owner: team: core",
        (6, 14),
        "put the value in quotes: a colon and a space inside it would begin another key",
        id="colon in value 2",
    ),
    pytest.param("owner: team", "owner: @team", (6, 10), "put the value in quotes", id="at"),
    pytest.param("owner: team", "owner: `team`", (6, 10), "put the value in quotes", id="backtick"),
    pytest.param("owner: team", "owner: %team", (6, 10), "put the value in quotes", id="percent"),
    pytest.param(
        "owner: team",
        "owner: *team",
        (6, 10),
        "put the value in quotes if it is text, or write `&team` where the value is that it names",
        id="alias",
    ),
    pytest.param("owner: team", "owner: &team", (6, 10), "for example `owner: example.com`", id="amp"),
    pytest.param("owner: team", "owner: & team", (6, 10), "put the value in quotes", id="amp2"),
    pytest.param("owner: team", "owner: !team", (6, 10), "for example `example.com`", id="bang"),
    pytest.param(
        "owner: team",
        "owner: |team",
        (6, 11),
        "write the text on the next lines, indented, or put the value in quotes",
        id="pipe",
    ),
    pytest.param("owner: team", "owner: team,", (6, 14), "remove it", id="comma end"),
    pytest.param('value: "core"', 'value: "core",', (24, 18), "remove it", id="comma end quoted"),
    pytest.param("  owner: team", "  owner: team\n  identityProviders: [],", (7, 24), "remove it", id="comma end flow"),
    pytest.param(
        "name: github\nspec", "name: “github”\nspec", (16, 9), 'type a straight quote: `"`', id="smart quotes"
    ),
    pytest.param(
        "baseUrl: https://api.github.com",
        "baseUrl: “https://api.github.com”",
        (19, 12),
        'type a straight quote: `"`',
        id="smart quotes url",
    ),
    pytest.param("  owner:", "  “owner”:", (6, 3), 'type a straight quote: `"`', id="smart key"),
    pytest.param("owner: team", 'owner: "C:\\team"', (6, 10), "put the value in single quotes", id="windows path"),
    pytest.param(
        'value: "core"',
        'value: "\\${{ CORE }}"',
        (24, 13),
        "write `\\\\` for a backslash, or put the value in single quotes",
        id="dollar escape",
    ),
    pytest.param("  owner:", "  \ufeffowner:", (6, 3), "delete it", id="bom middle"),
    pytest.param("  owner:", "  \u200bowner:", (6, 3), "delete it", id="zero width"),
    pytest.param(
        '  - name: X-Team\n    value: "core"',
        "  - {name: X-Team, value: ${{ CORE }}}",
        (23, 27),
        "put the value in quotes: its braces are YAML's there",
        id="brace reference in flow",
    ),
    pytest.param(
        'value: "core"',
        "value: {{ CORE }}",
        (24, 12),
        "run mom on the rendered file; an environment reference is written ${{ NAME }}",
        id="reference first",
    ),
    pytest.param("  owner: team", "  owner; team", (6, 8), "write `owner:`, a space and the value", id="semicolon"),
    pytest.param(
        "  owner: team",
        "  <<: {owner: a}\n  <<: {owner: b}",
        (7, 3),
        "write one with a list: `<<: [*a, *b]`",
        id="merge twice",
    ),
    pytest.param(
        "  owner: team",
        "  owner: a\n  owner: team",
        (7, 3),
        "remove one: parsers disagree about which one wins",
        id="dup key",
    ),
    pytest.param("  owner: team", "  owner => team", (6, 9), "write `owner:`, a space and the value", id="arrow"),
    pytest.param("  owner: team", "  owner :team", (6, 10), "write a space after the colon", id="colon space before"),
    pytest.param("  owner:", '  "owner:', (6, 3), 'close it: write `"` after the text', id="missing quote key"),
    pytest.param("  # Where it is.", "  /* Where it is. */", (18, 3), "begin it with `#`", id="block comment"),
    pytest.param("  # Where it is.", "  <!-- Where it is. -->", (18, 3), "begin it with `#`", id="html comment"),
    pytest.param("  # Where it is.", "  -- Where it is.", (18, 3), "begin it with `#`", id="dash dash comment"),
    pytest.param(
        "owner: team", "owner: team# ours", (6, 14), "write a space before it, or quotes around all", id="hash no space"
    ),
    pytest.param(
        "apiVersion: moment.dev/atlas",
        "```yaml\napiVersion: moment.dev/atlas",
        (1, 1),
        "remove this line",
        id="fences first",
    ),
    pytest.param('value: "core"\n', 'value: "core"\n```\n', (25, 1), "remove this line", id="fence last"),
]


@pytest.mark.parametrize(("text", "typed", "place", "hint"), SLIPS)
def test_a_slip_is_one_problem_at_its_place_with_what_to_type(
    text: str, typed: str, place: tuple[int, int], hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert text in FILE
    source = Source("f", FILE.replace(text, typed, 1))

    problems = validate(source)

    assert [((problem.place.line, problem.place.column), problem.hint) for problem in problems] == [(place, hint)]
    monkeypatch.setattr(parser, "c_parser", lambda: None)
    assert validate(source) == problems
