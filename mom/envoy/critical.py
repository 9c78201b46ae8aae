"""The pattern for access tokens whose header has `crit`: extensions that must be understood, of which Envoy knows none.

RFC 7515, 4.1.11: such a token must be refused. Envoy's filter does not look; to record the header of each token, and to
look there, costs 2 % of a request. So the name is looked for in the token as it was sent: base64 (RFC 7515, 2) of a
text looks different by where in three bytes it begins. A token with `"crit"` as a value, which no issuer writes, is
refused too.
"""

from __future__ import annotations

from collections.abc import Sequence

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# A letter of a part of a token.
_ANY = "[^.]"
_NAME = tuple(bytes([byte]) for byte in b'"crit"')
# Letters that are escaped in JSON, `\u0063`: no serialiser writes them so, and no other name is told from this one.
_ESCAPED = (b"\\", b"u", b"0", b"0", b"67")


def _at(offset: int, text: Sequence[bytes]) -> str:
    """Return a pattern for the base64 of a text that begins `offset` bytes after a multiple of three.

    text: for each byte, those that it may be.
    """
    before, end = 8 * offset, 8 * (offset + len(text))
    groups = range(-(-end // 6))
    return "".join(_one_of(range(6 * group, 6 * group + 6), before, text) for group in groups)


def _one_of(bits: range, before: int, text: Sequence[bytes]) -> str:
    """Return a pattern for the characters that may stand for these bits, of which those from `before` on are `text`."""
    known = [bit for bit in bits if 0 <= bit - before < 8 * len(text)]
    letters = [
        letter for value, letter in enumerate(_ALPHABET) if _may_be(value, bits, known, before=before, text=text)
    ]
    return _ANY if not known else letters[0] if len(letters) == 1 else f"[{''.join(sorted(letters))}]"


def _may_be(value: int, bits: range, known: Sequence[int], *, before: int, text: Sequence[bytes]) -> bool:
    places: dict[int, list[tuple[int, int]]] = {}
    for bit in known:
        place, within = divmod(bit - before, 8)
        places.setdefault(place, []).append((7 - within, value >> (bits[-1] - bit) & 1))
    return all(
        any(all(byte >> shift & 1 == wanted for shift, wanted in each) for byte in text[place])
        for place, each in places.items()
    )


_FOUND = "|".join(_at(offset, text) for text in (_NAME, _ESCAPED) for offset in range(3))
# Of one token. Where a client repeats the header, Envoy takes the first for its token, and it is found so.
PATTERN = rf"(?:{_ANY}{{4}})*(?:{_FOUND}).*"
