"""Adapters of kind HTTP: a third-party HTTP API, whose requests get the configured headers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mom.atlas.adapters.kind import AdapterKind, Difference, Setting
from mom.atlas.documents import DataDocument, items_at, text_at, value_at
from mom.atlas.kinds import ADAPTERS_VERSION, Kind
from mom.atlas.ownership import OwnDocument
from mom.atlas.values.hosts import host_of, is_below
from mom.atlas.values.objection import Objection
from mom.atlas.values.secrets import literal_credential, literal_secret, plain_parameter
from mom.gateway import HTTP_PREFIX
from mom.problems import Place, Problem
from mom.yamledit.data import Data
from mom.yamledit.shape import Value
from mom.yamledit.source import Source

# An adapter is added without what reads, checks and compares one: imported where that is done.
if TYPE_CHECKING:
    from mom.atlas.adapters.http_credentials import BasicAuth, Parameter
    from mom.atlas.adapters.http_limits import Limits
    from mom.atlas.adapters.http_oauth2 import OAuth2
    from mom.atlas.adapters.http_tls import Tls
    from mom.atlas.policy import AllowList
    from mom.atlas.rules.findings import Findings

HTTP = Kind(ADAPTERS_VERSION, "HTTP")


class Header(NamedTuple):
    """A header that Atlas sets on each request to the API. `value` may have environment references."""

    name: str
    value: str
    place: Place


class Smoke(NamedTuple):
    """The request by which `mom atlas check` proves that an adapter's credential works.

    path: below the base URL, with a query if any. status: of the response, None for any of 200 to 299.
    """

    method: str
    path: str
    status: int | None = None


class HttpAdapter(NamedTuple):
    """A third-party HTTP API. Served under `/v1/apis/http/{name}/`, whose rest is appended to `base_url`.

    allow: which requests may pass, None where all may. timeout: seconds for a whole response, None for the run's own.
    retries: how often a request is sent again that may be repeated.
    """

    name: str
    base_url: str
    headers: tuple[Header, ...]
    place: Place
    kind: str = HTTP.kind
    basic_auth: BasicAuth | None = None
    query: tuple[Parameter, ...] = ()
    smoke: Smoke | None = None
    http2: bool = False
    tls: Tls | None = None
    allow: AllowList | None = None
    limits: Limits | None = None
    timeout: int | None = None
    retries: int = 0
    oauth2: OAuth2 | None = None
    proxy: str = ""


def basic_auth_of(username: str, password: str) -> dict[str, Value]:
    """Return `basicAuth` as it is written: an empty password is left out."""
    return {"username": username, "password": password} if password else {"username": username}


class HttpAdapterSpec(NamedTuple):
    """An HTTP adapter to be written (`mom.atlas.edit.spec`). `headers` and `query` are pairs of name and value.

    basic_auth: user name and password. tls: pairs of a key of `tls` and a file. allow: entries, as they are written.
    """

    name: str
    base_url: str
    headers: tuple[tuple[str, str], ...] = ()
    basic_auth: tuple[str, str] | None = None
    query: tuple[tuple[str, str], ...] = ()
    http2: bool = False
    tls: tuple[tuple[str, str], ...] = ()
    allow: tuple[dict[str, Value], ...] = ()
    limits: dict[str, Value] | None = None
    timeout: str | None = None
    retries: int | None = None
    oauth2: dict[str, Value] | None = None
    proxy: str | None = None
    smoke: dict[str, Value] | None = None
    kind: Kind = HTTP
    list_key: str = "headers"
    instead: str = "--adapter-name"

    def spec(self) -> dict[str, Value]:
        """Return the base URL and what is set on requests."""
        spec: dict[str, Value] = {"baseUrl": self.base_url}
        if self.basic_auth is not None:
            spec["basicAuth"] = basic_auth_of(*self.basic_auth)
        for key, pairs in (("headers", self.headers), ("query", self.query)):
            if pairs:
                spec[key] = [{"name": name, "value": value} for name, value in pairs]
        if self.oauth2 is not None:
            spec["oauth2"] = self.oauth2
        if self.tls:
            spec["tls"] = dict(self.tls)
        if self.http2:
            spec["http2"] = "prior-knowledge"
        if self.allow:
            spec["allow"] = list(self.allow)
        others = {key: getattr(self, key) for key in ("limits", "timeout", "retries", "proxy", "smoke")}
        return {**spec, **{key: value for key, value in others.items() if value is not None}}

    def missing_items(self, data: Data) -> Sequence[Value]:  # noqa: ARG002
        """Return nothing: a header that is missing is a difference."""
        return ()

    def differences(self, source: Source, existing: OwnDocument, data: Data) -> list[Problem]:
        """Return one problem per place where the document is not what was asked for; headers may be in any order."""
        from mom.atlas.adapters.http_differences import from_what_was_asked

        return from_what_was_asked(self, source, existing, data)


class HttpKind(AdapterKind[HttpAdapter]):
    """The kind HTTP."""

    kind = HTTP
    target_label = "base URL"

    def command_words(self, name: str, document: Data) -> list[str] | None:
        """Return `add-http-adapter` with an option for each part of the document."""
        from mom.atlas.adapters.http_command import options_for

        spec = value_at(document, "spec")
        options = options_for(spec) if isinstance(spec, dict) else None
        return None if options is None else [*self.adding(name), *options]

    def subject(self, adapter: HttpAdapter) -> str:
        """Return the name: most adapters are of this kind."""
        return adapter.name

    def check(self, findings: Findings) -> None:
        """Add what is wrong with the base URL, the headers and the other credentials."""
        from mom.atlas.adapters.http_credentials import check_credentials
        from mom.atlas.adapters.http_oauth2 import check_oauth2
        from mom.atlas.adapters.http_tls import check_tls
        from mom.atlas.rules.access_rules import check_allow
        from mom.atlas.rules.header_rules import check_headers
        from mom.atlas.rules.value_rules import check_base_url, check_proxy

        check_base_url(findings, ("spec", "baseUrl"), served_at=HTTP_PREFIX + (findings.document.name or ""))
        check_headers(findings)
        check_credentials(findings)
        check_oauth2(findings)
        check_tls(findings)
        check_allow(findings)
        check_proxy(findings, ("spec", "proxy"))
        url = text_at(findings.document.data, "spec", "baseUrl") or ""
        if text_at(findings.document.data, "spec", "http2") is not None and url.lower().startswith("https:"):
            message = "`http2: prior-knowledge` is for plain http, and the base URL is https"
            findings.add(("spec", "http2"), "http2-over-tls", message)

    def read(self, document: DataDocument) -> HttpAdapter:
        """Return the adapter in a document that has passed validation."""
        from mom.atlas.access import adapter_list_name, read_allow
        from mom.atlas.adapters.http_credentials import read_basic_auth, read_query
        from mom.atlas.adapters.http_limits import read_limits, read_retries, read_timeout
        from mom.atlas.adapters.http_oauth2 import read_oauth2
        from mom.atlas.adapters.http_tls import read_tls

        headers = tuple(
            Header(text_at(header, "name") or "", text_at(header, "value") or "", document.place((*path, "name")))
            for path, header in items_at(document.data, "spec", "headers")
        )
        base_url = text_at(document.data, "spec", "baseUrl") or ""
        place = document.place(("metadata", "name"))
        return HttpAdapter(
            document.name or "",
            base_url,
            headers,
            place,
            basic_auth=read_basic_auth(document),
            query=read_query(document),
            smoke=_smoke(document),
            http2=text_at(document.data, "spec", "http2") is not None,
            tls=read_tls(document),
            allow=read_allow(document, adapter_list_name(HTTP.kind, document.name or "")),
            limits=read_limits(document),
            timeout=read_timeout(document),
            retries=read_retries(document),
            oauth2=read_oauth2(document),
            proxy=text_at(document.data, "spec", "proxy") or "",
        )

    def target(self, adapter: HttpAdapter) -> str:
        """Return the base URL."""
        return adapter.base_url

    def settings(self, adapter: HttpAdapter) -> Iterator[Setting]:
        """Yield the values of the headers, then the other credentials."""
        yield from map(_setting, adapter.headers)
        if adapter.basic_auth is not None:
            yield from adapter.basic_auth.settings()
        if adapter.oauth2 is not None:
            yield from adapter.oauth2.settings()
        yield from map(_parameter_setting, adapter.query)

    def encoded(self, adapter: HttpAdapter, variables: Mapping[str, str]) -> Iterator[str]:
        """Yield Basic credentials in base64, and parameters of the query percent-encoded."""
        from mom.atlas.adapters.http_credentials import encoded_forms

        return encoded_forms(adapter.basic_auth, adapter.query, variables)

    def doubts(self, adapter: HttpAdapter, variables: Mapping[str, str]) -> Iterator[tuple[str, Objection, Setting]]:
        """Yield what makes a header that no API accepts: doubled schemes, quotes, a `Basic` that is not base64.

        A credential that does not look like those of its vendor, by the catalog, is in doubt too.
        """
        from mom.atlas.values.variables import doubts
        from mom.catalog.loader import match
        from mom.catalog.tokens import unlikely_tokens

        for header in adapter.headers:
            for name, objection in doubts(header.name, header.value, variables):
                yield name, objection, _setting(header)
        if match(adapter.base_url, adapter.name) is None:
            return
        for place, setting in _credentials(adapter):
            for token in unlikely_tokens(adapter.base_url, adapter.name, (place, setting.value), variables):
                yield token.variable, Objection(token.message, token.hint), setting

    def is_narrower(self, was: HttpAdapter, becomes: HttpAdapter) -> bool:
        """Whether the new base URL is the old one, or a path below it."""
        return is_below(becomes.base_url, was.base_url)

    def is_plain_credential(self, setting: Setting) -> bool:
        """Whether a header, a password or a parameter has a credential written out."""
        what, _, name = setting.label.partition(" ")
        if what == "header":
            return literal_secret(name, setting.value) is not None
        if what == "query":
            return plain_parameter(name, setting.value) is not None
        if setting.label == "oauth2.clientId":
            return super().is_plain_credential(setting)
        password = setting.value if setting.label in {"basicAuth.password", "oauth2.clientSecret"} else ""
        return literal_credential("password", password) is not None

    def destination(self, adapter: HttpAdapter, setting: Setting) -> str:
        """Return where a credential goes: that of OAuth2 to the token endpoint, any other to the API."""
        if adapter.oauth2 is not None and setting.label.startswith("oauth2."):
            return host_of(adapter.oauth2.token_url) or adapter.oauth2.token_url
        return super().destination(adapter, setting)

    def callers(self, adapter: HttpAdapter) -> str:
        """Return whose requests pass the list of the adapter."""
        from mom.atlas.policy_review import allowed

        return allowed(adapter.allow)

    def reviewed(self, old: HttpAdapter | None, new: HttpAdapter) -> Iterator[Difference]:
        """Yield differences of the settings, then of who may call, the connection, OAuth2 and the limits."""
        from mom.atlas.adapters.http_review import review_http

        yield from super().reviewed(old, new)
        yield from review_http(old, new)

    def differences(self, old: HttpAdapter, new: HttpAdapter) -> list[str]:
        """Return `base URL`, and the header that differs, or `headers` where several do or their order does."""
        from mom.atlas.adapters.http_differences import in_words

        return in_words(old, new)


def _setting(header: Header) -> Setting:
    return Setting(f"header {header.name}", header.value, header.place)


def _credentials(adapter: HttpAdapter) -> Iterator[tuple[str, Setting]]:
    """Yield each text that may have a credential, with where it is as the catalog calls that."""
    yield from ((header.name, _setting(header)) for header in adapter.headers)
    if adapter.basic_auth is not None:
        yield from zip(("basicAuth username", "basicAuth password"), adapter.basic_auth.settings(), strict=True)
    yield from ((f"query {each.name}", _parameter_setting(each)) for each in adapter.query)


def _parameter_setting(parameter: Parameter) -> Setting:
    return Setting(f"query {parameter.name}", parameter.value, parameter.place)


def _smoke(document: DataDocument) -> Smoke | None:
    path = text_at(document.data, "spec", "smoke", "path")
    if path is None:
        return None
    status = value_at(document.data, "spec", "smoke", "expect")
    method = text_at(document.data, "spec", "smoke", "method") or "GET"
    return Smoke(method, path, status if isinstance(status, int) else None)


KIND = HttpKind()
