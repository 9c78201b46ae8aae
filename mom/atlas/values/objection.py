"""What is wrong with a text, and what to write instead, as one value."""

from __future__ import annotations

from typing import Self


class Objection(str):
    """What is wrong with a text and what to write instead: as text `message: hint`, and each for itself."""

    __slots__ = ("hint", "message")
    message: str
    hint: str

    def __new__(cls, message: str, hint: str) -> Self:
        """Join the two parts."""
        made = super().__new__(cls, f"{message}: {hint}")
        made.message, made.hint = message, hint
        return made
