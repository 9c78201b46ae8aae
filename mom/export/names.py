"""Names of files in one folder for names that may be paths: as engines take them for keys, each its own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable

# What a key of a Kubernetes Secret may have (Kubernetes: "ConfigMaps and Secrets", `[-._a-zA-Z0-9]+`).
_OTHER = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 80


def file_names(names: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """Return a file's name for each of `names`, none of them in `taken` and no two equal, in any case."""
    wanted = {name: _OTHER.sub("-", name).strip(".-")[-_LONGEST:] or "file" for name in dict.fromkeys(names)}
    lower = [each.lower() for each in (*wanted.values(), *taken)]
    return {name: each if lower.count(each.lower()) == 1 else _unique(name, each) for name, each in wanted.items()}


def _unique(name: str, wanted: str) -> str:
    return f"{hashlib.sha256(name.encode()).hexdigest()[:8]}-{wanted}"
