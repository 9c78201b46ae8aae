"""The requests that are sent to every gateway: each setting of an adapter, and each way in which Atlas refuses.

An exchange is what a client does, and what it saw of the response, byte for byte but for what differs from one moment
to the next: the date, and the seconds until a limit ends, and since when a state is.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

from mom.gateway import CLUSTER_ID_HEADER, KUBERNETES_PATH
from tests.envoy.client import Client, read_all
from tests.envoy.http2 import over_http2
from tests.envoy.tokens import es256, rs256
from tests.export.world import CANVAS, DOWN, REMOTE, World
from tests.run.api_server import UID

P = "/v1/apis/http"
# The path of slow exchanges.
SLOW = "/slow"
# Five attempts to connect, five seconds each.
_SLOW = {"api blackhole"}
# More than those take.
_SECONDS = 40.0
_MOMENT = re.compile(rb"(?i)(^date: |^retry-after: |^x-ratelimit-reset: |\"since\": \")[^\r\n\"]*", re.MULTILINE)


class Gateway(NamedTuple):
    """A running gateway, and what is around it."""

    client: Client
    world: World


Act = Callable[[Gateway], bytes]


class Exchange(NamedTuple):
    """What a client does, and the name of it. is_slow: it takes Envoy's time, and no API records anything of it."""

    name: str
    act: Act
    is_slow: bool = False


class Outcome(NamedTuple):
    """What came of an exchange: what the client saw, and what each API got, with its name."""

    seen: bytes
    received: list[tuple[str, Any]]


def perform_all(gateway: Gateway, *, slow: bool) -> dict[str, Outcome]:
    """Do all exchanges, the slow ones if asked to, and return what came of each, without what the moment decides."""
    exchanges = [each for each in corpus() if slow or not each.is_slow]
    with ThreadPoolExecutor() as pool:
        waiting = {each.name: pool.submit(perform, each, gateway) for each in exchanges if each.is_slow}
        outcomes = {each.name: perform(each, gateway) for each in exchanges if not each.is_slow}
        # Their time is others' too, and with it what the APIs got.
        return outcomes | {name: Outcome(each.result().seen, []) for name, each in waiting.items()}


def perform(exchange: Exchange, gateway: Gateway) -> Outcome:
    """Do it, and return what came of it, without what the moment decides."""
    before = gateway.world.seen()
    seen = _MOMENT.sub(rb"\1-", exchange.act(gateway))
    return Outcome(seen, gateway.world.since(before))


def corpus() -> list[Exchange]:
    """Return all exchanges, in the order in which they are to be sent: limits count."""
    groups: list[Iterator[tuple[str, Act]]] = [
        _requests(),
        _credentials(),
        _paths(),
        _tokens(),
        _rules(),
        _pages(),
        _redirects(),
        _streams(),
        _failures(),
        _malformed(),
        _own(),
    ]
    named = list(itertools.chain.from_iterable(groups))
    assert len({name for name, _ in named}) == len(named), "each exchange has a name of its own"
    return [Exchange(name, act, is_slow=name in _SLOW) for name, act in named]


def _send(gateway: Gateway, data: bytes) -> bytes:
    """Send bytes, and return the responses: until the server closes, or until one that ends the connection is whole."""
    with gateway.client.connect() as connection:
        connection.settimeout(_SECONDS)
        connection.sendall(data)
        seen = b""
        with contextlib.suppress(ConnectionResetError):
            while not _is_whole(seen) and (part := connection.recv(1 << 20)):
                seen += part
        return seen


def _is_whole(seen: bytes) -> bool:
    """Whether the last response is whole. Envoy waits a second before it closes a connection after one of its own."""
    head, blank, body = seen[max(seen.rfind(b"HTTP/1.1 "), 0) :].partition(b"\r\n\r\n")
    length = re.search(rb"(?im)^content-length: (\d+)", head)
    return bool(blank and length and b"\r\nconnection: close" in head and len(body) >= int(length[1]))


