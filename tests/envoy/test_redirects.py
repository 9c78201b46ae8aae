"""References to an API's own origin lead through the gateway again, and a client's token never to the API itself."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from mom.envoy.options import Certificate, Listen, Options
from tests.envoy.certificates import Authority
from tests.envoy.client import Client, read_chunks
from tests.envoy.configurations import configuration, http, provider
from tests.envoy.conftest import Atlas
from tests.envoy.running import free_port, running
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Request, Upstream

P = "/v1/apis/http"


@dataclass(frozen=True)
class Redirecting:
    """An Atlas whose adapters' base URLs name hosts; all of them are served by one API on loopback."""

    client: Client
    key: Key
    api: Upstream

    @property
    def origin(self) -> str:
        """What the client knows the gateway by."""
        return f"http://127.0.0.1:{self.client.port}"

    def said(self, adapter: str, header: str, value: str, status: int = 302, host: str | None = None) -> str | None:
        """Have the API send a header, and return what the client gets of it."""
        target = f"{P}/{adapter}/say?{status}&{header}={quote(value, safe='', encoding='latin-1')}"
        answer = self.client.send(target, token=self.key.token(), host=host)
        assert answer.status == status
        return answer.headers.get(header.lower())


@pytest.fixture(scope="module")
def gateway(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redirecting]:
    with Upstream() as api:
        port = api.port
        adapters = [
            http("root", f"http://localhost:{port}", {"Authorization": "Bearer x"}),
            http("base", f"http://localhost:{port}/api"),
            http("deep", f"http://LOCALHOST:{port}/a.b/v4/"),
            http("other", f"http://127.0.0.1:{port}"),
            http("tenant", f"http://localhost:{port}", {"Host": "tenant.test:99"}),
            http("bare", f"http://localhost:{port}", {"Host": "Bare.test"}),
        ]
        key = es256()
        options = Options(
            listen=Listen("127.0.0.1", free_port()), ca_file=str(authority.file), jwks={"keys": json.dumps(jwks(key))}
        )
        given = configuration(*adapters, providers=(provider("keys"),))
        with running(given, options, tmp_path_factory.mktemp("redirects")) as envoy:
            yield Redirecting(envoy.client, key, api)


# `{own}` is the API's host and port.
REFERENCES = [
    pytest.param("root", "http://{own}/x?y#z", f"{P}/root/x?y#z", id="absolute"),
    pytest.param("root", "HTTP://{OWN}/X", f"{P}/root/X", id="absolute, in capitals"),
    pytest.param("root", "http://{own}", f"{P}/root", id="no path"),
    pytest.param("root", "http://{own}?x=1", f"{P}/root?x=1", id="no path but a query"),
    pytest.param("root", "http://{own}#x", f"{P}/root#x", id="no path but a fragment"),
    pytest.param("root", "http://user:pw@{own}/x", f"{P}/root/x", id="with user and password"),
    pytest.param("root", "//{own}/x", f"{P}/root/x", id="network-path, to itself"),
    pytest.param("root", "/", f"{P}/root/", id="the root"),
    pytest.param("root", "/x/../y?u=http://{own}/", f"{P}/root/x/../y?u=http://{{own}}/", id="path-absolute"),
    pytest.param("root", "/\\evil.test", f"{P}/root/\\evil.test", id="what browsers take for another host"),
    pytest.param("root", "/n\xc3\xa4\xff x", f"{P}/root/n\xc3\xa4\xff x", id="raw bytes"),
    pytest.param("root", f"{P}/other/x", f"{P}/root{P}/other/x", id="the path of another adapter"),
    pytest.param("base", "http://{own}/api/x", f"{P}/base/x", id="below the base path"),
    pytest.param("base", "/api/x?y", f"{P}/base/x?y", id="path-absolute, below the base path"),
    pytest.param("base", "/api", f"{P}/base", id="the base path"),
    pytest.param("base", "/api/", f"{P}/base/", id="the base path and a slash"),
    pytest.param("base", "/api?x", f"{P}/base?x", id="the base path and a query"),
    pytest.param("base", "/apis/x", "/apis/x", id="path-absolute, outside the base path: Atlas answers 404"),
    pytest.param("base", "/login", "/login", id="path-absolute, elsewhere: Atlas answers 404"),
    pytest.param("base", "http://{own}/login?x", f"{P}/base://{{own}}/login?x", id="absolute, outside the base path"),
    pytest.param("base", "http://{own}", f"{P}/base://{{own}}", id="absolute, above the base path"),
    pytest.param("base", "//{own}/login", f"{P}/base://{{own}}/login", id="network-path, outside the base path"),
    pytest.param("deep", "http://{own}/a.b/v4/x", f"{P}/deep/x", id="below a base path with a dot"),
    pytest.param("deep", "/aXb/v4/x", "/aXb/v4/x", id="a dot in a base path is a dot"),
    pytest.param("tenant", "http://tenant.test:99/x", f"{P}/tenant/x", id="the Host that the adapter sends"),
    pytest.param("tenant", "http://{own}/x", f"{P}/tenant/x", id="the base URL beside a Host header"),
    pytest.param("bare", "http://bare.test/x", f"{P}/bare/x", id="the default port of http left out"),
    pytest.param("bare", "http://bare.test:80/x", f"{P}/bare/x", id="the default port of http"),
    pytest.param("bare", "http://bare.test:443/x", None, id="the default port of https, by http"),
    pytest.param("bare", "https://bare.test/x", None, id="https where the base URL is http"),
    # What is left alone.
    pytest.param("root", "x/y", None, id="relative"),
    pytest.param("root", "../x", None, id="relative, upwards"),
    pytest.param("root", "?page=2", None, id="a query alone"),
    pytest.param("root", "#top", None, id="a fragment alone"),
    pytest.param("root", "", None, id="empty"),
    pytest.param("root", "//other.test/x", None, id="network-path, to another host"),
    pytest.param("root", "https://{own}/x", None, id="https of an http origin"),
    pytest.param("root", "http://localhost/x", None, id="another port"),
    pytest.param("root", "http://localhost:1/x", None, id="one more port"),
    pytest.param("root", "http://{own}0/x", None, id="a longer port"),
    pytest.param("root", "http://{own}@evil.test/x", None, id="its own name as user"),
    pytest.param("root", "http://{own}.evil.test/x", None, id="a longer host"),
    pytest.param("root", "http://xlocalhost:1/x", None, id="a host that ends so"),
    pytest.param("root", "http://{own}\\@evil.test/x", None, id="a backslash"),
    pytest.param("root", "http://evil.test/http://{own}/x", None, id="its own name in a path"),
    pytest.param("root", "http://evil.test/?http://{own}/x", None, id="its own name in a query"),
    pytest.param("root", "mailto:x@{own}", None, id="another scheme"),
    pytest.param("other", "http://{own}/x", None, id="the origin of another adapter"),
    pytest.param("tenant", "http://{own} tenant.test:99/x", None, id="two of its names with a blank between"),
    pytest.param("tenant", "http:///x", None, id="no host"),
    pytest.param("tenant", "http://other.test:99/x", None, id="another host of that port"),
]


