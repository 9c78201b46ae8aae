"""Who may do what, from data to the values of `mom.atlas.policy`, for documents that have passed validation."""

from __future__ import annotations

from mom.atlas.documents import DataDocument, items_at, texts_at, value_at
from mom.atlas.policy import AllowList, Claim, ClaimValue, Entry, claim_path
from mom.yamledit.data import Data
from mom.yamledit.paths import Path

ALLOW: Path = ("spec", "allow")


def read_allow(document: DataDocument, name: str) -> AllowList | None:
    """Return the list `spec.allow` of a document under its `name`, None where there is none."""
    if not isinstance(value_at(document.brief, *ALLOW), list):
        return None
    entries = tuple(
        Entry(
            texts_at(entry, "methods"),
            texts_at(entry, "paths"),
            read_claims(value_at(entry, "claims")),
            document.place(path),
        )
        for path, entry in items_at(document.brief, *ALLOW)
    )
    return AllowList(name, entries, document.key_place(ALLOW))


def adapter_list_name(kind: str, name: str) -> str:
    """Return how the list of an adapter is called: `http/github spec.allow`."""
    return f"{kind.lower()}/{name} spec.allow"


def read_claims(claims: Data) -> tuple[Claim, ...]:
    """Return the claims of a mapping, none where it is not one."""
    return tuple(
        Claim(name, claim_path(name) or (name,), _values(value))
        for name, value in (claims.items() if isinstance(claims, dict) else ())
    )


def _values(value: Data) -> tuple[ClaimValue, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(each for each in values if isinstance(each, str | bool | int | float))
