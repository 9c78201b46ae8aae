"""Names of files in one folder for names that may be paths: as engines take them for keys, each its own.

No more of a path than is needed: where a file is on the machine that exports is nobody else's concern.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable

# What a key of a Kubernetes Secret may have (Kubernetes: "ConfigMaps and Secrets", `[-._a-zA-Z0-9]+`).
_OTHER = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST = 80


def file_names(names: Iterable[str], taken: Collection[str] = ()) -> dict[str, str]:
    """Return a file's name for each of `names`, none of them in `taken` and no two equal, in any case.

    The last part of a path; where two end alike, all parts of those that are relative; else with a digest before it.
    """
    found: dict[str, str] = {}
    used = {name.lower() for name in taken}
    left = list(dict.fromkeys(names))
    for form in (_last, _whole, _unique):
        wanted = {name: form(name) for name in left}
        lower = [each.lower() for each in wanted.values()]
        found |= {
            name: each
            for name, each in wanted.items()
            if each and lower.count(each.lower()) == 1 and each.lower() not in used
        }
        used |= {each.lower() for each in found.values()}
        left = [name for name in left if name not in found]
    return found


def _last(name: str) -> str:
    return _plain(name.rstrip("/").rpartition("/")[2])


def _whole(name: str) -> str:
    """Return all parts of a relative path; nothing for one that leads elsewhere."""
    return "" if name.startswith("/") or ".." in name.split("/") else _plain(name)


def _unique(name: str) -> str:
    return f"{hashlib.sha256(name.encode()).hexdigest()[:8]}-{_last(name)}"


def _plain(name: str) -> str:
    return _OTHER.sub("-", name).strip(".-")[-_LONGEST:]
