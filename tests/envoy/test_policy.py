"""Which requests may pass, by a real Envoy: lists of the Atlas and of adapters, claims, and who sees what."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from mom.atlas.model import Configuration
from mom.envoy.adapters import kind_of
from mom.envoy.explain import explain
from mom.envoy.options import Listen, Options
from mom.envoy.request_line import HTTP1_METHODS
from mom.envoy.routes import route_configuration
from tests.envoy.client import Response
from tests.envoy.http2 import over_http2
from tests.envoy.rules import configured, odd_request, passes, random_claims, random_request, random_rules
from tests.envoy.running import Running, free_port, running
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Upstream
from tests.run.mom_run import wait_until
from tests.searches import EXAMPLES

PREFIX = "/v1/apis/http/"
GROUPS = {"claims": {"groups": "platform"}}
SPECIFIC: dict[str, dict[str, Any]] = {
    "open": {},
    "reading": {"allow": [{"methods": ["GET", "HEAD"]}]},
    "paths": {"allow": [{"paths": ["/models", "/files/**", "/repos/*/issues"]}]},
    "group": {"allow": [GROUPS]},
    "either": {"allow": [{"methods": ["GET"], "paths": ["/a"]}, {"methods": ["POST"], **GROUPS}]},
    "roles": {"allow": [{"claims": {"realm_access.roles": ["admin", "owner"], '"https://x.test/level"': 3}}]},
    "override": {
        "allow": [{"methods": ["GET"]}],
        "headers": [{"name": "X-HTTP-Method", "value": "own"}],
    },
}
# What every adapter's requests must pass beside its own list: all but one path, or an administrator.
EVERYWHERE: list[dict[str, Any]] = [{"paths": ["", "/", "/*", "/*/**", "/a/**"]}, {"claims": {"admin": True}}]
RANDOM = 30
# How long a connection lingers whose stream was reset.
QUICK = {"delayed_close_timeout": ("1s", "0.01s")}
OPTIONS = Options(listen=Listen("127.0.0.1", 8082), ca_file="/ca.pem", jwks={"keys.json": "{}"})


@dataclass(frozen=True)
class Ruled:
    """A running Envoy that serves adapters with rules."""

    envoy: Running
    api: Upstream
    key: Key
    configuration: Configuration
    adapters: dict[str, dict[str, Any]]

    def send(self, name: str, method: str, path: str, *headers: str, **claims: Any) -> Response:
        token = self.key.token(**claims)
        return self.envoy.client.send(f"{PREFIX}{name}{path}", *headers, method=method, token=token)

    def over_http1(self, method: str, target: str, token: str) -> tuple[int, str]:
        """Return the status of the response, and the type of Atlas's own error."""
        headers = ["Content-Type: text/plain"] if method == "QUERY" else []
        answer = self.envoy.client.send(target, *headers, method=method, token=token)
        return answer.status, answer.error or ""

    def over_http2(self, method: str, target: str, token: str) -> tuple[int, str]:
        """Return the same; 0 and nothing where the stream is reset."""
        pseudo = {":method": method, ":scheme": "http", ":authority": "atlas.test", ":path": target}
        with self.envoy.client.connect() as connection:
            headers = [*pseudo.items(), ("atlas-accesstoken", token), ("content-type", "text/plain")]
            answer = over_http2(connection, headers)
        return (0, "") if answer is None else (int(answer[":status"]), answer.headers.get("atlas-error", ""))


@pytest.fixture(scope="module")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ruled]:
    """Return an Envoy with the specific adapters and with ones of random rules."""
    dice = random.Random(9)
    generated = {f"random{number}": {"allow": random_rules(dice)} for number in range(RANDOM)}
    adapters = {**SPECIFIC, **generated}
    key = es256()
    with Upstream() as api:
        given = configured(adapters, f"http://127.0.0.1:{api.port}", allow=EVERYWHERE)
        options = Options(
            listen=Listen("127.0.0.1", free_port()),
            ca_file="/etc/ssl/certs/ca-certificates.crt",
            jwks={"keys.json": json.dumps(jwks(key))},
            access_log="-",
        )
        with running(given, options, tmp_path_factory.mktemp("ruled"), times=QUICK) as envoy:
            yield Ruled(envoy, api, key, given, adapters)


