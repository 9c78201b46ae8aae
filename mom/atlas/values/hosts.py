"""The host that a URL leads to, for the review of where credentials go."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from mom.atlas.references import Reference, scan


def host_of(url: str) -> str | None:
    """Return the host of a URL in lower case, with its port where it names one; None for what is not a URL."""
    plain = "".join("x" if isinstance(part, Reference) else part if isinstance(part, str) else "" for part in scan(url))
    try:
        host = re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", plain) and urlsplit(plain).netloc.rpartition("@")[2]
    except ValueError:
        return None
    return host.lower() if host else None


def is_below(url: str, other: str) -> bool:
    """Whether all that `url` reaches is reached by `other` too: the same origin, and a path below its."""
    inner, outer = urlsplit(url), urlsplit(other)
    below = f"{inner.path.rstrip('/')}/".startswith(f"{outer.path.rstrip('/')}/")
    return bool(outer.netloc) and (inner.scheme, inner.netloc) == (outer.scheme, outer.netloc) and below
