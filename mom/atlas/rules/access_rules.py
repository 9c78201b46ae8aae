"""What is wrong with who may do what: `allow` of the Atlas and of adapters, and `claims` of identity providers."""

from __future__ import annotations

import math
import re
from urllib.parse import urlsplit

from mom.atlas.access import ALLOW
from mom.atlas.documents import items_at, text_at, value_at
from mom.atlas.policy import claim_path
from mom.atlas.rules.findings import Findings
from mom.gateway import HTTP_PREFIX
from mom.yamledit.data import Data
from mom.yamledit.paths import Path

_DOT_SEGMENT = re.compile(r"(?:^|/)(?:\.|%2[Ee]){1,2}(?:$|/)")
# The last number that a double has exactly (RFC 8259, section 6).
_LAST_EXACT = 2.0**53
# Issuers of many tenants: anyone with an account there gets tokens, for whatever audience is asked for.
_OPEN_ISSUERS = {
    "token.actions.githubusercontent.com": "repository_owner",
    "accounts.google.com": "email",
    "gitlab.com": "namespace_path",
    "agent.buildkite.com": "organization_slug",
    "app.terraform.io": "terraform_organization_name",
    "oidc.vercel.com": "owner",
}
_MICROSOFT = "login.microsoftonline.com"
# Of Microsoft's tenants, those that mean all of them; the last is that of personal accounts.
_ALL_TENANTS = frozenset({"common", "organizations", "consumers", "9188040d-6c67-4c5b-b112-36a304b66dad"})


def check_allow(findings: Findings) -> None:
    """Add what is wrong with the list `spec.allow` of a document."""
    given = value_at(findings.document.data, *ALLOW)
    if given == []:
        at = findings.document.tree.nearest(ALLOW).key
        findings.add(ALLOW, "empty-allow", "`allow` is empty: no one could call it", at=at)
    for path, entry in items_at(findings.document.data, *ALLOW):
        for place, pattern in items_at(entry, "paths"):
            _check_path((*path, *place), pattern, findings)
        check_claims(findings, (*path, "claims"))


def check_claims(findings: Findings, path: Path) -> None:
    """Add what is wrong with the names and the values of the claims at `path`."""
    claims = value_at(findings.document.data, *path)
    for name, value in claims.items() if isinstance(claims, dict) else ():
        place = (*path, name)
        if claim_path(name) is None:
            message = f"`{name}` is not the name of a claim: dots lead into nested claims"
            hint = "put a name that has dots in double quotes inside the key: '\"https://example.com/roles\"'"
            findings.add(place, "claim-name", message, at=findings.document.tree.nearest(place).key, hint=hint)
        listed = [((*place, index), each) for index, each in enumerate(value)] if isinstance(value, list) else []
        for at, each in listed or [(place, value)]:
            _check_value(findings, at, each)


def check_tenants(findings: Findings, path: Path, provider: Data) -> None:
    """Warn of an issuer of many tenants from which tokens of all of them are accepted."""
    issuer = text_at(provider, "issuer") or ""
    if value_at(provider, "claims") is not None or (claim := _claim_of_tenant(issuer)) is None:
        return
    message = "anyone with an account at this issuer can get a token for this audience"
    hint = f"say whose tokens are accepted, for example `claims: {{{claim}: example}}`"
    findings.add((*path, "issuer"), "open-issuer", message, hint=hint)


def _claim_of_tenant(issuer: str) -> str | None:
    """Return the claim by which the tenants of an issuer are told apart, None where it has one tenant."""
    try:
        parts = urlsplit(issuer)
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    if host == _MICROSOFT:
        return "tid" if parts.path.strip("/").split("/")[0].lower() in _ALL_TENANTS else None
    return None if parts.path.strip("/") else _OPEN_ISSUERS.get(host)


def _check_path(path: Path, pattern: Data, findings: Findings) -> None:
    if not isinstance(pattern, str) or _check_reference(findings, path, pattern):
        return
    own = HTTP_PREFIX + (findings.document.name or "")
    if pattern == own or pattern.startswith(f"{own}/"):
        below = pattern.removeprefix(own) or "/"
        hint = f"write `{below}`"
        findings.add(path, "allow-path", "paths are those below the adapter, without its own path", hint=hint)
    elif _DOT_SEGMENT.search(pattern):
        hint = "write the path that the segment leads to"
        findings.add(path, "allow-path", "Atlas rejects paths with dot segments: nothing matches this", hint=hint)


def _check_value(findings: Findings, path: Path, value: Data) -> None:
    if isinstance(value, str):
        _check_reference(findings, path, value)
    elif isinstance(value, int | float) and not (math.isfinite(value) and abs(value) <= _LAST_EXACT):
        message = "a claim that is a number is one that JSON can hold exactly, up to 2^53"
        findings.add(path, "wrong-value", message, hint="put it in quotes if the token has text there")


def _check_reference(findings: Findings, path: Path, text: str) -> bool:
    if "${{" not in text or path in findings.unread:
        return "${{" in text
    message = "environment references do not work here: this would be compared as it is"
    findings.add(path, "environment-reference", message, hint="write the value")
    return True
