"""The command that undoes an edit, as it is typed in a shell; None where none does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mom.atlas.edit.add import AddedAdapter
from mom.atlas.edit.result import Action, Edit
from mom.atlas.values.secrets import literal_secret
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
    """Return the command that sets an HTTP adapter to what it was."""
    if before is None or _has_secret(before.headers):
        return None
    options = ["--base-url", before.base_url] if before.base_url is not None else []
    for header, value in before.headers:
        options += ["-H", f"{header}: {value}"]
    for header in before.removed:
        options += ["--remove-header", header]
    credentials = _credentials(before)
    if credentials is None:
        return None
    options += credentials
    access = _access(before)
    if access is None:
        return None
    options += access
    return f"{_CONFIG} set{file.option} {join([name, *options])}" if options else None


def _credentials(before: HttpChanges) -> list[str] | None:
    """Return the options that restore the query and what is a key of its own; None where no option says it."""
    from mom.atlas.adapters.http_command import words_for

    options: list[str] = []
    query: Value = [{"name": name, "value": value} for name, value in before.query]
    given: list[tuple[str, Value]] = [("query", query), *before.settings.values]
    for key, value in given:
        if (words := words_for(key, value)) is None:
            return None
        options += words
    options += [word for name in before.removed_query for word in ("--remove-query", name)]
    return options + [word for key in before.settings.removed for word in ("--unset", key)]


def _access(before: HttpChanges) -> list[str] | None:
    """Return the options that restore entries of `allow` and bounds; None where no option says an entry."""
    from mom.atlas.adapters.http_words import write_allow, write_limit
    from mom.cli.http_access import REMOVED_BOUNDS

    options: list[str] = []
    for option, entries in (("--allow", before.allow), ("--remove-allow", before.removed_allow)):
        for entry in entries:
            if (text := write_allow(entry)) is None:
                return None
            options += [option, text]
    bounds = before.bounds
    options += ["--limit", write_limit(bounds.limits)] if bounds.limits is not None else []
    options += ["--timeout", bounds.timeout] if bounds.timeout is not None else []
    options += ["--retries", str(bounds.retries)] if bounds.retries is not None else []
    return options + [REMOVED_BOUNDS[key] for key in bounds.removed]


def undo_rename(old: str, new: str, kind: str | None, file: ConfigurationFile) -> str:
    """Return the command that gives an adapter its old name again."""
    option = f" --kind {kind}" if kind is not None else ""
    return f"{_CONFIG} rename{file.option} {join([new, old])}{option}"


def _has_secret(headers: Iterable[tuple[str, str]]) -> bool:
    """Whether a header has a credential in plain text, which no message repeats."""
    return any(literal_secret(name, value) is not None for name, value in headers)