def kubernetes() -> list[Exchange]:
    """Return exchanges with a Kubernetes adapter."""
    at = f"{KUBERNETES_PATH}/api/v1/namespaces"
    given: list[tuple[str, Act]] = [
        ("list", _get(f"{at}?limit=500")),
        ("one", _get(f"{at}/default", method="HEAD")),
        ("none", _get(f"{at}/none", method="DELETE")),
        ("body", _get(at, "Content-Type: application/json", method="POST", body=b"{}")),
        ("path", _get(f"{KUBERNETES_PATH}/%2e%2e/x")),
        ("another path", _get(f"{KUBERNETES_PATH}x/api")),
        ("without a token", _bare(at)),
        ("token as kubectl sends it", _with(at, World.token, place="Authorization: Bearer ")),
        ("another's token", _bare(at, "Authorization: Bearer of-atlas")),
        ("as another user", _get(at, "Impersonate-User: admin")),
        ("its cluster", _get(at, f"{CLUSTER_ID_HEADER}: {UID}")),
        ("another cluster", _get(at, f"{CLUSTER_ID_HEADER}: other")),
        ("narrowed token", _get(at, aud=f"https://atlas.test{KUBERNETES_PATH}")),
        ("narrowed token for another", _get(at, aud=f"https://atlas.test{P}/other")),
        ("lists", _get("/v1alpha1/instances")),
    ]
    upgrades = {"GET": "websocket", "POST": "SPDY/3.1"}
    return [
        *(Exchange(name, act) for name, act in given),
        *(Exchange(protocol, partial(_exec, method, protocol)) for method, protocol in upgrades.items()),
    ]


def _exec(method: str, protocol: str, gateway: Gateway) -> bytes:
    path = f"{KUBERNETES_PATH}/api/v1/namespaces/default/pods/p/exec?command=sh"
    request = gateway.client.request(path, f"Upgrade: {protocol}", token=gateway.world.token(), method=method)
    return _upgraded(gateway, request.replace(b"Connection: close", b"Connection: Upgrade"))


def _get(path: str, *headers: str, method: str = "GET", body: bytes = b"", **claims: Any) -> Act:
    """Return a request with a good token, but for the claims given."""

    def act(gateway: Gateway) -> bytes:
        token = gateway.world.token(**claims)
        return _send(gateway, gateway.client.request(path, *headers, token=token, method=method, body=body))

    return act


def _with(
    path: str, token: Callable[[World], str], *, place: str = "Atlas-Accesstoken: ", host: str | None = None
) -> Act:
    """Return a request with the token that `token` makes, in the header `place`."""
    return lambda gateway: _send(gateway, gateway.client.request(path, place + token(gateway.world), host=host))


def _bare(path: str, *headers: str, method: str = "GET", host: str | None = None) -> Act:
    """Return a request without a token."""
    return lambda gateway: _send(gateway, gateway.client.request(path, *headers, method=method, host=host))


def _raw(text: str) -> Act:
    """Return a request of exactly these bytes, in which `TOKEN` and `HOST` are filled in."""

    def act(gateway: Gateway) -> bytes:
        filled = text.replace("TOKEN", gateway.world.token()).replace("HOST", f"127.0.0.1:{gateway.client.port}")
        return _send(gateway, filled.encode("latin-1"))

    return act


