"""The pattern for paths with a dot segment, in every spelling that some server is known to understand so.

`..` between separators would leave the adapter's base path, and could reach what its credential should not. A server
that decodes, cleans or maps characters before it splits a path sees more of them than RFC 3986, 5.2.4 does.
"""

from __future__ import annotations


def _bytes(*values: int) -> str:
    """Return a pattern for bytes, each raw or percent-encoded (Envoy matches bytes, not characters)."""
    return "".join(rf"(?:\x{value:02x}|%{value:02x})" for value in values)


def _unicode(*points: int) -> str:
    """Return a pattern for characters: their UTF-8, raw or percent-encoded, and the `%uXXXX` of IIS."""
    return "|".join(f"{_bytes(*chr(point).encode())}|%u{point:04x}" for point in points)


# Overlong UTF-8 (CVE-2000-0884, CVE-2008-2938); fullwidth and small forms, which become ASCII by NFKC or by the best
# fit of a Windows code page. `%c0%2e` is the second byte without its high bit, which lenient decoders drop.
_DOT = "|".join(
    (
        r"\.|%2e|%u002e",
        _bytes(0xC0, 0xAE),
        r"(?:\xc0|%c0)(?:\.|%2e)",
        _bytes(0xE0, 0x80, 0xAE),
        _bytes(0xF0, 0x80, 0x80, 0xAE),
        _unicode(0xFF0E, 0xFE52, 0x2024),
    )
)
_SEPARATOR = "|".join(
    (
        r"/|\\|%2f|%5c|%u002f|%u005c",
        _bytes(0xC0, 0xAF),
        _bytes(0xC1, 0x9C),
        _bytes(0xE0, 0x80, 0xAF),
        _bytes(0xE0, 0x81, 0x9C),
        _bytes(0xF0, 0x80, 0x80, 0xAF),
        _bytes(0xF0, 0x80, 0x81, 0x9C),
        _unicode(0xFF0F, 0xFF3C, 0x2044, 0x2215, 0x2216, 0xFE68),
    )
)
# Controls, blanks and a no-break space: stripped at the end of a name (Windows), taken off anywhere (WHATWG URL, of tab
# and line endings), or the end of a C string (NUL).
_IGNORED = rf"(?:[\x01-\x20\x7f]|%[01][0-9a-f]|%20|%7f|\xa0|%a0|{_unicode(0xA0, 0x00AD, 0x200B, 0xFEFF)})*"
_TWO_DOTS = f"(?:(?:{_DOT}){_IGNORED}){{1,2}}|(?:{_unicode(0x2025)}){_IGNORED}"
# `;` starts a parameter of the segment (RFC 3986, 3.3; matrix parameters). A server that decodes first ends the path at
# an encoded `?` or `#`.
_END = f"(?:(?:;|%3b|%3f|%23|#|[?]|{_SEPARATOR}).*)?"
# A query is not searched where it is part of the input.
PATTERN = f"(?i)[^?]*(?:{_SEPARATOR}){_IGNORED}(?:{_TWO_DOTS}){_END}"
