"""What a reviewer is told of a change of an HTTP adapter beside its base URL, its headers and its credentials."""

from __future__ import annotations

from collections.abc import Iterator

from mom.atlas.adapters.http import HttpAdapter
from mom.atlas.adapters.http_tls import NO_TLS_FILES
from mom.atlas.adapters.kind import Difference


def review_http(old: HttpAdapter | None, new: HttpAdapter) -> Iterator[Difference]:
    """Yield what differs, or for a new adapter what it has that is not usual."""
    yield from _review_tls(old, new)
    if new.http2 != (old is not None and old.http2):
        yield Difference("HTTP/2 without TLS" if new.http2 else "no longer HTTP/2 without TLS")


def _review_tls(old: HttpAdapter | None, new: HttpAdapter) -> Iterator[Difference]:
    """Other authorities may let another server take the API's place, and another certificate is another credential."""
    before = (old.tls if old is not None else None) or NO_TLS_FILES
    after = new.tls or NO_TLS_FILES
    if before.ca_file != after.ca_file:
        who = f"the authorities in {after.ca_file}" if after.ca_file else "the system's authorities"
        yield Difference(f"trusts {who}", opens=True)
    if (before.cert_file, before.key_file) != (after.cert_file, after.key_file):
        words = f"shows the certificate {after.cert_file}" if after.cert_file else "no longer shows a certificate"
        yield Difference(words, opens=bool(after.cert_file))