def _requests() -> Iterator[tuple[str, Act]]:
    """What an API gets of a request: its headers, its body, its method."""
    at = f"{P}/plain/x"
    yield "headers", _get(at, "X-Own: a", "X-Own: b", "Accept: */*", "User-Agent: test/1")
    yield "headers of the adapter sent too", _get(at, "Authorization: Bearer mine", "dd-api-key: mine", "DD-API-KEY: b")
    yield "headers of the adapter, hop by hop", _get(at, "Connection: close, Authorization, DD-API-KEY")
    yield "header with an underscore", _get(at, "DD_API_KEY: mine", "a_b: c")
    yield "cookies and pages", _get(at, "Cookie: a=b", "Referer: https://x.test/", "Proxy-Authorization: Basic x")
    yield "forwarded", _get(at, "X-Forwarded-For: 1.2.3.4", "Forwarded: for=1.2.3.4", "X-Request-Id: 1", "Via: 1.1 x")
    yield "headers of envoy", _get(at, "X-Envoy-Original-Path: /y", "x-envoy-upstream-rq-timeout-ms: 1", "x-envoy-x: 1")
    yield "carrier of a secret", _get(at, "mom-credential-1: mine", "Mom-Credential-2: mine")
    yield "a body", _get(at, "Content-Type: text/plain", method="POST", body=b"\x00\xff body")
    yield "a large body", _get(at, method="PUT", body=b"x" * 300_000)
    yield "head of a response", _get(at, method="HEAD")
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"):
        yield f"method {method}", _get(at, method=method)
    chunks = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Trailer: t\r\n\r\n"
    head = f"POST {at} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\nAtlas-Accesstoken: TOKEN\r\n"
    yield "chunks and a trailer", _raw(head + chunks)
    absolute = f"GET http://evil.test{P}/plain/host HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n"
    yield "absolute form", _raw(f"{absolute}Atlas-Accesstoken: TOKEN\r\n\r\n")
    for adapter in ("base", "mixed", "literal", "browser", "open.ai", "h2c"):
        yield f"adapter {adapter}", _get(f"{P}/{adapter}/x?y=z", "X-Percent: mine", "Origin: https://o.test")
    yield "literal with headers of its own", _get(f"{P}/literal/x", "Authorization: Bearer client")
    yield "hostile response", _get(f"{P}/plain/hostile")
    yield "trailers of a response", _get(f"{P}/plain/trailers")
    yield "early hints", _get(f"{P}/plain/hints")
    for status in (304, 400, 401, 404, 418, 429, 500, 503):
        yield f"status {status} of the api", _get(f"{P}/plain/status/{status}")
    yield "a large response", _get(f"{P}/plain/huge/200000")
    yield "many headers of a response", _get(f"{P}/plain/headers/50")


def _credentials() -> Iterator[tuple[str, Act]]:
    yield "basic", _get(f"{P}/basic/x", "Authorization: Basic mine", "authorization: Bearer mine")
    yield "basic without a password", _get(f"{P}/nobody/x")
    queries = (
        "",
        "?",
        "?key=theirs",
        "?a=1&b=%2f%2F+%20",
        "?a=1&key=theirs&b=2&key=again",
        "?%6bey=x&k%65%79=y",
        "?&&a&",
    )
    for query in (
        *queries,
        "?a=b?c=/d",
        "?%zz=%&%k",
        "?+key=theirs&key+=x",
        "?Key=1&keys=1&%256bey=1",
        "?a=1;key=t;b=2",
    ):
        yield f"query {query}", _get(f"{P}/query/x%2Fy//{query}")
    yield "queries", _get(f"{P}/queries/x?a%20b=1&v=2&c=3&a+b=4")
    yield "oauth2", _get(f"{P}/oauth2/x", "Authorization: Bearer mine")
    yield "oauth2 again, with a body", _get(f"{P}/oauth2/x", method="POST", body=b"1")
    yield "oauth2 without a token", _get(f"{P}/no-token/x", "Authorization: Bearer mine")
    for adapter in ("good", "own-authority", "client"):
        yield f"tls {adapter}", _get(f"{P}/{adapter}/x", method="POST", body=b"1")