def test_a_web_socket_has_to_pass_the_lists_as_every_request(ruled: Ruled) -> None:
    upgrade = ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: eA==", "Sec-WebSocket-Version: 13")
    for name, method, path, groups, status in (
        ("paths", "GET", "/models", "any", 101),
        ("paths", "GET", "/admin", "any", 403),
        ("reading", "POST", "/a/x", "any", 403),
        ("group", "GET", "/a/x", "any", 403),
        ("group", "GET", "/a/x", "platform", 101),
    ):
        token = ruled.key.token(groups=groups)
        request = ruled.envoy.client.request(f"{PREFIX}{name}{path}", *upgrade, token=token, method=method)
        with ruled.envoy.client.connect() as connection, connection.makefile("rb") as reader:
            connection.sendall(request.replace(b"Connection: close\r\n", b""))
            assert int(reader.readline().split()[1]) == status, (name, method, path, groups)


@pytest.mark.parametrize(
    "case",
    [
        ("open", "DELETE", "/x", {}, True),
        ("reading", "GET", "/x", {}, True),
        ("reading", "HEAD", "/x", {}, True),
        ("reading", "POST", "/x", {}, False),
        ("paths", "POST", "/models", {}, True),
        ("paths", "GET", "/models?x=/other", {}, True),
        ("paths", "GET", "/models/", {}, False),
        ("paths", "GET", "/Models", {}, False),
        ("paths", "GET", "/models;x=1", {}, False),
        ("paths", "GET", "/%6dodels", {}, False),
        ("paths", "GET", "/other?/models", {}, False),
        ("paths", "GET", "/v1/models", {}, False),
        ("paths", "GET", "/files/", {}, True),
        ("paths", "GET", "/files/a/b;c%2Fd", {}, True),
        ("paths", "GET", "/files", {}, False),
        ("paths", "GET", "/filesystem/x", {}, False),
        ("paths", "GET", "/repos/mom/issues", {}, True),
        ("paths", "GET", "/repos/a%20b/issues", {}, True),
        ("paths", "GET", "/repos//issues", {}, False),
        ("paths", "GET", "/repos/a/b/issues", {}, False),
        ("paths", "GET", "/repos/a%2Fb/issues", {}, False),
        ("paths", "GET", "/repos/a%5cb/issues", {}, False),
        ("paths", "GET", "/repos/a;b/issues", {}, False),
        ("paths", "GET", "/repos/a%3Bb/issues", {}, False),
        ("paths", "GET", "", {}, False),
        ("group", "GET", "/x", {"groups": "platform"}, True),
        ("group", "GET", "/x", {"groups": ["other", "platform"]}, True),
        ("group", "GET", "/x", {}, False),
        ("group", "GET", "/x", {"groups": "platforms"}, False),
        ("group", "GET", "/x", {"groups": "Platform"}, False),
        ("group", "GET", "/x", {"groups": [["platform"]]}, False),
        ("group", "GET", "/x", {"groups": {"platform": True}}, False),
        ("group", "GET", "/x", {"groups": [None]}, False),
        ("either", "GET", "/a", {}, True),
        ("either", "GET", "/b", {"groups": "platform"}, False),
        ("either", "POST", "/b", {"groups": "platform"}, True),
        ("either", "POST", "/a", {}, False),
        ("roles", "GET", "/x", {"realm_access": {"roles": ["x", "owner"]}, "https://x.test/level": 3}, True),
        ("roles", "GET", "/x", {"realm_access": {"roles": ["x", "owner"]}, "https://x.test/level": "3"}, False),
        ("roles", "GET", "/x", {"realm_access": {"roles": ["owner"]}}, False),
        ("roles", "GET", "/x", {"realm_access.roles": ["owner"], "https://x.test/level": 3}, False),
        # The list for all adapters.
        ("open", "GET", "/b/c;d/e", {}, True),
        ("open", "GET", "/b;d/e", {}, False),
        ("open", "GET", "/b;d/e", {"admin": True}, True),
        ("open", "GET", "/b;d/e", {"admin": "true"}, False),
        ("paths", "GET", "/b;d/e", {"admin": True}, False),
    ],
    ids=lambda case: f"{case[0]} {case[1]} {case[2]} {case[3]}",
)
def test_a_request_passes_where_an_entry_of_each_list_matches(
    ruled: Ruled, case: tuple[str, str, str, dict[str, Any], bool]
) -> None:
    name, method, path, claims, passing = case
    before = len(ruled.api.requests)
    answer = ruled.send(name, method, path, **claims)
    assert (answer.status, answer.error) == ((200, None) if passing else (403, "API_NotAllowedError"))
    assert len(ruled.api.requests) == before + passing


