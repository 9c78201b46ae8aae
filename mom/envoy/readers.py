"""What reads a verified token behind the filter that verifies it, on which depends what that records of one."""

from __future__ import annotations

from mom.atlas.model import Configuration
from mom.atlas.policy import AllowList
from mom.envoy import adapters
from mom.envoy.by_form import distinct
from mom.envoy.jwt import Reads
from mom.envoy.options import Options


def of_tokens(configuration: Configuration, options: Options) -> Reads:
    """Return what of a token the access log, lists `allow` and limits read."""
    logged = options.has_request_log
    return Reads(options.record_claims or logged or claims_matter(configuration), logged)


def claims_matter(configuration: Configuration) -> bool:
    """Whether it depends on claims what a request may, or how many."""
    if _has_claims(configuration.allow):
        return True
    for adapter in distinct(adapters.served(configuration)):
        kind = adapters.kind_of(adapter)
        limits = kind.limits(adapter)
        if _has_claims(kind.allow(adapter)) or (limits is not None and limits.per_subject):
            return True
    return False


def begin_to_matter(before: Configuration, after: Configuration) -> bool:
    """Whether claims matter that were not recorded: what records them must be there before what reads them."""
    return claims_matter(after) and not claims_matter(before)


def _has_claims(allow: AllowList | None) -> bool:
    return allow is not None and any(entry.claims for entry in allow.entries)