@pytest.mark.parametrize(("adapter", "sent", "got"), REFERENCES)
def test_redirects(gateway: Redirecting, adapter: str, sent: str, got: str | None) -> None:
    own = f"localhost:{gateway.api.port}"
    sent = sent.format(own=own, OWN=own.upper())
    assert gateway.said(adapter, "Location", sent) == (sent if got is None else got.format(own=own))


@pytest.mark.parametrize(("adapter", "sent", "got"), REFERENCES)
def test_references_that_no_client_follows_by_itself(
    gateway: Redirecting, adapter: str, sent: str, got: str | None
) -> None:
    """Programs take them as they are: what was absolute stays absolute."""
    own = f"localhost:{gateway.api.port}"
    sent = sent.format(own=own, OWN=own.upper())
    absolute = gateway.origin if sent.lower().startswith("http:") else ""
    expected = sent if got is None else absolute + got.format(own=own)
    assert gateway.said(adapter, "Content-Location", sent, 302) == expected
    assert gateway.said(adapter, "Location", sent, 201) == expected


def test_an_https_origin_owns_its_default_ports_and_plain_http(atlas: Atlas) -> None:
    """`renamed` sends a Host without a port: that of https."""
    port = atlas.secure.port
    for adapter, sent, own in (
        ("good", f"https://localhost:{port}/x", True),
        ("good", f"http://localhost:{port}/x", True),
        ("good", "https://localhost/x", False),
        ("renamed", "https://evil.test/x", True),
        ("renamed", "https://EVIL.test:443/x", True),
        ("renamed", "http://evil.test/x", True),
        ("renamed", "http://evil.test:80/x", True),
        ("renamed", "//evil.test:443/x", True),
        ("renamed", "https://evil.test:8443/x", False),
        ("renamed", "ftp://evil.test/x", False),
    ):
        answer = atlas.get(f"{P}/{adapter}/say?302&Location={quote(sent, safe='')}")
        assert answer.headers["location"] == (f"{P}/{adapter}/x" if own else sent), sent