def test_a_refusal_repeats_what_the_client_sent_and_nothing_of_the_rules(ruled: Ruled) -> None:
    answer = ruled.send("group", "GET", '/x"y?key=secret')
    assert answer.json() == {
        "error": {
            "type": "API_NotAllowedError",
            "message": "Atlas does not allow this request to this caller",
            "adapter": "group",
            "method": "GET",
            "path": f'{PREFIX}group/x"y',
        }
    }
    assert "platform" not in str(answer.headers)


def test_the_access_log_names_the_list_that_refused_or_the_entry_that_let_pass(ruled: Ruled) -> None:
    sent: list[tuple[str, str, dict[str, Any], str]] = [
        ("open", "/log", {}, "spec.allow[0]"),
        ("either", "/a?log", {}, "http/either spec.allow[0]"),
        ("group", "/log", {"groups": "platform"}, "http/group spec.allow[0]"),
        ("group", "/log", {}, "http/group spec.allow"),
        ("group", "/log;x", {"groups": "platform"}, "spec.allow"),
    ]
    for name, path, claims, _ in sent:
        ruled.send(name, "GET", path, **claims, jti=f"log {name}{path}{len(claims)}")
    for name, path, claims, rule in sent:
        wait_until(lambda: f"log {name}{path}{len(claims)}" in ruled.envoy.log, "it is not logged")  # noqa: B023
        (line,) = (line for line in ruled.envoy.log.splitlines() if f'"log {name}{path}{len(claims)}"' in line)
        assert json.loads(line)["decided_by"] == rule


def test_headers_that_stand_for_another_method_are_removed_where_methods_are_named(ruled: Ruled) -> None:
    headers = ["X-HTTP-Method: DELETE", "X-HTTP-Method-Override: DELETE", "X-Method-Override: DELETE"]
    aliases = ["X.HTTP.Method-Override: DELETE", "X_HTTP_METHOD_OVERRIDE: DELETE"]
    ruled.send("reading", "GET", "/x", *headers, *aliases)
    assert not [name for name in ruled.api.requests[-1].names if "method" in name]
    ruled.send("override", "GET", "/x", *headers)
    assert ruled.api.requests[-1].get("x-http-method") == ["own"]
    assert not ruled.api.requests[-1].get("x-method-override")
    ruled.send("group", "GET", "/x", *headers, groups="platform")
    assert len([name for name in ruled.api.requests[-1].names if "method" in name]) == 3


def test_the_lists_name_only_the_adapters_that_the_caller_may_use(ruled: Ruled) -> None:
    callers: list[dict[str, Any]] = [{}, {"groups": ["platform"]}, {"admin": True, "level": 1}, {"groups": "b"}]
    seen = set()
    for claims in callers:
        token = ruled.key.token(**claims)
        listed = ruled.envoy.client.send("/v1alpha1/apis", token=token)
        names = [api["name"] for api in listed.json()["apis"]]
        assert names == [
            name
            for name, own in ruled.adapters.items()
            if any(passes([[{"claims": rule.get("claims", {})}]], "GET", "", claims) for rule in own.get("allow", [{}]))
        ]
        (instance,) = ruled.envoy.client.send("/v1alpha1/instances", token=token).json()["instances"]
        assert instance == {"name": "test", "owner": None, "apis": len(names)}
        # What it may not use is not in the list in any way.
        assert ('"group"' in listed.body.decode()) == (claims.get("groups") == ["platform"])
        seen.add(len(names))
    assert len(seen) > 1


def test_a_list_whose_script_fails_names_only_what_everyone_may_use(ruled: Ruled) -> None:
    (host,) = route_configuration(ruled.configuration, replace(OPTIONS, tree_above=1_000))["virtual_hosts"]
    bodies = {
        route["name"]: json.loads(route["direct_response"]["body"]["inline_string"])
        for route in host["routes"]
        if route["name"].startswith("/v1alpha1/")
    }
    names = [api["name"] for api in bodies["/v1alpha1/apis"]["apis"]]
    assert {"open", "reading", "paths", "either"} <= set(names)
    assert not {"group", "roles"} & set(names)
    assert bodies["/v1alpha1/instances"]["instances"][0]["apis"] == len(names)


