"""Claims that identity providers demand of every token, by a real Envoy: bound to the provider that verified it."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from mom.atlas.model import Configuration
from mom.atlas.policy import Claim
from mom.envoy.explain import explain
from mom.envoy.options import Listen, LocalKey, Options
from tests.envoy.configurations import AUDIENCE, configuration, http, provider
from tests.envoy.conftest import LOCAL_AUDIENCE
from tests.envoy.running import Running, free_port, running
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Upstream
from tests.run.mom_run import wait_until
from tests.searches import examples

A, B, C = "https://a.test", "https://b.test", "https://c.test"
SECOND = "https://second.test"
OWNER = (Claim("owner", ("owner",), ("us",)),)
TEAM = (Claim("team.name", ("team", "name"), ("red", "blue")),)
D, LOCAL = "https://d.test", "urn:mom:local"
PATH = "/v1/apis/http/api/x"
OTHER_PATHS = ("healthz", "healthz/..", "v1alpha1/apis", "v1alpha1/x", "v1alpha1/..", "other", "v1/apis/http/none")


class Served(NamedTuple):
    """A running Envoy, the keys of its identity providers and the local one, and its configuration."""

    envoy: Running
    key: Key
    other: Key
    local: Key
    given: Configuration


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return an Envoy that trusts five providers, two keys of theirs, and a local key."""
    key, other, local = es256("one"), es256("two"), es256("local")
    with Upstream() as api:
        providers = (
            provider("one.json", issuer=A)._replace(name="a", claims=OWNER),
            provider("one.json", issuer=B)._replace(name="b"),
            # One issuer: with claims for one audience and none for another, and with other claims for shorter lives.
            provider("one.json", issuer=C)._replace(name="c", claims=OWNER, max_lifetime=86_400),
            provider("one.json", issuer=C)._replace(name="c short", claims=TEAM, max_lifetime=600),
            provider("one.json", issuer=C, audience=SECOND)._replace(name="c second", max_lifetime=300),
            # The issuer of the first with other keys and no claims.
            provider("two.json", issuer=A)._replace(name="a other"),
        )
        given = configuration(http("api", f"http://127.0.0.1:{api.port}", {"X-Key": "${{ KEY }}"}), providers=providers)
        options = Options(
            listen=Listen("127.0.0.1", free_port()),
            ca_file="/etc/ssl/certs/ca-certificates.crt",
            jwks={"one.json": json.dumps(jwks(key)), "two.json": json.dumps(jwks(other))},
            local_key=LocalKey("urn:mom:local", (LOCAL_AUDIENCE,), jwks(local)),
            access_log="-",
        )
        with running(given, options, tmp_path_factory.mktemp("claims"), {"KEY": "secret"}) as envoy:
            yield Served(envoy, key, other, local, given)


@pytest.mark.parametrize("place", ["Atlas-Accesstoken", "X-Key"])
def test_a_token_must_have_the_claims_of_the_provider_that_verifies_it(served: Served, place: str) -> None:
    envoy, key, other, local, _ = served
    team: dict[str, Any] = {"team": {"name": ["red"]}}
    narrowed = f"{AUDIENCE}/v1/apis/http/api"
    cases = [
        (key.token(iss=A, owner="us"), 200),
        (key.token(iss=A, owner=["us", "them"]), 200),
        (key.token(iss=A, owner="them"), 401),
        (key.token(iss=A), 401),
        (key.token(iss=A, aud=narrowed, owner="us"), 200),
        (key.token(iss=A, aud=narrowed), 401),
        (key.token(iss=B), 200),
        (other.token(iss=A), 200),
        (other.token(iss=B, kid="two"), 401),
        (key.token(iss=C), 401),
        (key.token(iss=C, owner="us"), 200),
        (key.token(iss=C, **team), 200),
        (key.token(iss=C, exp=_later(3_000), **team), 401),
        (key.token(iss=C, exp=_later(3_000), owner="us"), 200),
        (key.token(iss=C, exp=_later(90_000), owner="us"), 401),
        (key.token(iss=C, aud=SECOND), 200),
        (key.token(iss=C, aud="second.test/"), 200),
        (local.token(iss="urn:mom:local", aud=LOCAL_AUDIENCE), 200),
    ]
    for number, (token, status) in enumerate(cases):
        answer = envoy.client.send(PATH, f"{place}: {token}")
        assert answer.status == status, number
        assert answer.error == (None if status == 200 else "API_InvalidAccessTokenError"), number
    for path in ("/v1alpha1/apis", "/healthz", "/other"):
        bad = envoy.client.send(path, token=key.token(iss=A)).status
        assert bad == (200 if path == "/healthz" else 401)


