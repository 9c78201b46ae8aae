"""Placeholders of the preset `production`: URLs under `.invalid`, where no name resolves (RFC 2606, section 2)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

PLACEHOLDER_DOMAIN = "invalid"


def is_placeholder(url: str) -> bool:
    """Whether the host of a URL is under `.invalid`."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return host.rstrip(".").rpartition(".")[2] == PLACEHOLDER_DOMAIN


def placeholder_provider(name: str, urls: Iterable[str]) -> str | None:
    """Return the message about an identity provider one of whose `urls` is a placeholder, None without one."""
    url = next(filter(is_placeholder, urls), None)
    return f"the identity provider `{name}` is a placeholder: {url}" if url else None
