""" "Did you mean": the known word closest to one that is not known."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that `word` was probably meant to be: another case first, then a few other letters."""
    candidates = list(known)
    folded = {candidate.casefold(): candidate for candidate in reversed(candidates)}
    if (same := folded.get(word.casefold())) is not None:
        return same
    # A word much longer than any known one resembles none, and comparing takes quadratic time.
    if len(word) > 100:
        return None
    matches = get_close_matches(word.casefold(), folded, n=1, cutoff=0.7)
    return folded[matches[0]] if matches else None


def only_close(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that `word` was meant to be, where no other one is close; None elsewhere."""
    candidates = list(known)
    folded = [candidate for candidate in candidates if candidate.casefold() == word.casefold()]
    if folded or len(word) > 100:
        return folded[0] if len(folded) == 1 else None
    matches = get_close_matches(word.casefold(), {candidate.casefold() for candidate in candidates}, n=2, cutoff=0.7)
    return closest(word, candidates) if len(matches) == 1 else None


def listed(words: Iterable[str]) -> str:
    """Return words as a list in a sentence, each in backticks."""
    return ", ".join(f"`{word}`" for word in words)