def test_explain_and_envoy_and_the_specification_say_the_same_of_random_requests(ruled: Ruled) -> None:
    compare(ruled, random.Random(1), 300)


def test_explain_knows_each_method_that_envoy_knows(ruled: Ruled) -> None:
    token = ruled.key.token()
    # Those of Envoy's parser, the others that are registered (IANA: "HTTP Method Registry"), and some that are not.
    others = "ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE MSEARCH"
    others += (
        " NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE"
    )
    others += " UNBIND UNLINK UNLOCK UNSUBSCRIBE"
    others += (
        " BASELINE-CONTROL CHECKIN LABEL MKREDIRECTREF MKWORKSPACE ORDERPATCH PRI UNCHECKOUT UPDATE UPDATEREDIRECTREF"
    )
    others += " VERSION-CONTROL M-SEARCH FLUSH DESCRIBE DEBUG TRACK BREW"
    for method in sorted({*HTTP1_METHODS, *others.split()}):
        for target in (f"{PREFIX}open/a", f"{PREFIX}open/{'x' * 62_000}"):
            verdict = explain(ruled.configuration, method, target, {})
            assert ruled.over_http1(method, target, token) == (verdict.status, verdict.error), method
            assert verdict.status != 200 or method in HTTP1_METHODS


def compare(ruled: Ruled, dice: random.Random, count: int) -> None:
    """Send random requests with random claims, some of them odd, and hold Envoy's answers against the two others."""
    people = [random_claims(dice) for _ in range(25)]
    tokens = [ruled.key.token(**claims) for claims in people]
    paths = [f"{PREFIX}{name}" for name in ruled.adapters]
    passed = 0
    seen = set()
    for _ in range(count):
        name = f"random{dice.randrange(RANDOM)}"
        rules = ruled.adapters[name]["allow"]
        caller = dice.randrange(len(people))
        is_odd, http2 = dice.random() < 0.4, dice.random() < 0.3
        method, path = random_request(dice, rules)
        expected = None if is_odd else passes((EVERYWHERE, rules), method, path, people[caller])
        method, target = odd_request(dice, paths) if is_odd else (method, f"{PREFIX}{name}{path}")
        answer = (ruled.over_http2 if http2 else ruled.over_http1)(method, target, tokens[caller])
        verdict = explain(ruled.configuration, _text(method), _text(target), people[caller], http2=http2)
        case = (http2, method, target, rules, people[caller], verdict.reason)
        assert (verdict.status, verdict.error, verdict.allowed) == (*answer, answer[0] == 200), case
        seen.add((http2, verdict.status))
        if expected is not None and answer[0] != 400:
            # Not a path that HTTP has, or a dot segment.
            assert answer[0] == (200 if expected else 403), case
            passed += expected
    assert count / 20 < passed < count * 9 / 10
    assert {(http2, status) for http2 in (False, True) for status in (200, 400, 403, 404)} <= seen
    assert (True, 0) in seen


def _text(text: str) -> str:
    """Return the text that has these bytes, as an argument of a command."""
    return text.encode("latin-1").decode("utf-8", "surrogateescape")


@pytest.mark.proof
def test_they_say_the_same_of_thousands_of_rules(tmp_path_factory: pytest.TempPathFactory) -> None:
    key = es256()
    with Upstream() as api:
        for seed in range(max(4, EXAMPLES // 200)):
            dice = random.Random(seed)
            adapters = {f"random{number}": {"allow": random_rules(dice)} for number in range(RANDOM)}
            given = configured(adapters, f"http://127.0.0.1:{api.port}", allow=EVERYWHERE)
            options = Options(
                listen=Listen("127.0.0.1", free_port()),
                ca_file="/etc/ssl/certs/ca-certificates.crt",
                jwks={"keys.json": json.dumps(jwks(key))},
            )
            with running(given, options, tmp_path_factory.mktemp(f"rules{seed}"), times=QUICK) as envoy:
                compare(Ruled(envoy, api, key, given, adapters), dice, 1_000)


def test_a_configuration_without_rules_has_none_of_their_filters_on_a_route() -> None:
    given = configured({"open": {}}, "https://api.test")
    text = json.dumps(route_configuration(given, OPTIONS))
    assert "mom.allow" not in text
    assert "mom.limits" not in text
    assert "mom.lists" not in text
    assert kind_of(given.adapters[0]).allow(given.adapters[0]) is None
