"""Nothing unproven is written: whatever else an edit would do to a file, it is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mom.atlas.adapters.http import HttpAdapterSpec
from mom.atlas.edit.add import add_adapter
from mom.errors import MomError
from mom.yamledit import operations, splice
from mom.yamledit.source import Source
from tests.samples import atlas, http, reference

FILE = (
    "# The gateway.\n"
    + atlas("github", after="  owner: example.com\n")
    + "---\nkind: Note\ntext: somebody else's\n"
    + http("github")
)

ADAPTER = HttpAdapterSpec("openai", "https://api.openai.com", (("X-Api-Key", "${{ KEY }}"),))
ITEM = reference("openai")

WRONG: dict[str, Callable[[str], str]] = {
    "a comment is lost": lambda text: text.replace("# The gateway.\n", ""),
    "a comment is changed": lambda text: text.replace("gateway", "Gateway"),
    "a value of the Atlas changes": lambda text: text.replace("owner: example.com", "owner: example.org"),
    "a key of the Atlas is lost": lambda text: text.replace("  owner: example.com\n", ""),
    "a key of the Atlas is added": lambda text: text.replace("  owner", "  exposedPorts: {}\n  owner"),
    "quotes change": lambda text: text.replace("owner: example.com", "owner: 'example.com'"),
    "the item is missing": lambda text: text.replace(ITEM, ""),
    "the item stands first": lambda text: text.replace(ITEM, "").replace("  - adapterRef", ITEM + "  - adapterRef", 1),
    "the item stands twice": lambda text: text.replace(ITEM, ITEM * 2),
    "the item has another name": lambda text: text.replace("name: openai\n  owner", "name: opnai\n  owner"),
    "an item is lost": lambda text: text.replace(ITEM.replace("openai", "github"), ""),
    "another tool's document changes": lambda text: text.replace("somebody else's", "ours"),
    "another tool's document is lost": lambda text: text.replace("---\nkind: Note\ntext: somebody else's\n", ""),
    "another adapter changes": lambda text: text.replace("https://api.github.com", "https://github.example.com"),
    "the document is missing": lambda text: text[: text.rindex("---\n")],
    "the document has another URL": lambda text: text.replace("api.openai.com", "api.openai.org"),
    "a header is missing": lambda text: text[: text.rindex("  headers:")],
    "a document is added": lambda text: text + "---\na: b\n",
    "the result is no YAML": lambda text: text.replace("kind: Atlas", "kind: [Atlas"),
    "line ends change": lambda text: text.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("situation", WRONG)
def test_an_edit_that_does_anything_else_is_refused(monkeypatch: pytest.MonkeyPatch, situation: str) -> None:
    source, apply = Source("atlas.yml", FILE), splice.apply
    right = add_adapter(source, ADAPTER).text
    assert WRONG[situation](right) != right
    monkeypatch.setattr(operations, "apply", lambda text, splices: WRONG[situation](apply(text, splices)))
    with pytest.raises(MomError, match=r"refusing to edit: .*; nothing was written") as refused:
        add_adapter(source, ADAPTER)
    assert [problem.rule for problem in refused.value.problems] == ["unsafe-edit"]


@pytest.mark.parametrize(
    "adapter",
    [
        pytest.param(HttpAdapterSpec("openai", ""), id="a base URL that is empty"),
        pytest.param(HttpAdapterSpec("", "https://api.openai.com"), id="a name that is empty"),
    ],
)
def test_what_its_schema_refuses_is_not_added(adapter: HttpAdapterSpec) -> None:
    with pytest.raises(MomError, match="would not be valid; nothing was written"):
        add_adapter(Source("atlas.yml", FILE), adapter)


# What mom itself would read as it was meant, and another parser would not.
OTHERWISE: dict[str, tuple[str, Callable[[str], str], str]] = {
    "libyaml refuses it": (
        "openai",
        lambda text: text.replace(ITEM, ITEM.replace("kind: HTTP\n", "kind: HTTP\n  \t# c\n")),
        "parsers that read this document now would not read it",
    ),
    "YAML 1.1 reads a boolean in the item": (
        "yes",
        lambda text: text.replace("name: 'yes'", "name: yes", 1),
        "the Atlas document would change elsewhere",
    ),
    "YAML 1.1 reads a boolean in the document": (
        "yes",
        lambda text: text[:-200] + text[-200:].replace("name: 'yes'", "name: yes"),
        "would not be read back as it was meant",
    ),
}


@pytest.mark.parametrize("situation", OTHERWISE)
def test_what_another_parser_would_read_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch, situation: str) -> None:
    name, change, reason = OTHERWISE[situation]
    source, apply = Source("atlas.yml", FILE), splice.apply
    adapter = HttpAdapterSpec(name, "https://api.openai.com")
    right = add_adapter(source, adapter).text
    assert change(right) != right
    monkeypatch.setattr(operations, "apply", lambda text, splices: change(apply(text, splices)))
    with pytest.raises(MomError, match=reason):
        add_adapter(source, adapter)
