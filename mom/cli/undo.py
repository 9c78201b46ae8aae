"""The command that undoes an edit, as it is typed in a shell; None where none does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from mom.atlas.edit.add import AddedAdapter
from mom.atlas.edit.result import Action, Edit
from mom.cli.configuration_file import ConfigurationFile
from mom.shell import join, quote
from mom.yamledit.data import Data
from mom.yamledit.shape import Value

if TYPE_CHECKING:
    # What an addition does not need.
    from mom.atlas.edit.change import HttpChanges

_CONFIG = "mom atlas config"
_PARTS = {"apiVersion", "kind", "metadata", "spec"}


def undo_add(edit: Edit, kind: str, name: str, file: ConfigurationFile) -> str | None:
    """Return the command that removes what `edit` added; none where it added one part beside another."""
    if not isinstance(edit, AddedAdapter) or edit.action is not Action.ADDED:
        return None
    options = f" --kind {kind}" if edit.shares_name else ""
    options += " --keep-comments" if edit.below_comments else ""
    return f"{_CONFIG} remove{file.option} {quote(name)}{options}"


def undo_remove(kind: str, name: str, document: Data, file: ConfigurationFile) -> str | None:
    """Return the command that adds an adapter again whose document had that data, None where no options say it all."""
    from mom.atlas.adapters import KINDS

    if kind not in KINDS or not isinstance(document, dict) or document.keys() - _PARTS:
        return None
    if document.get("metadata") != {"name": name}:
        return None
    words = KINDS[kind].command_words(name, document)
    if words is None:
        return None
    command, *options = words
    return f"{_CONFIG} {command}{file.option} {join(options)}"


def undo_set(name: str, before: HttpChanges | None, file: ConfigurationFile) -> str | None:
    """Return the command that sets an HTTP adapter to what it was, None where no options say it all."""
    options = None if before is None else _options(before)
    return f"{_CONFIG} set{file.option} {join([name, *options])}" if options else None


def _options(changes: HttpChanges) -> list[str] | None:
    """Return the options that make these changes, None where no options say it all."""
    from mom.atlas.adapters.http_command import words_for
    from mom.cli.http_access import REMOVED_BOUNDS

    parts = [
        words_for("baseUrl", changes.base_url) if changes.base_url is not None else [],
        words_for("headers", _items(changes.headers)),
        _repeated("--remove-header", changes.removed),
        words_for("query", _items(changes.query)),
        *(words_for(key, value) for key, value in changes.settings.values),
        _repeated("--remove-query", changes.removed_query),
        _repeated("--unset", changes.settings.removed),
        words_for("allow", list(changes.allow)),
        _removed_entries(changes.removed_allow),
        *(words_for(key, value) for key, value in changes.bounds.values().items()),
        [REMOVED_BOUNDS[key] for key in changes.bounds.removed],
    ]
    options: list[str] = []
    for words in parts:
        if words is None:
            return None
        options += words
    return options


def _items(pairs: Iterable[tuple[str, str]]) -> list[Value]:
    return [{"name": name, "value": value} for name, value in pairs]


def _repeated(option: str, values: Iterable[str]) -> list[str]:
    return [word for value in values for word in (option, value)]


def _removed_entries(entries: Iterable[Mapping[str, Value]]) -> list[str] | None:
    from mom.atlas.adapters.http_words import write_allow

    words: list[str] = []
    for entry in entries:
        if (text := write_allow(entry)) is None:
            return None
        words += ["--remove-allow", text]
    return words


def undo_rename(old: str, new: str, kind: str | None, file: ConfigurationFile) -> str:
    """Return the command that gives an adapter its old name again."""
    option = f" --kind {kind}" if kind is not None else ""
    return f"{_CONFIG} rename{file.option} {join([new, old])}{option}"
