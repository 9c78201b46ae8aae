"""Envoy's log, made safe to show: its errors may quote the whole configuration, literals in headers too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mom.atlas.adapters import encoded, settings
from mom.atlas.model import Configuration
from mom.atlas.references import scan

_HIDDEN = "***"
# A compact JWS: three base64url parts, the first an object.
_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
# Shorter literals (`2`, `yes`) are not secrets and would make a text unreadable.
_SHORTEST = 6


@dataclass(frozen=True, slots=True)
class Redaction:
    """Hides the values of variables, the literal text of configured headers, and access tokens."""

    pattern: re.Pattern[str] | None

    def __call__(self, text: str) -> str:
        """Return `text` with all of it replaced by `***`."""
        hidden = text if self.pattern is None else self.pattern.sub(_HIDDEN, text)
        return _TOKEN.sub(_HIDDEN, hidden)


def redaction(configuration: Configuration, variables: Mapping[str, str]) -> Redaction:
    """Return what hides the secrets of a configuration."""
    literals = (
        part.strip()
        for adapter in configuration.adapters
        for setting in settings(adapter)
        for part in scan(setting.value)
        if isinstance(part, str) and len(part.strip()) >= _SHORTEST
    )
    sent = (form for adapter in configuration.adapters for form in encoded(adapter, variables))
    forms = {form for value in [*variables.values(), *literals, *sent] for form in _forms(value)}
    if not forms:
        return Redaction(None)
    # The longest first: one value may be the start of another.
    return Redaction(re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True)))))


def _forms(value: str) -> Iterable[str]:
    """Yield `value` as it is, as in JSON, and as in protobuf's text format (octal escapes)."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("'", "\\'")
    octal = "".join(
        character if character.isascii() else "".join(f"\\{byte:o}" for byte in character.encode(errors="replace"))
        for character in escaped
    )
    return {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], octal} - {""}
