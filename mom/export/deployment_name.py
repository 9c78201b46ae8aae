"""How the deployment of an Atlas is called: the same on every engine."""

from __future__ import annotations

import hashlib
import re

# `atlas-` before it, and all engines take it: RFC 1123 labels, and 32 characters, as load balancers of AWS have.
_PLAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,24}[a-z0-9])?")
_OTHER_THAN_PLAIN = re.compile(r"[^a-z0-9]+")


def deployment_name(name: str) -> str:
    """Return how the deployment of an Atlas with this name is called: `atlas`, or `atlas-` and letters, digits, `-`.

    So no service of another program has the name. A name that cannot be kept as it is has a digest behind it.
    """
    if _PLAIN.fullmatch(name):
        return name if name == "atlas" or name.startswith("atlas-") else f"atlas-{name}"
    kept = _OTHER_THAN_PLAIN.sub("-", name.lower())[:17].strip("-").removeprefix("atlas").strip("-")
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
    return "-".join(part for part in ("atlas", kept, digest) if part)
