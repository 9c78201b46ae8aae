"""Adapters of kind Moment: the service catalog of the original, whose contents come from GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mom.atlas.adapters.kind import AdapterKind, Setting
from mom.atlas.documents import DataDocument, text_at
from mom.atlas.kinds import MOMENT
from mom.problems import Place


@dataclass(frozen=True, slots=True)
class MomentAdapter:
    """A service catalog. `base_url` and `access_token` are GitHub's, None where the catalog has no such source."""

    name: str
    base_url: str | None
    access_token: Setting | None
    place: Place
    kind: str = MOMENT.kind


class MomentKind(AdapterKind[MomentAdapter]):
    """The kind Moment."""

    kind = MOMENT

    def read(self, document: DataDocument) -> MomentAdapter:
        """Return the adapter in a document that has passed validation."""
        path = ("spec", "catalog", "github")
        key = (*path, "accessToken")
        token = text_at(document.data, *key)
        setting = Setting("catalog.github.accessToken", token, document.place(key)) if token else None
        return MomentAdapter(
            name=document.name or "",
            base_url=text_at(document.data, *path, "baseUrl"),
            access_token=setting,
            place=document.place(("metadata", "name")),
        )

    def target(self, adapter: MomentAdapter) -> str:
        """Return the base URL of GitHub's API."""
        return adapter.base_url or ""

    def settings(self, adapter: MomentAdapter) -> Iterator[Setting]:
        """Yield GitHub's token."""
        if adapter.access_token is not None:
            yield adapter.access_token


KIND = MomentKind()
