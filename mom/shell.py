"""Words of a command line, quoted as every POSIX shell and fish read them alike."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Not `=` at the start, which zsh takes for a command to look up, nor `%`, `~`, `^`, `#` and `!`.
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@+:,./=-")


def quote(word: str) -> str:
    r"""Return `word` as POSIX shells (POSIX.1-2024, 2.2) and fish read it.

    In single quotes, fish takes `\\` and `\'` for escapes, POSIX shells nothing. So backslashes and single quotes go
    into double quotes, where both read `\\` as a backslash.
    """
    if word and _PLAIN.issuperset(word) and not word.startswith("="):
        return word
    parts: list[str] = []
    double = None
    for character in word:
        special = character in "'\\"
        if special is not double:
            parts += ['"' if double else "'"] if double is not None else []
            parts.append('"' if special else "'")
            double = special
        parts.append("\\\\" if character == "\\" else character)
    return "".join([*parts, '"' if double else "'"]) if parts else "''"


def join(words: Iterable[str]) -> str:
    """Return `words` as one command line, each quoted."""
    return " ".join(map(quote, words))
