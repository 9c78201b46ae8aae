"""What a review reports of a change of an HTTP adapter beside its base URL, its headers and its credentials."""

from __future__ import annotations

from collections.abc import Iterator

from mom.atlas.adapters.http import HttpAdapter
from mom.atlas.adapters.http_tls import NO_TLS_FILES
from mom.atlas.adapters.kind import Difference
from mom.atlas.policy import rules_of
from mom.atlas.policy_review import allowed, opens
from mom.atlas.values.hosts import host_of


def review_http(old: HttpAdapter | None, new: HttpAdapter) -> Iterator[Difference]:
    """Yield what differs, or for a new adapter what it has that is not usual."""
    if old is not None and rules_of(old.allow) != rules_of(new.allow):
        yield Difference(f"now {allowed(new.allow)}", opens=opens(old.allow, new.allow))
    yield from _review_tls(old, new)
    if new.http2 != (old is not None and old.http2):
        yield Difference("HTTP/2 without TLS" if new.http2 else "no longer HTTP/2 without TLS")
    if (old.proxy if old is not None else "") != new.proxy:
        shown = new.proxy or "that of the environment, if any"
        yield Difference(f"proxy {shown}", opens=new.proxy != "none")
    yield from _review_oauth2(old, new)
    yield from _review_limits(old, new)


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


def _review_oauth2(old: HttpAdapter | None, new: HttpAdapter) -> Iterator[Difference]:
    """Where tokens come from and what they are for; they are sent to the API as any credential is."""
    before, after = (old.oauth2 if old is not None else None), new.oauth2
    if after is None:
        return
    if before is None or before.token_url != after.token_url:
        yield Difference(f"tokens from {after.token_url}", opens=True)
    scopes = before.scopes if before is not None else ()
    if gained := [scope for scope in after.scopes if scope not in scopes]:
        yield Difference(f"scopes {', '.join(gained)}", opens=True)
    if lost := [scope for scope in scopes if scope not in after.scopes]:
        yield Difference(f"no longer the scopes {', '.join(lost)}", opens=not after.scopes)
    if before is None or old is None:
        return
    if before.parameters != after.parameters:
        yield Difference("other parameters of the token request", opens=True)
    was, becomes = host_of(old.base_url), host_of(new.base_url)
    if was != becomes:
        warning = f"the tokens of {after.client_id} are sent to another host: {becomes}, so far {was}"
        yield Difference("same tokens", opens=True, warning=warning)


def _review_limits(old: HttpAdapter | None, new: HttpAdapter) -> Iterator[Difference]:
    before, after = (old.limits if old is not None else None), new.limits
    if before != after:
        words = "no limit of requests"
        if after is not None:
            whose = "caller" if after.per_subject else "adapter"
            words = f"at most {after.requests_per_minute:,} requests a minute per {whose}"
        tighter = after is not None and (
            before is None
            or (after.per_subject <= before.per_subject and after.requests_per_minute <= before.requests_per_minute)
        )
        yield Difference(words, opens=not tighter)
    if old is not None and old.timeout != new.timeout:
        yield Difference("no timeout of its own" if new.timeout is None else f"timeout {new.timeout} s")
    if old is not None and old.retries != new.retries:
        yield Difference(f"{new.retries} retries")
