"""Adapters of kind HTTP: a third-party HTTP API, whose requests get the configured headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mom.atlas.adapters.kind import AdapterKind, Setting
from mom.atlas.documents import DataDocument, items_at, text_at
from mom.atlas.kinds import ADAPTERS_VERSION, Kind
from mom.atlas.values.objection import Objection
from mom.gateway import HTTP_PREFIX
from mom.problems import Place

if TYPE_CHECKING:
    from mom.atlas.rules.findings import Findings

HTTP = Kind(ADAPTERS_VERSION, "HTTP")


@dataclass(frozen=True, slots=True)
class Header:
    """A header that Atlas sets on each request to the API. `value` may have environment references."""

    name: str
    value: str
    place: Place


@dataclass(frozen=True, slots=True)
class HttpAdapter:
    """A third-party HTTP API. Served under `/v1/apis/http/{name}/`, whose rest is appended to `base_url`."""

    name: str
    base_url: str
    headers: tuple[Header, ...]
    place: Place
    kind: str = HTTP.kind


class HttpKind(AdapterKind[HttpAdapter]):
    """The kind HTTP."""

    kind = HTTP

    def check(self, findings: Findings) -> None:
        """Add what is wrong with the base URL and the headers."""
        from mom.atlas.rules.header_rules import check_headers
        from mom.atlas.rules.value_rules import check_base_url

        check_base_url(findings, ("spec", "baseUrl"), served_at=HTTP_PREFIX + (findings.document.name or ""))
        check_headers(findings)

    def add_command(self, name: str) -> str:
        """Return how the command line begins that adds it."""
        return f"mom atlas config add-http-adapter --adapter-name {name}"

    def read(self, document: DataDocument) -> HttpAdapter:
        """Return the adapter in a document that has passed validation."""
        headers = tuple(
            Header(text_at(header, "name") or "", text_at(header, "value") or "", document.place((*path, "name")))
            for path, header in items_at(document.data, "spec", "headers")
        )
        base_url = text_at(document.data, "spec", "baseUrl") or ""
        return HttpAdapter(document.name or "", base_url, headers, document.place(("metadata", "name")))

    def target(self, adapter: HttpAdapter) -> str:
        """Return the base URL."""
        return adapter.base_url

    def settings(self, adapter: HttpAdapter) -> Iterator[Setting]:
        """Yield the values of the headers."""
        for header in adapter.headers:
            yield Setting(f"header {header.name}", header.value, header.place)

    def doubts(self, adapter: HttpAdapter, variables: Mapping[str, str]) -> Iterator[tuple[str, Objection, Setting]]:
        """Yield what makes a header that no API accepts: doubled schemes, quotes, a `Basic` that is not base64.

        A credential that does not look like those of its vendor, by the catalog, is in doubt too.
        """
        from mom.atlas.values.variables import doubts
        from mom.catalog.tokens import unlikely_tokens

        for header, setting in zip(adapter.headers, self.settings(adapter), strict=True):
            for name, objection in doubts(header.name, header.value, variables):
                yield name, objection, setting
            pair = header.name, header.value
            for token in unlikely_tokens(adapter.base_url, adapter.name, pair, variables):
                yield token.variable, Objection(token.message, token.hint), setting

    def differences(self, old: HttpAdapter, new: HttpAdapter) -> list[str]:
        """Return `base URL`, and the header that differs, or `headers` where several do or their order does."""
        parts = ["base URL"] if old.base_url != new.base_url else []
        before, after = ({header.name: header.value for header in adapter.headers} for adapter in (old, new))
        names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        if names or list(before) != list(after):
            parts.append(f"header {names[0]}" if len(names) == 1 else "headers")
        return parts


KIND = HttpKind()