def _paths() -> Iterator[tuple[str, Act]]:
    kept = ["", "/", "//", "?x=1", "/a%2Fb%20c?d=%2F+e&f", "//a//b/", "/%41%7e~", '/a|b"<>^`{}', "/%zz", "/x%23f%3Fq"]
    kept += ["/%0d%0aX:%201", "/.well-known/x", "/a..b/.../..foo/.env", "/a?u=/../y", "/%252e%252e/x", "/a;b=c/d;e"]
    refused = ["/..", "/../base/x", "/%2e%2e/x", "/.%2E/x", "/..%2fbase", "/..%5cbase", "/..\\base", "/..;/base", "/."]
    refused += ["/a/..?x", "/%c0%ae%c0%ae/x", "/..%00/x"]
    for path in (*kept, *refused):
        yield f"path {path}", _get(f"{P}/plain{path}")
    for path in ("/plainx/y", "/PLAIN/x", "/%70lain/x", "/plain%2Fx", "/plain;x=1/y", "/none/x", "", "/"):
        yield f"path of no adapter {path}", _get(f"{P}{path}")
    yield "path of base", _get(f"{P}/base")
    yield "path elsewhere", _get("/etc/passwd")
    yield "long path", _get(f"{P}/plain/" + "long/" * 3_000)


def _tokens() -> Iterator[tuple[str, Act]]:
    at = f"{P}/plain/x"
    yield "no token", _bare(at)
    yield "no token, another method", _bare(at, method="DELETE")
    yield "not a token", _bare(at, "Atlas-Accesstoken: sk-123")
    bad: dict[str, dict[str, Any]] = {
        "expired": {"exp": 1_700_000_000},
        "early": {"nbf": 4_000_000_000},
        "without exp": {"exp": None},
        "audience": {"aud": "https://other.test"},
        "without audience": {"aud": None},
        "issuer": {"iss": "https://other.test/"},
        "without issuer": {"iss": None},
        "lifetime": {"exp": 4_000_000_000},
        "claim of the provider": {"tenant": "other"},
        "without the claim of the provider": {"tenant": None},
        "claim of spec.allow": {"active": False},
        "claim of spec.allow of another type": {"active": "true"},
        "unknown key": {"kid": "unknown"},
    }
    for name, claims in bad.items():
        yield f"token: {name}", _get(at, **claims)
    made: dict[str, Callable[[World], str]] = {
        "token of another key": lambda world: world.token(es256()),
        "token of another algorithm": lambda world: world.token(rs256("ec")),
        "token with alg none": lambda world: _unsigned(world.token()),
        "token without its signature": lambda world: world.token().rpartition(".")[0] + ".",
        "token of a provider by URL": lambda world: world.token(world.remote, iss=REMOTE),
        "token of a provider by URL, old": lambda world: world.token(world.remote, iss=REMOTE, exp=1_700_000_000),
    }
    for name, make in made.items():
        yield name, _with(at, make)
    yield (
        "token of a provider that is down",
        _with(f"{P}/plain/down", lambda world: world.token(world.remote, iss=DOWN)),
    )
    yield "token with several audiences", _get(at, aud=["https://other.test", "https://atlas.test"])
    yield "narrowed token", _get(at, aud=f"https://atlas.test{at.removesuffix('/x')}")
    yield "narrowed token for two", _get(at, aud=[f"https://atlas.test{P}/plain", f"https://atlas.test{P}/base"])
    yield "narrowed token for another", _get(at, aud=f"https://atlas.test{P}/base")
    yield "narrowed token for the lists", _get("/v1alpha1/apis", aud=f"https://atlas.test{P}/base")
    yield "two tokens", _get(at, "Atlas-Accesstoken: bad")
    yield "token of a client that goes on", _get(f"{P}/open.ai/x")
    yield "large token", _bare(at, f"Atlas-Accesstoken: {'x' * 70_000}")
    yield from _slots()


