"""HTTP adapters: a third-party HTTP API, below whose base URL requests go, with the configured headers set."""

from __future__ import annotations

from collections.abc import Iterator

from mom.atlas.adapters.http import HTTP, Header, HttpAdapter
from mom.atlas.adapters.http_limits import Limits
from mom.atlas.adapters.http_tls import NO_TLS_FILES
from mom.atlas.policy import AllowList
from mom.atlas.references import names
from mom.atlas.rules.catalogue import problem_of
from mom.atlas.values.urls import check_base_url, check_proxy
from mom.envoy import credentials, headers, key_slots, oauth2, redirects, secrets
from mom.envoy.access_log import ADAPTER_METADATA
from mom.envoy.adapters.forwarding import RETRIES, action
from mom.envoy.adapters.kind import ServedKind
from mom.envoy.clusters import Upstream
from mom.envoy.messages import Json
from mom.envoy.options import Options
from mom.envoy.origins import split
from mom.gateway import HTTP_PREFIX
from mom.problems import Problem

NAME = HTTP.kind
# RFC 9110, 9.2.2, without TRACE, which never passes.
_REPEATABLE: Json = {"name": ":method", "string_match": {"safe_regex": {"regex": "GET|HEAD|OPTIONS|PUT|DELETE"}}}
_NO_UPGRADE: Json = {
    "name": "upgrade",
    "string_match": {"exact": "websocket", "ignore_case": True},
    "invert_match": True,
    "treat_missing_header_as_empty": True,
}


class HttpKind(ServedKind[HttpAdapter]):
    """The kind HTTP."""

    has_secrets = True

    def path(self, adapter: HttpAdapter) -> str:
        """Return `/v1/apis/http/NAME`."""
        return HTTP_PREFIX + adapter.name

    def problems(self, adapter: HttpAdapter) -> Iterator[Problem]:
        """Yield what is wrong with the name, the base URL, each header and the other credentials."""
        yield from super().problems(adapter)
        if wrong := check_base_url(adapter.base_url):
            message = f"{adapter.name}: {wrong.message}"
            yield problem_of(adapter.place, "base-url", message, hint=wrong.hint)
        # Not by `split`, which fails for some URLs that are wrong.
        scheme = adapter.base_url.partition(":")[0].lower()
        if adapter.tls is not None and scheme == "http":
            yield problem_of(adapter.tls.place, "tls-files", f"{adapter.name}: `tls` has no effect over plain http")
        if adapter.tls is not None and bool(adapter.tls.cert_file) != bool(adapter.tls.key_file):
            message = f"{adapter.name}: `certFile` and `keyFile` are given together"
            yield problem_of(adapter.tls.place, "tls-files", message)
        if adapter.proxy and (wrong := check_proxy(adapter.proxy)):
            yield problem_of(adapter.place, "proxy", f"{adapter.name}: {wrong.message}", hint=wrong.hint)
        if adapter.http2 and scheme == "https":
            message = f"{adapter.name}: `http2: prior-knowledge` is for plain http"
            yield problem_of(adapter.place, "http2-over-tls", message)
        seen: set[str] = set()
        for header in adapter.headers:
            if wrong_header := headers.check(header):
                rule, wrong = wrong_header
                message = f"the header `{header.name}` of {adapter.name}: {wrong.message}"
                yield problem_of(header.place, rule, message, hint=wrong.hint)
            elif header.name.lower() in seen:
                yield problem_of(header.place, "repeated-header", f"`{header.name}` of {adapter.name} is set twice")
            seen.add(header.name.lower())
        if adapter.basic_auth is not None and "authorization" in seen:
            message = f"{adapter.name} has `basicAuth` and a header `Authorization`"
            yield problem_of(adapter.basic_auth.place, "several-credentials", message)
        for place, rule, message in (*credentials.problems(adapter), *oauth2.problems(adapter)):
            yield problem_of(place, rule, f"{adapter.name}: {message}")

    def upstreams(self, adapter: HttpAdapter) -> Iterator[Upstream]:
        """Yield the upstream of requests, and that of web sockets."""
        upstream = _upstream(adapter)
        yield upstream
        yield upstream.for_web_sockets()

    def listed(self, adapter: HttpAdapter) -> Json:
        """Return the base URL and the path."""
        return {"baseUrl": adapter.base_url, "path": f"{self.path(adapter)}/"}

    def allow(self, adapter: HttpAdapter) -> AllowList | None:
        """Return the adapter's own list."""
        return adapter.allow

    def limits(self, adapter: HttpAdapter) -> Limits | None:
        """Return the adapter's limits."""
        return adapter.limits

    def headers(self, adapter: HttpAdapter) -> list[str]:
        """Return the names of the configured headers. `Host` is set in another way."""
        configured = [header.name for header in adapter.headers if not headers.is_host(header)]
        has_authorization = adapter.basic_auth is not None or adapter.oauth2 is not None
        return [*configured, "Authorization"] if has_authorization else configured

    def endpoints(self, adapter: HttpAdapter, options: Options) -> Iterator[Upstream]:
        """Yield the token endpoint."""
        if adapter.oauth2 is not None:
            yield oauth2.upstream(adapter, options)

    def key_slots(self, adapter: HttpAdapter) -> tuple[key_slots.KeySlot, ...]:
        """Return the configured headers that are such places."""
        return key_slots.of_headers(adapter.headers)

    def credential_headers(self, adapter: HttpAdapter) -> list[str]:
        """Return the names of the headers with the value of a variable."""
        named = [header.name for header in adapter.headers if names(header.value) and not headers.is_host(header)]
        has_authorization = adapter.basic_auth is not None or adapter.oauth2 is not None
        return [*named, "Authorization"] if has_authorization else named

    def http_filters(self, options: Options) -> list[Json]:
        """Return the filters that keep redirects of an API at the gateway, and the one that sets other credentials."""
        # The guard behind what sets values; the script takes some of these.
        return [*redirects.http_filters(options), *secrets.http_filters(), credentials.http_filter()]

    def switched(self, adapter: HttpAdapter) -> tuple[Upstream]:
        """Return the upstream of requests."""
        return (_upstream(adapter),)

    def routes(self, adapter: HttpAdapter, options: Options) -> list[Json]:
        """Return the route of requests that may be repeated, where there is one, before that of all requests."""
        origin, base_path = split(adapter.base_url)
        upstream = _upstream(adapter).by(options)
        timeout = options.timeout if adapter.timeout is None else adapter.timeout
        route: Json = {
            "name": adapter.name,
            "metadata": {"filter_metadata": {ADAPTER_METADATA: redirects.route_metadata(adapter)}},
            "request_headers_to_add": headers.to_add(_headers(adapter, options)),
            **_filters(adapter, options, upstream),
            # Ends at a segment: `openai` is not the start of `openai2`.
            "match": {"path_separated_prefix": self.path(adapter)},
            "route": {
                **upstream.switched(),
                **action(self.path(adapter), _authority(adapter, origin.authority), base_path, timeout),
            },
        }
        if not adapter.retries:
            return [route]
        again = {
            **route,
            "match": {**route["match"], "headers": [_REPEATABLE, _NO_UPGRADE]},
            "route": {**route["route"], "retry_policy": _retries(adapter.retries)},
        }
        return [again, route]


