"""OAuth2 client credentials (RFC 6749, 4.4) of an HTTP adapter: Atlas fetches a token and sends it to the API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from mom.atlas.adapters.kind import Setting
from mom.atlas.documents import DataDocument, items_at, text_at, texts_at, value_at
from mom.atlas.references import Malformed, only_reference, scan
from mom.problems import Place

if TYPE_CHECKING:
    from mom.atlas.rules.findings import Findings

_OAUTH2 = ("spec", "oauth2")
# What the grant itself sends in the request's body (RFC 6749, 4.4.2 and 2.3.1).
_OWN_PARAMETERS = frozenset({"grant_type", "client_id", "client_secret", "scope"})


class OAuth2(NamedTuple):
    """Where tokens are, for which client, and what they are asked for.

    client_id: may have environment references. client_secret: is one. parameters: names and values.
    """

    token_url: str
    client_id: str
    client_secret: str
    scopes: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    place: Place

    def settings(self) -> Iterator[Setting]:
        """Yield what may have references."""
        yield Setting("oauth2.clientId", self.client_id, self.place)
        yield Setting("oauth2.clientSecret", self.client_secret, self.place)


def read_oauth2(document: DataDocument) -> OAuth2 | None:
    """Return what a valid document says, None where it says nothing."""
    if not isinstance(value_at(document.data, *_OAUTH2), dict):
        return None
    token_url, client_id, client_secret = (
        text_at(document.data, *_OAUTH2, key) or "" for key in ("tokenUrl", "clientId", "clientSecret")
    )
    parameters = tuple(
        (text_at(each, "name") or "", text_at(each, "value") or "")
        for _, each in items_at(document.data, *_OAUTH2, "parameters")
    )
    return OAuth2(
        token_url,
        client_id,
        client_secret,
        texts_at(document.data, *_OAUTH2, "scopes"),
        parameters,
        document.place((*_OAUTH2, "tokenUrl")),
    )


def check_oauth2(findings: Findings) -> None:
    """Add what is wrong with `oauth2`, and that another credential is for the same header."""
    from mom.atlas.rules.value_rules import check_credential

    data = findings.document.data
    if not isinstance(value_at(data, *_OAUTH2), dict):
        return
    _check_alone(findings)
    _check_token_url(findings)
    secret = text_at(data, *_OAUTH2, "clientSecret")
    malformed = any(isinstance(part, Malformed) for part in scan(secret or ""))
    if secret is not None and only_reference(secret) is None and not malformed:
        check_credential(findings, (*_OAUTH2, "clientSecret"))
        message = "`clientSecret` is one environment reference, and nothing else"
        findings.add((*_OAUTH2, "clientSecret"), "credential-value", message, hint="write ${{ NAME }}")
    for path, parameter in items_at(data, *_OAUTH2, "parameters"):
        name, value = text_at(parameter, "name"), text_at(parameter, "value")
        if name in _OWN_PARAMETERS:
            findings.add((*path, "name"), "repeated-parameter", f"the parameter `{name}` is set by Atlas itself")
        if value is not None and "${{" in value:
            message = "environment references do not work in parameters of a token request"
            findings.add((*path, "value"), "credential-value", message, hint="write the value")


def _check_alone(findings: Findings) -> None:
    from mom.atlas.rules.header_rules import refuse_authorization

    refuse_authorization(findings, _OAUTH2)
    data = findings.document.data
    if isinstance(value_at(data, "spec", "basicAuth"), dict):
        key = findings.document.tree.nearest(_OAUTH2).key
        message = "`oauth2` and `basicAuth` exclude each other"
        related = ((findings.document.place(("spec", "basicAuth")), "the other one"),)
        findings.add(_OAUTH2, "several-credentials", message, at=key, related=related)


def _check_token_url(findings: Findings) -> None:
    from mom.atlas.values.urls import check_token_url

    url = text_at(findings.document.data, *_OAUTH2, "tokenUrl")
    if url is not None and (wrong := check_token_url(url)):
        findings.objection((*_OAUTH2, "tokenUrl"), "token-url", wrong)
