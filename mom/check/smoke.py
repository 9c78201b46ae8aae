"""Which request proves that an adapter's credential works: given, configured, or of the catalog by base URL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mom.atlas.adapters.http import HttpAdapter
from mom.catalog.integration import Integration, Proof
from mom.catalog.loader import match

if TYPE_CHECKING:
    from mom.atlas.model import Adapter


@dataclass(frozen=True, slots=True)
class SmokeRequest:
    """A request below an adapter.

    status: of its response, None for any of 200 to 299. proof: what its body must have besides. proves: whether success
    says anything about the credential; else only the way to the API is tested. needs_permission: whether the API may
    refuse a credential that works. api: the catalog's entry, if known.
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    status: int | None = None
    proof: Proof | None = None
    proves: bool = True
    needs_permission: bool = True
    api: Integration | None = None

    def __str__(self) -> str:
        """Give method and path."""
        return f"{self.method} {self.path}"


def smoke_request(adapter: Adapter, path: str | None = None) -> SmokeRequest:
    """Return the request for an adapter: `path` if given, else its `spec.smoke`, else the catalog's, else `GET /`."""
    known = match(adapter.base_url, adapter.name) if isinstance(adapter, HttpAdapter) else None
    api = known.integration if known else None
    if path is not None:
        return SmokeRequest("GET", path, api=api)
    if isinstance(adapter, HttpAdapter) and (smoke := adapter.smoke):
        return SmokeRequest(smoke.method, smoke.path, status=smoke.status, api=api)
    if known and known.smoke_path is not None:
        entry = known.integration.smoke
        return SmokeRequest(
            method=entry.method,
            path=known.smoke_path or "/",
            headers=tuple((header.name, header.value) for header in entry.headers),
            body=entry.body.encode() if entry.body is not None else None,
            status=entry.status,
            proof=entry.proof,
            api=known.integration,
        )
    return SmokeRequest("GET", "/", proves=False, api=api)
