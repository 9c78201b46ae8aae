"""Credentials of HTTP adapters beside headers: Basic authentication, and parameters of the query."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from mom.atlas.adapters.kind import Setting
from mom.atlas.documents import DataDocument, items_at, text_at, value_at
from mom.atlas.references import filled, scan
from mom.problems import Place
from mom.yamledit.paths import Path

if TYPE_CHECKING:
    from mom.atlas.rules.findings import Findings

_BASIC = ("spec", "basicAuth")


class BasicAuth(NamedTuple):
    """User name and password, which Atlas encodes (RFC 7617). Both may have environment references."""

    username: str
    password: str
    place: Place

    def settings(self) -> Iterator[Setting]:
        """Yield both."""
        yield Setting("basicAuth.username", self.username, self.place)
        yield Setting("basicAuth.password", self.password, self.place)


class Parameter(NamedTuple):
    """A parameter of the query that Atlas sets, in the place of the client's. `value` may have references."""

    name: str
    value: str
    place: Place


def read_basic_auth(document: DataDocument) -> BasicAuth | None:
    """Return what a valid document says, None where it says nothing. A password that is left out is empty."""
    username = text_at(document.data, *_BASIC, "username")
    if username is None:
        return None
    password = text_at(document.data, *_BASIC, "password") or ""
    return BasicAuth(username, password, document.place((*_BASIC, "username")))


def read_query(document: DataDocument) -> tuple[Parameter, ...]:
    """Return the parameters of a valid document."""
    return tuple(
        Parameter(text_at(each, "name") or "", text_at(each, "value") or "", document.place((*path, "name")))
        for path, each in items_at(document.data, "spec", "query")
    )


def encoded_forms(basic: BasicAuth | None, query: tuple[Parameter, ...], variables: Mapping[str, str]) -> Iterator[str]:
    """Yield the credentials as they are sent, for what must not show them: base64, percent-encoded."""
    if basic is not None:
        pair = f"{filled(basic.username, variables)}:{filled(basic.password, variables)}"
        yield base64.b64encode(pair.encode(errors="surrogateescape")).decode()
    for parameter in query:
        yield quote(filled(parameter.value, variables), safe="-._~", errors="surrogateescape")


def check_credentials(findings: Findings) -> None:
    """Add what is wrong with `basicAuth` and `query`, and that two credentials are for one header."""
    _check_basic_auth(findings)
    _check_query(findings)


def _check_basic_auth(findings: Findings) -> None:
    from mom.atlas.rules.header_rules import refuse_authorization
    from mom.atlas.rules.value_rules import check_credential

    data = findings.document.data
    if not isinstance(value_at(data, *_BASIC), dict):
        return
    refuse_authorization(findings, _BASIC)
    username = text_at(data, *_BASIC, "username") or ""
    if any(isinstance(part, str) and ":" in part for part in scan(username)):
        message = "a user name of Basic authentication has no colon (RFC 7617)"
        findings.add((*_BASIC, "username"), "credential-value", message, hint="write what follows in `password`")
    for key in ("username", "password"):
        _check_control_characters(findings, (*_BASIC, key))
    if text_at(data, *_BASIC, "password"):
        check_credential(findings, (*_BASIC, "password"))


def _check_query(findings: Findings) -> None:
    from mom.atlas.rules.header_rules import plain_credential
    from mom.atlas.values.secrets import plain_parameter

    seen: dict[str, Path] = {}
    for path, parameter in items_at(findings.document.data, "spec", "query"):
        name, value = text_at(parameter, "name"), text_at(parameter, "value")
        for key in ("name", "value"):
            _check_control_characters(findings, (*path, key))
        if name is not None and (first := seen.setdefault(name, path)) is not path:
            findings.add(
                (*path, "name"),
                "repeated-parameter",
                f"the parameter `{name}` is set twice",
                related=((findings.document.place(first), "the first one"),),
            )
        if value and (reason := plain_parameter(name or "", value)):
            plain_credential(findings, (*path, "value"), reason, value, name)


def _check_control_characters(findings: Findings, path: Path) -> None:
    from mom.atlas.values.headers import check_control_characters

    value = text_at(findings.document.data, *path)
    if value is not None and (reason := check_control_characters(value)):
        findings.add(path, "credential-value", reason.message)
