"""What the catalog knows of one API, as frozen values. `schemas/integration.schema.json` describes the same fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# A placeholder in a template, such as `{site}`; its name is the group.
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9-]*)\}")


class Form(StrEnum):
    """What a placeholder may be replaced by: one label of a host name, a host with an optional port, or an origin."""

    LABEL = "label"
    HOST = "host"
    ORIGIN = "origin"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A part of the base URL that differs by account: `{site}`.

    default: what most accounts use, None where there is no such value. choices: all that the vendor documents, empty
    where any value of the form is possible.
    """

    name: str
    meaning: str
    example: str
    form: Form
    default: str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Header:
    """A header that Atlas sets; the value may have references (`${{ NAME }}`) and placeholders."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """Basic authentication; both may have references, and no password is an empty one."""

    username: str
    password: str = ""


@dataclass(frozen=True, slots=True)
class OAuth2:
    """Client credentials; the texts may have references and placeholders."""

    token_url: str
    client_id: str
    client_secret: str
    scopes: tuple[str, ...] = ()
    parameters: tuple[Header, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts."""
        values = (parameter.value for parameter in self.parameters)
        return (self.token_url, self.client_id, self.client_secret, *self.scopes, *values)


@dataclass(frozen=True, slots=True)
class OptionalHeader:
    """A header that not every account needs, chosen by `key` (`--with organization`)."""

    key: str
    name: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that a credential refers to.

    obtain: the vendor's page that creates the value, or describes how. pattern: what a value must match in full, as the
    vendor documents it, None where it does not; form: the same for people (`ghp_…`).
    """

    name: str
    what: str
    obtain: str
    pattern: str | None = None
    form: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What the body of a response must contain where its status does not prove the credential.

    at: a dotted path into the JSON. equals: the value there; None: any value but null, false and empty ones.
    """

    at: str
    equals: str | bool | None = None


@dataclass(frozen=True, slots=True)
class Smoke:
    """A request that only succeeds with a valid credential, and changes nothing."""

    method: str
    path: str
    status: int
    headers: tuple[Header, ...] = ()
    body: str | None = None
    proof: Proof | None = None


@dataclass(frozen=True, slots=True)
class Sdk:
    """How a client library is pointed at another base URL.

    base_url_variable, base_url_argument: where it takes the base URL from (at least one). suffix: what it expects after
    the adapter's base URL. key_variable: where it reads its key, None where there is none. example: lines that use
    BASE_URL and TOKEN, None where a caller's token cannot be given to it as a header.
    """

    language: str
    package: str
    suffix: str
    base_url_variable: str | None = None
    base_url_argument: str | None = None
    key_variable: str | None = None
    example: str | None = None


@dataclass(frozen=True, slots=True)
class Integration:
    """One API of the catalog. base_url: with placeholders in braces. docs: the vendor's page about authentication.

    headers, basic_auth, query, oauth2: how its credential is sent, at least one of them.
    """

    name: str
    title: str
    base_url: str
    headers: tuple[Header, ...]
    variables: tuple[Variable, ...]
    smoke: Smoke
    docs: str
    placeholders: tuple[Placeholder, ...] = ()
    optional_headers: tuple[OptionalHeader, ...] = ()
    sdks: tuple[Sdk, ...] = ()
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    basic_auth: BasicAuth | None = None
    query: tuple[Header, ...] = ()
    oauth2: OAuth2 | None = None

    @property
    def required_texts(self) -> tuple[str, ...]:
        """The texts of all credentials but those of optional headers."""
        basic = (self.basic_auth.username, self.basic_auth.password) if self.basic_auth else ()
        return (
            *(each.value for each in (*self.headers, *self.query)),
            *basic,
            *(self.oauth2.texts if self.oauth2 else ()),
        )

    def variable(self, name: str) -> Variable | None:
        """Return what is known of the variable `name`."""
        return next((variable for variable in self.variables if variable.name == name), None)


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return `text` with each placeholder that `values` has replaced; a reference (`${{ NAME }}`) has none."""
    return PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), text)


def placeholders_in(text: str) -> tuple[str, ...]:
    """Return the names of the placeholders in `text`, in order."""
    return tuple(PLACEHOLDER.findall(text))


def from_data(data: Mapping[str, Any]) -> Integration:
    """Return the entry that `data`, the content of a file that fits the schema, describes."""
    smoke = data["smoke"]
    proof = smoke.get("proof")
    return Integration(
        name=data["name"],
        title=data["title"],
        base_url=data["baseUrl"],
        headers=_headers(data),
        variables=tuple(
            Variable(each["name"], each["what"], each["obtain"], each.get("pattern"), each.get("form"))
            for each in data["variables"]
        ),
        smoke=Smoke(
            smoke["method"],
            smoke["path"],
            smoke["status"],
            _headers(smoke),
            smoke.get("body"),
            Proof(proof["at"], proof.get("equals")) if proof else None,
        ),
        docs=data["docs"],
        placeholders=tuple(_placeholder(each) for each in data.get("placeholders", ())),
        optional_headers=tuple(
            OptionalHeader(each["key"], each["name"], each["value"], each["meaning"])
            for each in data.get("optionalHeaders", ())
        ),
        sdks=tuple(_sdk(each) for each in data.get("sdks", ())),
        notes=tuple(data.get("notes", ())),
        sources=tuple(data["sources"]),
        basic_auth=BasicAuth(**data["basicAuth"]) if "basicAuth" in data else None,
        query=_headers(data, "query"),
        oauth2=_oauth2(data["oauth2"]) if "oauth2" in data else None,
    )


def _headers(data: Mapping[str, Any], key: str = "headers") -> tuple[Header, ...]:
    return tuple(Header(each["name"], each["value"]) for each in data.get(key, ()))


def _oauth2(data: Mapping[str, Any]) -> OAuth2:
    scopes, parameters = tuple(data.get("scopes", ())), _headers(data, "parameters")
    return OAuth2(data["tokenUrl"], data["clientId"], data["clientSecret"], scopes, parameters)


def _placeholder(data: Mapping[str, Any]) -> Placeholder:
    return Placeholder(
        data["name"],
        data["meaning"],
        data["example"],
        Form(data["form"]),
        data.get("default"),
        tuple(data.get("choices", ())),
    )


def _sdk(data: Mapping[str, Any]) -> Sdk:
    return Sdk(
        data["language"],
        data["package"],
        data["suffix"],
        data.get("baseUrlVariable"),
        data.get("baseUrlArgument"),
        data.get("keyVariable"),
        data.get("example"),
    )