def test_the_access_log_has_the_key_of_every_token(served: Served) -> None:
    for issuer, key in ((A, served.key), (B, served.key), (A, served.other)):
        served.envoy.client.send(PATH, token=key.token(iss=issuer, owner="us", jti=f"log {issuer} {key.kid}"))
        wait_until(lambda: f"log {issuer} {key.kid}" in served.envoy.log, "it is not logged")  # noqa: B023
        (line,) = (line for line in served.envoy.log.splitlines() if f'"log {issuer} {key.kid}"' in line)
        assert json.loads(line)["kid"] == key.kid


def test_explain_says_the_same(served: Served) -> None:
    cases: list[tuple[dict[str, Any], bool]] = [
        ({"iss": A, "aud": AUDIENCE, "owner": "us"}, True),
        ({"iss": C, "aud": AUDIENCE}, False),
        ({"iss": C, "aud": [SECOND]}, True),
        ({"iss": C, "aud": AUDIENCE, "team": {"name": "blue"}, "exp": 500}, True),
        ({"iss": C, "aud": AUDIENCE, "team": {"name": "blue"}, "exp": 5_000}, False),
        ({"iss": "https://d.test"}, False),
        ({"iss": B, "aud": f"{AUDIENCE}/v1/apis/http/api"}, True),
        ({"iss": B, "aud": f"{AUDIENCE}/v1/apis/http/other"}, False),
    ]
    for claims, allowed in cases:
        verdict = explain(served.given, "GET", PATH, claims, now=0.0)
        assert (verdict.allowed, verdict.status) == (allowed, 200 if allowed else 401), claims


def test_explain_and_envoy_say_the_same_of_random_callers(served: Served) -> None:
    dice = random.Random(2)
    seen = set()
    for _ in range(examples(250, 3_000)):
        issuer, audience = dice.choice([(B, AUDIENCE), *[(C, AUDIENCE)] * 3, (C, SECOND), (D, AUDIENCE), (LOCAL, "")])
        audience = audience or LOCAL_AUDIENCE
        named = [audience, audience.partition("://")[2], f"{audience}/", [audience, "x"], []]
        # Which gateways a token of the local key is for is a matter of the run.
        named += [] if issuer == LOCAL else ["x"]
        named += [f"{audience}{PATH[:-2]}{end}" for end in ("", "/", "2")]
        now = int(time.time())
        lives = [60, 500, 700, 3_000, 86_000, 90_000, -100, 10_000_000]
        given: dict[str, Any] = {"iss": issuer, "aud": dice.choice(named), "exp": now + dice.choice(lives)}
        given |= dice.choice([{}, {}, {"nbf": now + 100}, {"nbf": now + 20}])
        given |= dice.choice([{}, {"owner": "us"}, {"owner": ["them"]}])
        given |= dice.choice([{}, {"team": {"name": "red"}}, {"team": {"name": ["x", "blue"]}}, {"team": "red"}])
        method = dice.choice(["GET", "GET", "GET", "TRACE", "get"])
        path = dice.choice([PATH, PATH, f"{PATH}/..", *(f"/{end}" for end in OTHER_PATHS)])
        token = (served.local if issuer == LOCAL else served.key).token(**given)
        answer = served.envoy.client.send(path, method=method, token=token)
        verdict = explain(served.given, method, path, given, own={LOCAL: 3_600}, now=float(now))
        assert (verdict.status, verdict.error) == (answer.status, answer.error or ""), (method, path, given, now)
        seen.add(answer.status)
    assert seen == {200, 400, 401, 403, 404, 405}


def _later(seconds: int) -> int:
    return int(time.time()) + seconds
