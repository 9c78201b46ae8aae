"""Adapters of kind Moment: the service catalog of the original, whose contents come from GitHub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mom.atlas.adapters.kind import AdapterKind, Setting
from mom.atlas.documents import DataDocument, text_at
from mom.atlas.kinds import ADAPTERS_VERSION, Kind
from mom.atlas.rules.findings import Findings
from mom.atlas.rules.value_rules import check_base_url, check_credential
from mom.problems import Place

MOMENT = Kind(ADAPTERS_VERSION, "Moment")
_GITHUB = ("spec", "catalog", "github")


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

    def check(self, findings: Findings) -> None:
        """Add what is wrong with the source on GitHub."""
        check_base_url(findings, (*_GITHUB, "baseUrl"))
        check_credential(findings, (*_GITHUB, "accessToken"))

    def read(self, document: DataDocument) -> MomentAdapter:
        """Return the adapter in a document that has passed validation."""
        key = (*_GITHUB, "accessToken")
        token = text_at(document.data, *key)
        setting = Setting("catalog.github.accessToken", token, document.place(key)) if token else None
        return MomentAdapter(
            name=document.name or "",
            base_url=text_at(document.data, *_GITHUB, "baseUrl"),
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
