"""Names of Kubernetes objects, made of the name of an Atlas."""

from __future__ import annotations

import hashlib
import re

# RFC 1035, 2.3.1, as Kubernetes has it for the names of Services, the strictest of all: a letter first.
_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?\Z")
_OTHER = re.compile(r"[^a-z0-9]+")
# Of the 63 characters of a label (RFC 1035, 2.3.4) a pod's name has 17 more; those of ConfigMaps and Secrets 23.
LONGEST = 40
_DIGITS = 6


def dns_label(name: str) -> str:
    """Return `name` as a label of a domain name, of at most `LONGEST` characters.

    A name that has to be changed gets digits of its digest: names that differ in such characters alone stay apart.
    """
    if len(name) <= LONGEST and _LABEL.match(name):
        return name
    digits = hashlib.sha256(name.encode()).hexdigest()[:_DIGITS]
    words = _OTHER.sub("-", name.lower()).strip("-")[: LONGEST - _DIGITS - 7].strip("-")
    if not words[:1].isalpha():
        words = f"atlas-{words}".rstrip("-")
    return f"{words}-{digits}"
