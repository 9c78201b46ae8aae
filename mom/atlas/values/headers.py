"""What the name and the value of a header may be. A check returns None where the text is fine, else an `Objection`."""

from __future__ import annotations

import re

from mom.atlas.references import objection, scan
from mom.atlas.values.characters import CONTROL, show_character
from mom.atlas.values.objection import Objection
from mom.gateway import TOKEN_HEADER

# RFC 9110, section 5.6.2: what a field name is made of.
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")

# A proxy makes these itself: they frame a message (RFC 9112, section 6) or speak of one connection only (RFC 9110,
# section 7.6.1). Set from outside they break requests, or smuggle a second one in.
OWNED_BY_THE_PROXY = frozenset(
    {
        "connection",
        "content-length",
        "http2-settings",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def check_header_name(text: str) -> Objection | None:
    """Return what is wrong with a header's name: it must be a token (RFC 9110) that is not the proxy's own to set."""
    if not text:
        return Objection("the header's name is empty", "write one such as X-Api-Key")
    if not _TOKEN.match(text):
        strange = next(character for character in text if not _TOKEN.match(character))
        return Objection(
            f"the header name contains {show_character(strange)}",
            "it has letters, digits and !#$%&'*+-.^_`|~ only (RFC 9110)",
        )
    if text.lower() in OWNED_BY_THE_PROXY:
        return Objection(f"`{text}` is set by the proxy for each connection", "remove it")
    return None


EMPTY_VALUE = Objection("the value is empty", "write a value, or remove the header")


def refused_header(name: str) -> Objection | None:
    """Return why an adapter does not set a header that is one by its form: Atlas, or HTTP itself, has a use for it."""
    lower = name.lower()
    if lower == "host":
        return Objection("`Host` follows from the base URL", "remove it, and write the host in `baseUrl`")
    if lower == TOKEN_HEADER.lower():
        return Objection(f"`{TOKEN_HEADER}` carries the caller's token to Atlas, not to the API", "remove it")
    if lower == "expect":
        return Objection("`Expect` is answered by each server on the way", "remove it")
    return None


def check_control_characters(text: str) -> Objection | None:
    """Return what is wrong where a header's value contains a control character other than the tab (RFC 9110, 5.5)."""
    if match := CONTROL.search(text):
        what = "a line ending" if match.group() in "\r\n" else "a control character"
        return Objection(
            f"the value contains {what} ({show_character(match.group())})", "remove it, a header is one line of text"
        )
    return None


def check_header_value(text: str) -> Objection | None:
    """Return what is wrong with a header's value: control characters, or an unusable environment reference."""
    return check_control_characters(text) or check_references(text)


def check_references(text: str) -> Objection | None:
    """Return what is wrong with the first environment reference of a header's value that cannot be used."""
    return next((reason for part in scan(text) if (reason := objection(part))), None)
