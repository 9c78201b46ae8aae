"""The command that undoes an edit, as it is typed in a shell; None where none does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from mom.atlas.edit.add import AddedAdapter
from mom.atlas.edit.result import Action, Edit
from mom.atlas.values.secrets import literal_secret
from mom.cli.configuration_file import ConfigurationFile
from mom.shell import join, quote
from mom.yamledit.data import Data

if TYPE_CHECKING:
    # What an addition does not need.
    from mom.atlas.edit.change import HttpChanges

_CONFIG = "mom atlas config"
_REFERENCE = re.compile(r"\$\{\{ ?(\w+) ?\}\}\Z")


def undo_add(edit: Edit, kind: str, name: str, file: ConfigurationFile) -> str | None:
    """Return the command that removes what `edit` added; none where it added one part beside another."""
    if not isinstance(edit, AddedAdapter) or edit.action is not Action.ADDED:
        return None
    options = f" --kind {kind}" if edit.shares_name else ""
    options += " --keep-comments" if edit.below_comments else ""
    return f"{_CONFIG} remove{file.option} {quote(name)}{options}"


def undo_remove(kind: str, name: str, document: Data, file: ConfigurationFile) -> str | None:
    """Return the command that adds an adapter again whose document had that data."""
    spec = document.get("spec") if isinstance(document, dict) else None
    spec = spec if isinstance(spec, dict) else {}
    words: list[str] | None = None
    if kind == "HTTP":
        words = _http_words(name, spec)
    elif set(spec) == {"profiles"}:
        words = _profile_words(kind, name, spec["profiles"])
    elif kind in {"Kubernetes", "Moment"} and not spec and isinstance(document, dict):
        words = [f"add-{kind.lower()}-adapter", "--adapter-name", name]
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
    return f"{_CONFIG} set{file.option} {join([name, *options])}" if options else None


def undo_rename(old: str, new: str, kind: str | None, file: ConfigurationFile) -> str:
    """Return the command that gives an adapter its old name again."""
    option = f" --kind {kind}" if kind is not None else ""
    return f"{_CONFIG} rename{file.option} {join([new, old])}{option}"


def _http_words(name: str, spec: dict[str, Data]) -> list[str] | None:
    """Return the command for an HTTP adapter, None where it has what no option sets, or a credential in plain text."""
    url, listed = spec.get("baseUrl"), spec.get("headers") or []
    if not isinstance(url, str) or not isinstance(listed, list) or spec.keys() - {"baseUrl", "headers"}:
        return None
    headers: list[tuple[str, str]] = []
    for header in listed:
        values = (header.get("name"), header.get("value")) if isinstance(header, dict) else (None, None)
        if not isinstance(values[0], str) or not isinstance(values[1], str):
            return None
        headers.append((values[0], values[1]))
    if _has_secret(headers):
        return None
    words = ["add-http-adapter", "--adapter-name", name, "--base-url", url]
    for header_name, value in headers:
        words += ["-H", f"{header_name}: {value}"]
    return words


def _profile_words(kind: str, name: str, profiles: Data) -> list[str] | None:
    """Return the command for an adapter of profiles, None for another kind, or where it has what no option sets."""
    from mom.atlas.adapters import KINDS
    from mom.atlas.adapters.profiles import ProfileKind

    profile_kind = KINDS.get(kind)
    if not isinstance(profile_kind, ProfileKind):
        return None
    # In the order in which the option takes their variables; the last of AWS may be missing.
    credentials = profile_kind.credentials
    words = [f"add-{kind.lower()}-adapter", "--adapter-name", name]
    for profile in profiles if isinstance(profiles, list) else ():
        if not isinstance(profile, dict) or profile.keys() - {"name", *credentials}:
            return None
        values = [str(profile[key]) for key in credentials if key in profile]
        variables = [match[1] for value in values if (match := _REFERENCE.fullmatch(value))]
        if len(variables) < len(values):
            return None
        words += ["--profile", ",".join([str(profile.get("name")), *variables])]
    return words


def _has_secret(headers: Iterable[tuple[str, str]]) -> bool:
    """Whether a header has a credential in plain text, which no message repeats."""
    return any(literal_secret(name, value) is not None for name, value in headers)
