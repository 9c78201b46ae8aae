"""README and the pages of docs/ show what mom does: console blocks are run, tables are compared with `--help`.

`pytest --update-golden` writes both into the pages anew.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.pages import PAGES, README, ROOT, TREE, Shell, anchors, consoles, links, tables

DEPLOY = ROOT / "docs" / "deploy" / "README.md"
EVERY_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
# Pages of the repository beside docs/ whose links are followed, too.
LINKED = [*PAGES, *sorted(ROOT.glob("*.md"))]


def compare(request: pytest.FixtureRequest, page: Path, expected: str) -> None:
    """Insist that a page is `expected`, or write it on `--update-golden`."""
    if request.config.getoption("--update-golden"):
        page.write_text(expected)
    assert page.read_text() == expected


@EVERY_PAGE
def test_the_tables_of_commands_and_options_are_those_of_help(request: pytest.FixtureRequest, page: Path) -> None:
    compare(request, page, tables(page.read_text()))


@EVERY_PAGE
def test_the_console_blocks_show_what_is_printed(request: pytest.FixtureRequest, tmp_path: Path, page: Path) -> None:
    compare(request, page, consoles(page, tmp_path))


def test_every_command_has_its_options_in_a_page() -> None:
    text = "".join(page.read_text() for page in PAGES)

    missing = [path for path in TREE if path != "curl" and f"<!-- options: {path} -->" not in text]

    assert missing == []


def test_the_readme_is_read_in_two_minutes() -> None:
    assert len(README.read_text().split("\n")) <= 200


@pytest.mark.parametrize("page", dict.fromkeys(LINKED), ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    for target in links(page.read_text()):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        file = page.parent / name if name else page
        assert file.is_file(), target
        assert not anchor or anchor in anchors(file.read_text()), target


def test_every_page_of_the_docs_is_linked_from_the_readme_or_that_of_deployments() -> None:
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in (README, DEPLOY)
        for target in links(page.read_text())
    }

    assert [page.name for page in PAGES if page != README and page not in linked] == []


def _keys(schema: dict[str, Any]) -> set[str]:
    """Return the names of all keys that a schema has, at any depth."""
    below = [*schema.get("properties", {}).values(), *schema.get("anyOf", []), *schema.get("oneOf", [])]
    below += [part for part in (schema.get("items"), schema.get("additionalProperties")) if isinstance(part, dict)]
    return set(schema.get("properties", {})).union(*map(_keys, below))


def test_the_reference_has_every_key_of_every_kind() -> None:
    page = (ROOT / "docs" / "reference.md").read_text()
    table = page.partition("## Keys of a configuration")[2].partition("\n## ")[0]
    schemas = [json.loads(file.read_text())["properties"]["spec"] for file in (ROOT / "schemas").glob("a*/**/*.json")]

    assert len(schemas) == 6
    assert [key for key in sorted(set().union(*map(_keys, schemas))) if f"`{key}`" not in table] == []


def test_the_usage_of_a_command_has_its_options_before_the_dashes_that_end_them(tmp_path: Path) -> None:
    assert Shell(tmp_path).run("mom exec --help").startswith("Usage: mom exec [options] -- COMMAND [ARGUMENT]...\n")


def test_help_fits_a_terminal_of_80_columns(tmp_path: Path) -> None:
    groups = {" ".join(path.split()[:depth]) for path in TREE for depth in range(3)}

    shell = Shell(tmp_path)
    wide = {
        line
        for path in sorted(groups | set(TREE))
        for line in shell.run(f"mom {path} --help").split("\n")
        if len(line) > 80
    }

    assert wide == set()
