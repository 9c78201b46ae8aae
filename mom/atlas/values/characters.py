"""Characters that no value has, and how one is shown in a message."""

from __future__ import annotations

import re

# RFC 9110, section 5.5: a field value has no control characters but the tab. C1 controls are not text either.
CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f]")


def show_character(character: str) -> str:
    """Name a character so that it can be recognised, also where it cannot be seen."""
    if character == " ":
        return "a space"
    return f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}"