@pytest.mark.parametrize(
    ("sent", "got"),
    [
        ('<http://{own}/x?page=2>; rel="next"', f'<{{at}}{P}/root/x?page=2>; rel="next"'),
        (
            '<http://{own}/x?page=2>; rel="next", <http://{own}/x?page=9>; rel="last"',
            f'<{{at}}{P}/root/x?page=2>; rel="next", <{{at}}{P}/root/x?page=9>; rel="last"',
        ),
        ("</x>;rel=a,</y>;rel=b", f"<{P}/root/x>;rel=a,<{P}/root/y>;rel=b"),
        ("<//{own}/x>; rel=a", f"<{P}/root/x>; rel=a"),
        ("<http://{own}>; rel=a", f"<{{at}}{P}/root>; rel=a"),
        (
            '<https://other.test/a>; rel=a; title="x, <y> \\" >", <http://{own}/b,c;d>; rel=b',
            f'<https://other.test/a>; rel=a; title="x, <y> \\" >", <{{at}}{P}/root/b,c;d>; rel=b',
        ),
        ('</x>; title="http://{own}/, </y>"', f'<{P}/root/x>; title="http://{{own}}/, </y>"'),
        ('<//other.test/x>; anchor="http://{own}/"', '<//other.test/x>; anchor="http://{own}/"'),
        ("<x>; rel=a, <?b>; rel=b, <#c>", "<x>; rel=a, <?b>; rel=b, <#c>"),
        ("not a link http://{own}/x", "not a link http://{own}/x"),
    ],
)
def test_targets_of_links(gateway: Redirecting, sent: str, got: str) -> None:
    """The pages of GitHub, GitLab and many others."""
    own = f"localhost:{gateway.api.port}"
    assert gateway.said("root", "Link", sent.format(own=own)) == got.format(own=own, at=gateway.origin)


def test_links_below_and_outside_a_base_path(gateway: Redirecting) -> None:
    own = f"http://localhost:{gateway.api.port}"
    sent = f"<{own}/api/x>; rel=next, </api/y>; rel=prev, <{own}/z>; rel=up, </w>; rel=top"
    at = f"{gateway.origin}{P}/base"
    assert gateway.said("base", "Link", sent) == (
        f"<{at}/x>; rel=next, <{P}/base/y>; rel=prev, <{at}{own[4:]}/z>; rel=up, </w>; rel=top"
    )


@pytest.mark.parametrize("host", ["localhost:{port}", "[::1]:{port}", "gateway.example", "GATEWAY.example:99"])
def test_links_have_the_name_by_which_the_client_came(gateway: Redirecting, host: str) -> None:
    """PyGithub accepts no other host than the one it asked."""
    host = host.format(port=gateway.client.port)
    got = gateway.said("root", "Link", f"<http://localhost:{gateway.api.port}/x>", host=host)
    assert got == f"<http://{host}{P}/root/x>"


@pytest.mark.parametrize("host", ["a<b", "a>b", "a;b", 'a"b', "a,b", "a@b", "a/b", "a b"])
def test_no_odd_name_comes_back_in_a_reference(gateway: Redirecting, host: str) -> None:
    own = f"http://localhost:{gateway.api.port}/x"
    target = f"{P}/root/say?200&Content-Location={own}"
    answer = gateway.client.send(target, token=gateway.key.token(), host=host)
    assert answer.status == 400 or answer.headers["content-location"] == f"{P}/root/x"


@pytest.mark.parametrize(("listen", "at"), [("127.0.0.1", "https://localhost"), ("0.0.0.0", "")])
def test_a_reference_is_absolute_only_where_the_scheme_is_known(
    authority: Authority, tmp_path: Path, listen: str, at: str
) -> None:
    """With TLS it is; where plain http is served to other machines, TLS may end at a proxy in front."""
    port = free_port()
    files = authority.issue("localhost").write(tmp_path)
    key = es256()
    options = Options(
        listen=Listen(listen, port),
        ca_file=str(authority.file),
        jwks={"keys": json.dumps(jwks(key))},
        tls=Certificate(str(files.chain), str(files.key)) if at else None,
    )
    client = Client(port, context=ssl.create_default_context(cafile=str(authority.file)) if at else None)
    with Upstream() as api:
        given = configuration(http("root", f"http://127.0.0.1:{api.port}"), providers=(provider("keys"),))
        with running(given, options, tmp_path / "run"):
            target = f"{P}/root/say?200&Content-Location=http://127.0.0.1:{api.port}/x"
            answer = client.send(target, token=key.token(), host="localhost")
    assert answer.headers["content-location"] == f"{at}{P}/root/x"


@pytest.mark.parametrize(
    "sent", ['"', "<", '<x>; title="', '<x>; title="\\', "</x", "<>", "", ",,", '"</x>', '"\\"</x>']
)
def test_a_broken_link_is_passed_on_as_it_is(gateway: Redirecting, sent: str) -> None:
    assert gateway.said("root", "Link", sent) == sent


