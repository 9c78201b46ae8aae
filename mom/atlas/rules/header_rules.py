"""What is wrong with the headers of an adapter, and with values that are credentials."""

from __future__ import annotations

import re

from mom.atlas.documents import items_at, text_at
from mom.atlas.rules.findings import Findings
from mom.atlas.values import foreign, headers, secrets
from mom.atlas.values.foreign import find_foreign, is_meant_as_reference, meant_instead
from mom.atlas.values.stray import find_stray
from mom.yamledit.paths import Path


def check_headers(findings: Findings) -> None:
    """Add what is wrong with the headers of an HTTP adapter."""
    seen: dict[str, Path] = {}
    for path, header in items_at(findings.document.data, "spec", "headers"):
        name, value = text_at(header, "name"), text_at(header, "value")
        if name is not None:
            _header_name(findings, (*path, "name"), name, seen)
        if value is not None:
            _header_value(findings, (*path, "value"), name or "", value)


def refuse_authorization(findings: Findings, path: Path) -> None:
    """Add each header `Authorization`, which the credential at `path` sets too."""
    for of_header, header in items_at(findings.document.data, "spec", "headers"):
        if (text_at(header, "name") or "").lower() == "authorization":
            findings.add(
                path,
                "several-credentials",
                f"`{path[-1]}` and a header `Authorization` exclude each other",
                at=findings.document.tree.nearest(path).key,
                related=((findings.document.place(of_header), "the header"),),
            )


def _header_name(findings: Findings, path: Path, name: str, seen: dict[str, Path]) -> None:
    if reason := headers.check_header_name(name) or headers.refused_header(name):
        findings.objection(path, "header-name", reason)
        return
    first = seen.setdefault(name.lower(), path)
    if first is not path:
        findings.add(
            path,
            "repeated-header",
            f"header `{name}` is set twice (header names have no case)",
            related=((findings.document.place(first), "the first one"),),
        )


def _header_value(findings: Findings, path: Path, name: str, value: str) -> None:
    if not value.strip():
        findings.objection(path, "header-value", headers.EMPTY_VALUE)
        return
    if reason := headers.check_control_characters(value):
        hint = (
            "a block scalar (`|`) ends in a line ending: write the value on the line of its key"
            if "\n" in value
            else reason.hint
        )
        findings.add(path, "header-value", reason.message, hint=hint)
    elif not value.isascii() and not _stray_mark(findings, path, value):
        findings.add(path, "non-ascii-header", "the value is not ASCII: servers disagree about its encoding")
    elif value.isascii():
        _stray_mark(findings, path, value)
    _quotes(findings, path, name, value)
    if reason := secrets.unencoded_basic(name, value):
        findings.add(path, "basic-credentials", reason.message, hint=reason.hint)
    _foreign_reference(findings, path, name, value)
    if wrong := secrets.literal_secret(name, value):
        plain_credential(findings, path, wrong, value, name)


def _stray_mark(findings: Findings, path: Path, value: str) -> bool:
    """Warn of typographic characters, of a comment that is none, and of half a pair of quotes."""
    mark = find_stray(value)
    if mark is None or value[mark.start : mark.end] in {",", ";", "<", "#", "\t"}:
        return False
    part = value[mark.start : mark.end]
    at_end = mark.end == len(value)
    findings.add_inside(path, "stray-mark", mark.message, part, hint=mark.hint, at_end=at_end)
    return True


def _quotes(findings: Findings, path: Path, name: str, value: str) -> None:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
    if quoted and ("${{" in value or secrets.is_credential_header(name)):
        message = "the value contains its quotes, which are sent to the API"
        secret = secrets.literal_secret(name, value)
        hint = "remove the inner quotes" if secret else f"remove the inner quotes: {value[1:-1]}"
        findings.add(path, "quoted-value", message, hint=hint, replacement=value[1:-1])


def _foreign_reference(findings: Findings, path: Path, name: str, value: str) -> None:
    """Warn of a reference in another tool's form: it would be sent as it is."""
    foreign_part = find_foreign(value, placeholders=secrets.is_credential_header(name))
    if (
        foreign_part is None
        or path in findings.unread
        or (foreign_part.name is None and not is_meant_as_reference(value))
    ):
        return
    instead = meant_instead(foreign_part, secrets.suggested_reference(name))
    part = value[foreign_part.start : foreign_part.end]
    findings.unread.add(path)
    findings.add_inside(path, "foreign-reference", foreign.message(value, foreign_part), part, hint=f"write {instead}")
    if part.startswith("${") and len(part) > len(f"${{{foreign_part.name}}}"):
        # The default of a shell's reference may be the credential itself.
        node = findings.document.tree.nearest(path).value
        findings.secrets.append((node.start, node.end))


# What may be shown of a value whose references are none.
_ANY_BRACES = re.compile(r"\$?\{\{[^{}]*(?:\}\}|\Z)")
_SCHEME_ALONE = re.compile(r"""["'\s]*(?:bearer|basic|token|token\s+token=)?["'\s]*\Z""", re.IGNORECASE)


def plain_credential(findings: Findings, path: Path, reason: str, value: str, name: str | None = None) -> None:
    """Report a credential in plain text, unless it was meant as a reference and that is reported already."""
    node = findings.document.tree.nearest(path).value
    meant = is_meant_as_reference(value) and not secrets.known_token(value)
    if meant and path not in findings.unread:
        _foreign_reference(findings, path, name or str(path[-1]), value)
    meant_well = path in findings.unread and not secrets.known_token(value)
    if not (meant_well and (meant or _SCHEME_ALONE.match(_ANY_BRACES.sub("", value)))):
        findings.secrets.append((node.start, node.end))
    if meant_well and (meant or "{{" in value):
        return
    instead = secrets.suggested_reference(name or str(path[-1]), value)
    hint = f"store it in the environment of Atlas and write {instead}; treat a committed credential as leaked"
    findings.add(path, "literal-secret", f"{reason}: do not commit credentials", hint=hint)