def _slots() -> Iterator[tuple[str, Act]]:
    """Tokens where SDKs put a key."""
    places = {
        "plain": ("Authorization: Bearer ", "DD-API-KEY: "),
        "mixed": ("Authorization: Token token=", "X-Api-Key: ", "Authorization: Bearer "),
        "basic": ("Authorization: Basic ", "Authorization: Bearer "),
        "open.ai": ("Authorization: Bearer ",),
    }
    for adapter, each in places.items():
        for place in each:
            yield f"key slot of {adapter}, {place}", _with(f"{P}/{adapter}/x", World.token, place=place)
    yield "a dummy key beside a token", _get(f"{P}/plain/x", "Authorization: Bearer sk-dummy", "DD-API-KEY: dummy")
    yield "a dummy key alone", _bare(f"{P}/plain/x", "Authorization: Bearer sk-dummy")


def _rules() -> Iterator[tuple[str, Act]]:
    at = f"{P}/allowed"
    for method, path in (
        ("GET", "/models"),
        ("HEAD", "/models"),
        ("POST", "/models"),
        ("GET", "/models/"),
        ("GET", "/models/a/files"),
        ("GET", "/models/a%2Fb/files"),
        ("GET", "/models/a/b/files"),
        ("GET", "/models//files"),
        ("GET", "/files/"),
        ("GET", "/files/a/b%2Fc?x"),
        ("GET", "/Models"),
        ("DELETE", "/open"),
        ("GET", "/other"),
    ):
        yield f"allow {method} {path}", _get(at + path, "X-HTTP-Method-Override: DELETE", method=method)
    roles: dict[str, Any] = {"realm": {"roles": ["user", "admin"]}, "level": 3}
    corporate: dict[str, Any] = {"https://corp.example/roles": ["root"]}
    yield "allow by a nested claim", _get(f"{at}/jobs", method="POST", **roles)
    yield "allow by half of the claims", _get(f"{at}/jobs", method="POST", realm={"roles": ["admin"]}, level="3")
    yield "allow by another group", _get(f"{at}/models", groups=["other"])
    yield "allow by a group that is no list", _get(f"{at}/models", groups="platform")
    yield "allow by a claim with dots", _get(f"{at}/other", **corporate)
    yield "allow without claims", _get(f"{at}/open", groups=None)
    for number in range(3):
        yield f"limit per subject, {number}", _get(f"{P}/subject/x", sub="alice")
    yield "limit per subject, of another", _get(f"{P}/subject/x", sub="bob")
    yield "limit per subject, refused", _bare(f"{P}/subject/x")
    for number in range(4):
        yield f"limit per adapter, {number}", _get(f"{P}/shared/x", sub=f"user {number}")
    yield "timeout", _get(f"{P}/slow/hold/never", method="POST", body=b"1")
    yield "timeout in time", _get(f"{P}/slow/x")
    for method in ("GET", "PUT", "POST", "PATCH"):
        yield f"retries of {method}", _get(f"{P}/again/status/503", method=method)
    yield "retries of a reset", _get(f"{P}/again/reset")
    yield "retries of another status", _get(f"{P}/again/status/500")


def _pages() -> Iterator[tuple[str, Act]]:
    asks = ("Access-Control-Request-Method: POST", "Access-Control-Request-Headers: atlas-accesstoken")
    for origin in (CANVAS, "https://evil.test", "null"):
        yield f"preflight of {origin}", _bare(f"{P}/plain/x", f"Origin: {origin}", *asks, method="OPTIONS")
        yield f"page of {origin}", _get(f"{P}/plain/hostile", f"Origin: {origin}")
        yield f"page of {origin} without a token", _bare(f"{P}/plain/x", f"Origin: {origin}")
    private = "Access-Control-Request-Private-Network: true"
    yield "preflight, private network", _bare(f"{P}/plain/x", f"Origin: {CANVAS}", *asks, private, method="OPTIONS")
    yield "preflight of the lists", _bare("/v1alpha1/apis", f"Origin: {CANVAS}", *asks, method="OPTIONS")


