"""What the name of an adapter may be."""

from __future__ import annotations

import re

from mom.atlas.values.characters import show_character
from mom.atlas.values.objection import Objection

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")


def check_adapter_name(text: str) -> Objection | None:
    """Return what is wrong with an adapter's name, which becomes a segment of a URL's path."""
    if not text:
        return Objection("the name is empty", "a name has 1 to 253 letters, digits, `.`, `_` or `-`")
    if len(text) > 253:
        return Objection(f"the name has {len(text)} characters", "shorten it: at most 253")
    if _NAME.match(text):
        return None
    if not re.match(r"[A-Za-z0-9]", text) and _NAME.match("a" + text):
        return Objection(
            f"the name `{text}` must start with a letter or a digit",
            f"write, for example, `{text.lstrip('._-') or 'a'}`",
        )
    strange = next((character for character in text if not re.match(r"[A-Za-z0-9._-]", character)), text[0])
    return Objection(
        f"the name contains {show_character(strange)}", "a name has only letters (A-Z, a-z), digits, `.`, `_` and `-`"
    )