def _retries(number: int) -> Json:
    """Return when a request is sent again that may be repeated."""
    when = f"{RETRIES['retry_on']},reset,gateway-error"
    return {"retry_on": when, "num_retries": number}


def _headers(adapter: HttpAdapter, options: Options) -> Iterator[Header]:
    """Yield the headers that the router sets."""
    yield from (header for header in adapter.headers if not secrets.has_secret(header, options))
    if adapter.oauth2 is not None and options.stand_in is not None:
        # In the place of a token that no run with stand-ins fetches.
        yield Header("Authorization", "Bearer stand-in-for-a-token", adapter.oauth2.place)


def _filters(adapter: HttpAdapter, options: Options, upstream: Upstream) -> Json:
    """Return what the filters on an adapter's routes do, and what must not leave Atlas of what they set."""
    fetched = oauth2.for_route(adapter, options)
    changing, carriers = secrets.for_route(
        adapter.headers,
        credentials.texts(adapter),
        options,
        needed=oauth2.texts(adapter),
        guarded=[oauth2.GUARDED] if fetched else [],
    )
    per_filter = changing | fetched | credentials.for_route(adapter, options) | upstream.for_route()
    return {
        **({"typed_per_filter_config": per_filter} if per_filter else {}),
        **({"request_headers_to_remove": carriers} if carriers else {}),
    }


def _upstream(adapter: HttpAdapter) -> Upstream:
    renamed = any(headers.is_host(header) for header in adapter.headers)
    origin = split(adapter.base_url)[0]
    return Upstream(origin, http2=adapter.http2, tls=adapter.tls or NO_TLS_FILES, own=renamed, proxy=adapter.proxy)


def _authority(adapter: HttpAdapter, default: str) -> str:
    configured = [header.value.strip() for header in adapter.headers if headers.is_host(header)]
    return configured[-1] if configured else default


KIND = HttpKind()
