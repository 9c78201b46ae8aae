"""The pattern for access tokens whose header has `crit`: extensions that must be understood, of which Envoy knows none.

RFC 7515, 4.1.11: such a token must be refused. Envoy's filter does not look; to record the header of each token, and to
look there, costs 2 % of a request. So the name is looked for in the token as it was sent: base64 (RFC 7515, 2) of a
text looks different by where in three bytes it begins. A token with `"crit"` as a value, which no issuer writes, is
refused too.
"""

from __future__ import annotations

from itertools import product

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# A letter of a part of a token.
_ANY = "[^.]"


def _bits(text: bytes) -> str:
    return "".join(f"{byte:08b}" for byte in text)


def _at(offset: int, bits: str) -> str:
    """Return a pattern for the base64 of a text that begins `offset` bytes after a multiple of three.

    bits: of the text, with a full stop for one that may be either.
    """
    every = "." * (8 * offset) + bits
    every += "." * (-len(every) % 6)
    return "".join(_letter(every[at : at + 6]) for at in range(0, len(every), 6))


def _letter(bits: str) -> str:
    """Return a pattern for the letters that may stand for six bits."""
    if set(bits) == {"."}:
        return _ANY
    values = product(*("01" if bit == "." else bit for bit in bits))
    letters = sorted(_ALPHABET[int("".join(each), 2)] for each in values)
    return letters[0] if len(letters) == 1 else f"[{''.join(letters)}]"


_NAME = _bits(b'"crit"')
# Letters that are escaped in JSON, `\u0063`: no serialiser writes them so, and no other name is told from this one.
# After `\u00` comes `6` or `7`, which differ in their last bit.
_ESCAPED = _bits(b"\\u006")[:-1] + "."
_FOUND = "|".join(_at(offset, bits) for bits in (_NAME, _ESCAPED) for offset in range(3))
# Of one token. Where a client repeats the header, Envoy takes the first for its token, and it is found so.
PATTERN = rf"(?:{_ANY}{{4}})*(?:{_FOUND}).*"
