"""The list of APIs in docs/catalog.md is made from the catalog. `pytest --update-golden` writes it anew."""

from __future__ import annotations

import re

import pytest

from mom.catalog import loader
from tests.pages import ROOT

PAGE = ROOT / "docs" / "catalog.md"


def _table() -> str:
    lines = ["| name | API | base URL | variables |", "|---|---|---|---|"]
    for entry in loader.all_integrations():
        variables = ", ".join(f"`{variable.name}`" for variable in entry.variables)
        lines.append(f"| `{entry.name}` | [{entry.title}]({entry.docs}) | `{entry.base_url}` | {variables} |")
    return "\n".join(lines)


def test_the_list_of_the_docs_is_that_of_the_catalog(request: pytest.FixtureRequest) -> None:
    text = PAGE.read_text()
    expected = re.sub(
        r"<!-- integrations -->\n(?:\n(?:\|[^\n]*\n)*)?", f"<!-- integrations -->\n\n{_table()}\n\n", text
    )
    expected = expected.replace("|\n\n\n", "|\n\n")
    if request.config.getoption("--update-golden"):
        PAGE.write_text(expected)

    assert PAGE.read_text() == expected