def _redirects() -> Iterator[tuple[str, Act]]:
    for place in ("/x?y#z", "/base/v4/x", "/login", "x/y", "//other.test/x", "https://evil.test/x", "//OWN/base/v4/y"):
        for adapter in ("plain", "base"):
            yield f"location {place} of {adapter}", _told(f"{P}/{adapter}/say?302&Location={quote(place)}")
    yield "location, own origin", _told(f"{P}/plain/say?307&Location=http://OWN/a?b")
    yield "content-location", _told(f"{P}/base/say?200&Content-Location=/base/v4/1")
    links = '<http://OWN/a?page=2>; rel="next", </b>; rel=prev'
    yield "links", _told(f"{P}/plain/say?200&Link={quote(links)}")


def _told(path: str) -> Act:
    """Return a request whose answer names the API itself where `OWN` is."""

    def act(gateway: Gateway) -> bytes:
        return _get(path.replace("OWN", f"127.0.0.1:{gateway.world.ports['api']}"))(gateway)

    return act


def _streams() -> Iterator[tuple[str, Act]]:
    for adapter in ("plain", "good", "basic", "query"):
        yield f"web socket of {adapter}", partial(_web_socket, adapter)
    yield "web socket without a token", _bare(f"{P}/plain/x", "Upgrade: websocket", "Connection: Upgrade")
    yield "another upgrade", _get(f"{P}/plain/x", "Upgrade: SPDY/3.1", "Connection: Upgrade")
    yield "events", _events
    yield "continue", _continue
    yield (
        "pipelined",
        _raw(
            f"GET {P}/plain/1 HTTP/1.1\r\nHost: HOST\r\nAtlas-Accesstoken: TOKEN\r\n\r\n"
            f"GET {P}/plain/2 HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"
        ),
    )
    yield "http2", lambda gateway: _http2(gateway, f"{P}/plain/x", method="POST", body=b"1")
    yield "http2, with a token in a key slot", lambda gateway: _http2(gateway, f"{P}/mixed/x", slot="x-api-key")
    yield "http2, refused", lambda gateway: _http2(gateway, f"{P}/plain/../x")
    yield "http2, a method in lower case", lambda gateway: _http2(gateway, f"{P}/plain/x", method="get")


def _failures() -> Iterator[tuple[str, Act]]:
    adapters = ["expired", "wrong-name", "self-signed", "other-authority", "wants-certificate", "http-at-https"]
    adapters += ["closes", "garbage", "huge-header", "broken-off", "refuses-stream", "closed", "no-name"]
    for adapter in adapters:
        yield f"api {adapter}", _get(f"{P}/{adapter}/pay", method="POST", body=b"1")
    yield "api blackhole", _get(f"{P}/blackhole{SLOW}", method="POST", body=b"1")
    yield "api closed, to be repeated", _get(f"{P}/closes/x")


def _malformed() -> Iterator[tuple[str, Act]]:
    at = f"{P}/plain/x"
    for method in ("TRACE", "TRACK", "DEBUG", "trace", "get"):
        yield f"method {method}", _get(at, method=method)
    yield "connect", _raw("CONNECT evil.test:443 HTTP/1.1\r\nHost: evil.test:443\r\n\r\n")
    yield "options of all", _raw("OPTIONS * HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n")
    end = "Atlas-Accesstoken: TOKEN\r\nConnection: close\r\n"
    both = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    for name, head in {
        "blank in the path": f"GET {at} y HTTP/1.1\r\nHost: HOST\r\n{end}\r\n",
        "fragment": f"GET {at}#y HTTP/1.1\r\nHost: HOST\r\n{end}\r\n",
        "raw bytes in the path": f"GET {at}\xff HTTP/1.1\r\nHost: HOST\r\n{end}\r\n",
        "no host": f"GET {at} HTTP/1.1\r\n{end}\r\n",
        "version": f"GET {at} HTTP/1.0\r\nHost: HOST\r\n{end}\r\n",
        "two lengths": f"POST {at} HTTP/1.1\r\nHost: HOST\r\n{end}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "length and chunks": f"POST {at} HTTP/1.1\r\nHost: HOST\r\n{end}{both}0\r\n\r\n",
        "another encoding": f"POST {at} HTTP/1.1\r\nHost: HOST\r\n{end}Transfer-Encoding: gzip\r\n\r\n",
        "zero byte": f"GET {at} HTTP/1.1\r\nHost: HOST\r\n{end}X: a\0b\r\n\r\n",
        "header name": f"GET {at} HTTP/1.1\r\nHost: HOST\r\n{end}X Y: a\r\n\r\n",
        "no http": "\x16\x03\x01\r\n\r\n",
    }.items():
        yield f"malformed: {name}", _raw(head)
    yield "too many headers", _get(at, *(f"X-{number}: a" for number in range(120)))
    yield "too large a header", _get(at, f"X: {'x' * 70_000}")


