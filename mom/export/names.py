"""Names of files in one folder for names that may be paths: as engines take them for keys, each its own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable

# What a key of a Kubernetes Secret may have (Kubernetes: "ConfigMaps and Secrets", `[-._a-zA-Z0-9]+`).
_OTHER = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 80
# `atlas-` before it, and all engines take it: RFC 1123 labels, and 32 characters, as load balancers of AWS have.
_PLAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,24}[a-z0-9])?")
_OTHER_THAN_PLAIN = re.compile(r"[^a-z0-9]+")


def file_names(names: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """Return a file's name for each of `names`, none of them in `taken` and no two equal, in any case."""
    wanted = {name: _OTHER.sub("-", name).strip(".-")[-_LONGEST:] or "file" for name in dict.fromkeys(names)}
    lower = [each.lower() for each in (*wanted.values(), *taken)]
    return {name: each if lower.count(each.lower()) == 1 else _unique(name, each) for name, each in wanted.items()}


def _unique(name: str, wanted: str) -> str:
    return f"{hashlib.sha256(name.encode()).hexdigest()[:8]}-{wanted}"


def deployment_name(name: str) -> str:
    """Return how the deployment of an Atlas with this name is called: `atlas`, or `atlas-` and letters, digits, `-`.

    So no service of another program has the name. A name that cannot be kept as it is has a digest behind it.
    """
    if _PLAIN.fullmatch(name):
        return name if name == "atlas" or name.startswith("atlas-") else f"atlas-{name}"
    kept = _OTHER_THAN_PLAIN.sub("-", name.lower())[:17].strip("-").removeprefix("atlas").strip("-")
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
    return "-".join(part for part in ("atlas", kept, digest) if part)
