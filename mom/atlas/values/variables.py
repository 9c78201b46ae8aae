"""What is probably wrong with the value of a variable, in the header that names it. No value is ever repeated."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping

from mom.atlas.references import Reference, filled, names, scan
from mom.atlas.values.objection import Objection

_SCHEMES = frozenset({"basic", "bearer", "token", "apikey", "digest", "negotiate", "bot"})


def doubts(header: str, value: str, variables: Mapping[str, str]) -> Iterator[tuple[str, Objection]]:
    """Yield the variables in a header's value that have a form no API accepts, each with a clause about it.

    header: its name. value: its value, with references. variables: the value of each.
    """
    yield from _of_variables(value, variables)
    yield from _of_basic(header, value, variables)


def _of_variables(template: str, variables: Mapping[str, str]) -> Iterator[tuple[str, Objection]]:
    before = ""
    for part in scan(template):
        if not isinstance(part, Reference):
            before = part if isinstance(part, str) else ""
            continue
        value = variables.get(part.name, "")
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            yield part.name, Objection("has quotes around its value, and they are sent", "remove them")
        if value != value.strip():
            yield part.name, Objection("has blanks around its value", "remove them")
        bare = value.strip().strip("\"'")
        first = re.match(r"([A-Za-z]+)(?:[ \t]+|=)\S", bare)
        word = first and re.search(r"([A-Za-z]+)[ \t=:]*\Z", before)
        if first and word and first[1].lower() == word[1].lower() and first[1].lower() in _SCHEMES:
            message = f"begins with `{word[1]}`, which the header already has"
            yield part.name, Objection(message, "remove the word from one of them")
        before = ""


def _of_basic(header: str, value: str, variables: Mapping[str, str]) -> Iterator[tuple[str, Objection]]:
    """RFC 7617, section 2: `Basic`, a space, and the base64 of user, colon and password."""
    template = re.match(r"\s*basic[ \t]+", value, re.IGNORECASE)
    if (
        template is None
        or not (given := names(value))
        or header.lower() not in {"authorization", "proxy-authorization"}
    ):
        return
    text = filled(value[template.end() :], variables)
    text = re.sub(r"\A(?:basic[ \t]+)?", "", text.strip().strip("\"'"), flags=re.IGNORECASE)
    hint = "store $(printf %s 'user:password' | base64) in it"
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        yield given[0], Objection("makes a `Basic` value that is not base64 of `user:password` (RFC 7617)", hint)
        return
    if b":" not in decoded:
        yield given[0], Objection("is not base64 of `user:password` (RFC 7617): it has no colon", hint)
    elif decoded.endswith((b"\n", b"\r")):
        yield given[0], Objection("is base64 with a line ending after the password", "use printf, not echo")