def _own() -> Iterator[tuple[str, Act]]:
    for path in ("/healthz", "/healthcheck"):
        yield f"health {path}", _bare(path)
        yield f"health {path} with a bad token", _bare(path, "Atlas-Accesstoken: bad")
    yield "below health", _bare("/healthz/x")
    yield "another host", _with(f"{P}/plain/host", World.token, host="evil.test")
    for path in ("/v1alpha1/apis", "/v1alpha1/instances"):
        yield f"list {path}", _get(path)
        yield f"list {path} without a token", _bare(path)
        yield f"list {path} of a caller that may do little", _get(path, groups=None)
        yield f"list {path} by another method", _get(path, method="POST")
    yield "list of nothing", _get("/v1alpha1/other")
    for path in ("/metrics", "/config_dump", "/quitquitquit", "/stats"):
        yield f"nothing at {path}", _bare(path)


def _unsigned(token: str) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


def _web_socket(adapter: str, gateway: Gateway) -> bytes:
    headers = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: x", "Sec-WebSocket-Version: 13")
    request = gateway.client.request(f"{P}/{adapter}/socket?a=b", *headers, token=gateway.world.token())
    return _upgraded(gateway, request.replace(b"Connection: close\r\n", b""))


def _upgraded(gateway: Gateway, request: bytes) -> bytes:
    """Send a request with an upgrade, and bytes that come back behind it."""
    with gateway.client.connect() as connection:
        connection.sendall(request)
        seen = b""
        while not seen.endswith(b"\r\n\r\n") and (part := connection.recv(65_536)):
            seen += part
        if b" 101 " not in seen:
            return seen
        connection.sendall(b"ping")
        while not seen.endswith(b"ping") and (part := connection.recv(65_536)):
            seen += part
        return seen


def _events(gateway: Gateway) -> bytes:
    with gateway.client.connect() as connection:
        api = gateway.world.recording["api"]
        api.hold("two")
        connection.sendall(gateway.client.request(f"{P}/plain/events/two", token=gateway.world.token()))
        seen = b""
        while b"first" not in seen:
            seen += connection.recv(65_536)
        api.release("two")
        return seen + read_all(connection)


def _continue(gateway: Gateway) -> bytes:
    request = gateway.client.request(
        f"{P}/plain/x", "Expect: 100-continue", "Content-Length: 4", token=gateway.world.token(), method="POST"
    )
    with gateway.client.connect() as connection:
        connection.sendall(request)
        seen = b""
        while not seen.endswith(b"\r\n\r\n"):
            seen += connection.recv(65_536)
        connection.sendall(b"body")
        return seen + read_all(connection)


def _http2(
    gateway: Gateway, path: str, *, method: str = "GET", slot: str = "atlas-accesstoken", body: bytes = b""
) -> bytes:
    pseudo = [(":method", method), (":scheme", "http"), (":authority", f"127.0.0.1:{gateway.client.port}")]
    headers = [*pseudo, (":path", path), (slot, gateway.world.token())]
    with gateway.client.connect() as connection:
        response = over_http2(connection, headers, body=body)
    if response is None:
        return b"reset"
    pairs = "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
    return pairs.encode("latin-1") + b"\r\n" + response.body + repr(response.trailers).encode()