def test_two_link_headers_are_one_list(gateway: Redirecting) -> None:
    answer = gateway.client.send(f"{P}/root/say?200&Link=%3C/a%3E&Link=%3C/b%3E;rel=x", token=gateway.key.token())
    assert answer.headers["link"] == f"<{P}/root/a>,<{P}/root/b>;rel=x"


def test_a_location_of_any_length(gateway: Redirecting) -> None:
    for length in (8_000, 9_000, 30_000):
        own = f"http://localhost:{gateway.api.port}/" + "a" * length
        assert gateway.said("root", "Location", own) == f"{P}/root/" + "a" * length
        assert gateway.said("root", "Location", f"https://other.test/{own}") == f"https://other.test/{own}"


def test_a_response_with_a_link_still_streams(gateway: Redirecting) -> None:
    """The script looks at headers only: the second event is sent after the first one has arrived."""
    target = f"{P}/root/events/linked?Link=%3C/next%3E"
    with gateway.client.connect() as connection, connection.makefile("rb") as reader:
        connection.sendall(gateway.client.request(target, token=gateway.key.token()))
        head = b"".join(iter(reader.readline, b"\r\n"))
        assert f"link: <{P}/root/next>".encode() in head
        chunks = read_chunks(reader)
        assert next(chunks) == b"data: first\n\n"
        gateway.api.release("linked")
        assert list(chunks) == [b"data: second\n\n"]


def test_a_redirect_of_a_web_socket(gateway: Redirecting) -> None:
    answer = gateway.client.send(
        f"{P}/root/say?302&Location=/x", "Connection: Upgrade", "Upgrade: WebSocket", token=gateway.key.token()
    )
    assert answer.headers["location"] == f"{P}/root/x"


FORMS = ["http://{own}/api/arrived", "/api/arrived", "//{own}/api/arrived"]


def arrival(gateway: Redirecting) -> Request:
    """Return the request that followed; and require that all of the API's requests came through the gateway."""
    (request,) = gateway.api.seen("/arrived")
    assert "atlas-accesstoken" not in request.names
    assert all("atlas-accesstoken" not in one.names for one in gateway.api.requests)
    return request


def start(gateway: Redirecting, form: str) -> str:
    """Return the URL of a request whose response redirects in the given form."""
    gateway.api.requests.clear()
    location = form.format(own=f"localhost:{gateway.api.port}")
    return f"{gateway.origin}{P}/base/say?302&Location={quote(location, safe='')}"


@pytest.mark.parametrize("form", FORMS)
def test_urllib_follows_through_the_gateway(gateway: Redirecting, form: str) -> None:
    request = urllib.request.Request(start(gateway, form), headers={"Atlas-Accesstoken": gateway.key.token()})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=120) as response:
        assert response.read() == b"ok"
        assert response.url == f"http://127.0.0.1:{gateway.client.port}{P}/base/arrived"
    assert arrival(gateway).target == "/api/arrived"


@pytest.mark.parametrize("form", FORMS)
def test_curl_follows_through_the_gateway(gateway: Redirecting, form: str) -> None:
    url = start(gateway, form)
    token = f"Atlas-Accesstoken: {gateway.key.token()}"
    command = ["curl", "-q", "-sSL", "--noproxy", "*", "--max-time", "60", "-H", token, url]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert (done.returncode, done.stdout) == (0, "ok"), done.stderr
    assert arrival(gateway).target == "/api/arrived"


def test_curl_ends_at_the_gateway_where_the_base_path_does_not_reach(gateway: Redirecting) -> None:
    for form in ("http://{own}/login", "/login"):
        url = start(gateway, form)
        token = f"Atlas-Accesstoken: {gateway.key.token()}"
        command = ["curl", "-q", "-sSL", "--noproxy", "*", "--max-time", "60", "-H", token, url]
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
        assert "API_NoMatchingInstanceError" in done.stdout, done
        assert len(gateway.api.requests) == 1


NODE = """
const [url, token] = process.argv.slice(1);
fetch(url, {headers: {"atlas-accesstoken": token}}).then(async (response) => console.log(await response.text()));
"""
CLIENTS = {
    "wget": ["wget", "-q", "--no-config", "--no-proxy", "-O", "-", "--header", "Atlas-Accesstoken: {token}", "{url}"],
    "node": ["node", "-e", NODE, "{url}", "{token}"],
}


@pytest.mark.proof
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("client", CLIENTS)
def test_other_clients_follow_through_the_gateway(gateway: Redirecting, client: str, form: str) -> None:
    if shutil.which(client) is None:
        pytest.skip(f"{client} is not installed")
    url, token = start(gateway, form), gateway.key.token()
    command = [part.replace("{url}", url).replace("{token}", token) for part in CLIENTS[client]]
    environ = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False, timeout=120, env=environ
    )
    assert (done.returncode, done.stdout.strip()) == (0, "ok"), done.stderr
    assert arrival(gateway).target == "/api/arrived"
