"""What an Atlas has around it, once for all ways to run it: APIs that record, key and token endpoints, and a file.

The file uses each setting that an adapter can have, so that what is sent to one gateway can be sent to another and
compared.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from h2.errors import ErrorCodes

from tests.envoy.certificates import Authority, Issued, for_clients, self_signed
from tests.envoy.conftest import server_context
from tests.envoy.faulty import (
    Behaviour,
    Blackhole,
    FaultyServer,
    answers,
    closes,
    is_silent,
    resets_stream,
    speaks_plain_http,
)
from tests.envoy.http2 import Http2Api
from tests.envoy.running import free_port
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Upstream
from tests.run.mom_run import atlas_yml

REMOTE, DOWN = "https://remote.test/", "https://down.test/"
CANVAS = "https://canvas.example.com"
# Of each variable: bytes that a header, a base64 text, a query or a format string could get wrong.
VARIABLES = {
    "SECRET": "s3cret-%REQ(:path)%-naïve",
    "TWO": "2",
    "TWO_PART": "two",
    "ATLAS_USER": "user@example.com",
    "PASSWORD": "p%ss:wörd",
    "QUERY_KEY": "k/e+y&=%é #",
    "CLIENT_SECRET": "s+cr/et==&%",
}


@dataclass
class World:
    """The surroundings. `ports`: of each API, by its name. `recording`: the APIs that keep what they get."""

    folder: Path
    authority: Authority
    token_url: str
    ports: dict[str, int] = field(default_factory=dict)
    recording: dict[str, Upstream] = field(default_factory=dict)
    over_http2: dict[str, Http2Api] = field(default_factory=dict)
    key: Key = field(default_factory=es256)
    remote: Key = field(default_factory=lambda: es256("remote"))

    def token(self, key: Key | None = None, **claims: Any) -> str:
        """Return a token that every adapter takes, but for the claims given; None leaves one out."""
        usual = {"exp": int(time.time()) + 1_800, "tenant": "acme", "active": True, "groups": ["platform"], "jti": "id"}
        return (key or self.key).token(**{**usual, **claims})

    def write_keys(self) -> None:
        """Write the keys of the provider whose keys are a file."""
        (self.folder / "keys.json").write_text(json.dumps(jwks(self.key)))

    def seen(self) -> dict[str, list[Any]]:
        """Return what each API has got."""
        return {name: list(api.requests) for name, api in (self.recording | self.over_http2).items()}

    def since(self, before: Mapping[str, list[Any]]) -> list[tuple[str, Any]]:
        """Return what the APIs have got since `before`, with their names."""
        return [(name, each) for name, got in self.seen().items() for each in got[len(before[name]) :]]


def configuration(world: World, port: int) -> str:
    """Return the text of the file that uses every setting, for a gateway at `port`."""
    api = f"http://127.0.0.1:{world.ports['api']}"
    secrets = {"Authorization": "Bearer ${{ SECRET }}", "DD-API-KEY": "${{ SECRET }}"}
    adapters: dict[str, tuple[str, Mapping[str, str]]] = {
        "plain": (api, secrets),
        "base": (f"{api}/base/v4/", secrets),
        "mixed": (api, {"Authorization": "Token token=${{ SECRET }}", "X-Api-Key": "${{ TWO }}"}),
        "literal": (api, {"X-Percent": "100% %REQ(authorization)% ${{ TWO_PART }}|${{ TWO }}"}),
        "browser": (api, {"Cookie": "a=b", "Referer": "https://here.test/", "Origin": "https://here.test"}),
        "open.ai": (f"{api}/dot", {}),
        **dict.fromkeys(("basic", "nobody", "query", "queries", "allowed", "subject", "shared"), (api, {})),
        **dict.fromkeys(("slow", "again", "oauth2", "no-token"), (api, {})),
        **{name: (f"https://localhost:{world.ports[name]}", secrets) for name in _OVER_TLS},
        "client": (f"https://localhost:{world.ports['wants-certificate']}", {}),
        "h2c": (f"http://127.0.0.1:{world.ports['h2c']}", secrets),
        **{name: (f"http://127.0.0.1:{world.ports[name]}", {}) for name in _FAULTY},
        "refuses-stream": (f"http://127.0.0.1:{world.ports['refuses-stream']}", {}),
        "closed": (f"http://127.0.0.1:{world.ports['closed']}", {}),
        "no-name": ("https://nothing.invalid", {}),
    }
    return atlas_yml(adapters, _settings(world), **_spec(world, port))


def _settings(world: World) -> dict[str, dict[str, Any]]:
    oauth2 = {
        "tokenUrl": world.token_url,
        "clientId": "post",
        "clientSecret": "${{ CLIENT_SECRET }}",
        "scopes": ["read"],
        "parameters": [{"name": "resource", "value": "https://api.test"}],
    }
    return {
        "basic": {"basicAuth": {"username": "${{ ATLAS_USER }}", "password": "${{ PASSWORD }}"}},
        "nobody": {"basicAuth": {"username": "${{ ATLAS_USER }}"}},
        "query": {"query": [{"name": "key", "value": "${{ QUERY_KEY }}"}]},
        "queries": {"query": [{"name": "a b", "value": "x ${{ TWO }}"}, {"name": "v", "value": "1"}]},
        "allowed": {"allow": _ALLOW},
        "subject": {"limits": {"requestsPerMinute": 2, "per": "subject"}},
        "shared": {"limits": {"requestsPerMinute": 3, "per": "adapter"}},
        "slow": {"timeout": "1s"},
        "again": {"retries": 2, "timeout": "5s"},
        "oauth2": {"oauth2": oauth2},
        "no-token": {"oauth2": {**oauth2, "tokenUrl": f"http://127.0.0.1:{world.ports['closed']}/token"}},
        "own-authority": {"tls": {"caFile": "own-ca.pem"}},
        "other-authority": {"tls": {"caFile": "own-ca.pem"}},
        "client": {"tls": {"certFile": "client.pem", "keyFile": "client-key.pem"}},
        "h2c": {"http2": "prior-knowledge"},
        "refuses-stream": {"http2": "prior-knowledge"},
    }


_ALLOW: list[dict[str, Any]] = [
    {
        "methods": ["GET", "HEAD"],
        "paths": ["/models", "/models/*/files", "/files/**"],
        "claims": {"groups": "platform"},
    },
    {"methods": ["POST"], "paths": ["/jobs"], "claims": {"realm.roles": ["admin"], "level": 3}},
    {"paths": ["/open"]},
    {"claims": {'"https://corp.example/roles"': "root"}},
]


def _spec(world: World, port: int) -> dict[str, Any]:
    audience = "https://atlas.test"
    keys = f"http://127.0.0.1:{world.ports['keys']}/keys.json"
    gone = f"http://127.0.0.1:{world.ports['closed']}/keys.json"
    return {
        "exposedPorts": {"ingressHttpPort": port},
        "identityProviders": [
            {
                "idp": {
                    "publicKey": "keys.json",
                    "audience": audience,
                    "issuer": "https://idp.test/",
                    "claims": {"tenant": "acme"},
                    "maxLifetime": "1h",
                }
            },
            {"remote": {"publicKey": keys, "audience": audience, "issuer": REMOTE}},
            {"down": {"publicKey": gone, "audience": audience, "issuer": DOWN}},
        ],
        "allow": [{"claims": {"active": True}}],
        "cors": {"origins": [CANVAS]},
    }


_CERTIFIED = ("good", "expired", "wrong-name", "self-signed", "own-authority", "other-authority")
_OVER_TLS = (*_CERTIFIED, "wants-certificate", "http-at-https")
_FAULTY = ("closes", "garbage", "huge-header", "broken-off", "silent", "blackhole")


@contextlib.contextmanager
def world(folder: Path, token_url: str) -> Iterator[World]:
    """Start all servers, write the files that the configuration names to `folder`, and end them with the block."""
    authority, own = (Authority(_folder(folder / name), name) for name in ("authority", "own"))
    made = World(folder, authority, token_url)
    with contextlib.ExitStack() as stack:
        made.recording["api"] = stack.enter_context(Upstream())
        certificates: dict[str, Issued] = {
            "good": authority.issue("localhost"),
            "expired": authority.issue("localhost", expired=True),
            "wrong-name": authority.issue("evil.test"),
            "self-signed": self_signed("localhost"),
            "own-authority": own.issue("localhost"),
            "other-authority": authority.issue("localhost"),
            "wants-certificate": authority.issue("localhost"),
        }
        contexts = {name: server_context(each, folder / name) for name, each in certificates.items()}
        contexts["wants-certificate"].verify_mode = ssl.CERT_REQUIRED
        contexts["wants-certificate"].load_verify_locations(authority.file)
        made.recording |= {name: stack.enter_context(Upstream(each)) for name, each in contexts.items()}
        made.over_http2["h2c"] = Http2Api(None)
        stack.callback(made.over_http2["h2c"].close)
        made.ports |= {name: api.port for name, api in (made.recording | made.over_http2).items()}
        made.ports["blackhole"] = stack.enter_context(Blackhole()).port
        made.ports |= {name: stack.enter_context(FaultyServer(each)).port for name, each in _behaviours().items()}
        made.ports["keys"] = stack.enter_context(_served({"/keys.json": json.dumps(jwks(made.remote))}))
        made.ports["closed"] = free_port()
        for_clients(authority, "atlas").write(folder, "client")
        (folder / "own-ca.pem").write_bytes(own.file.read_bytes())
        made.write_keys()
        yield made


def _behaviours() -> dict[str, Behaviour]:
    return {
        "closes": closes,
        "garbage": answers(b"\x00\x01 this is not HTTP\r\n\r\n"),
        "huge-header": answers(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\nContent-Length: 2\r\n\r\nok"),
        "broken-off": answers(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok"),
        "silent": is_silent,
        "http-at-https": speaks_plain_http,
        "refuses-stream": resets_stream(ErrorCodes.REFUSED_STREAM),
    }


def _folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


@contextlib.contextmanager
def _served(texts: Mapping[str, str]) -> Iterator[int]:
    """Serve texts by their paths, and return the port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = texts.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
