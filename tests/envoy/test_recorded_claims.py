"""What Envoy records of a token where nothing reads it, and that it refuses no less for that."""

from __future__ import annotations

import base64
import json
import random
import re
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from mom.atlas.adapters.http_limits import Limits
from mom.atlas.model import Configuration
from mom.atlas.policy import AllowList, Claim, Entry
from mom.envoy import critical, readers
from mom.envoy.jwt import Reads
from mom.envoy.listener import connection_manager
from mom.envoy.options import Listen, LocalKey, Options
from tests.auth.test_agreement import sign
from tests.envoy.configurations import AUDIENCE, HERE, ISSUER, configuration, http, provider
from tests.envoy.conftest import LOCAL_AUDIENCE
from tests.envoy.running import Running, free_port, running
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Upstream

PATH = "/v1/apis/http/api/x"
PLACES = ("Atlas-Accesstoken: {}", "X-Key: Key {}")


class Served(NamedTuple):
    """A running Envoy without an access log, its API, and the keys that it trusts."""

    envoy: Running
    api: Upstream
    key: Key
    local: Key


def given(*adapters: Any) -> Configuration:
    return configuration(*adapters, providers=(provider("keys.json"),))


def options_for(key: Key, local: Key, **more: Any) -> Options:
    return Options(
        listen=Listen("127.0.0.1", free_port()),
        ca_file="/etc/ssl/certs/ca-certificates.crt",
        jwks={"keys.json": json.dumps(jwks(key))},
        local_key=LocalKey("urn:mom:local", (LOCAL_AUDIENCE,), jwks(local)),
        **more,
    )


@pytest.fixture(scope="module", params=[1_000, 0], ids=["in a row", "in a tree"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    key, local = es256("one"), es256("local")
    with Upstream() as api:
        adapter = http("api", f"http://127.0.0.1:{api.port}", {"X-Key": "Key ${{ KEY }}"})
        options = options_for(key, local, tree_above=request.param)
        with running(given(adapter), options, tmp_path_factory.mktemp("unlogged"), {"KEY": "secret"}) as envoy:
            yield Served(envoy, api, key, local)


def signed(key: Key, header: dict[str, str], claims: dict[str, str]) -> str:
    """Return a token of the identity provider, but for these members, whose values are JSON."""
    good = {"iss": f'"{ISSUER}"', "aud": f'"{AUDIENCE}"', "exp": str(int(time.time()) + 60)}
    return sign(key, {"alg": '"ES256"', "kid": f'"{key.kid}"', **header}, {**good, **claims})


@pytest.mark.parametrize("place", PLACES)
def test_extensions_that_must_be_understood_are_refused_in_each_place(served: Served, place: str) -> None:
    envoy, api, key, _ = served
    good = signed(key, {}, {"crit": '["exp"]', "x": '"crit"'})
    assert envoy.client.send(PATH, place.format(good)).status == 200
    before = len(api.requests)
    for position in range(3):
        for name in ("crit", "\\u0063rit", "cr\\u0069t"):
            token = signed(key, {"x": f'"{"-" * position}"', name: '["exp"]'}, {})
            answer = envoy.client.send(PATH, place.format(token))
            assert (answer.status, answer.error) == (401, "API_InvalidAccessTokenError"), (name, position)
            # Of two, the first says who sends.
            assert envoy.client.send(PATH, place.format(token), place.format(good)).status == 401
    assert len(api.requests) == before


@pytest.mark.parametrize("place", PLACES)
def test_an_expiry_out_of_range_is_refused_whatever_the_client_says_it_is(served: Served, place: str) -> None:
    envoy, api, key, local = served
    soon = str(int(time.time()) + 60)
    own = {"iss": '"urn:mom:local"', "aud": f'"{LOCAL_AUDIENCE}"'}
    for exp, status in ((soon, 200), (f"{soon}.5", 200), (f"{soon}e0", 200)):
        assert envoy.client.send(PATH, place.format(signed(key, {}, {"exp": exp}))).status == status, exp
    before, good = len(api.requests), signed(key, {}, {"exp": soon})
    for exp in (str(2**63), str(2**64 - 1), str(2**64), "1e30", "1.7e308", "-1", "1e12", str(10**13)):
        for token in (signed(key, {}, {"exp": exp}), signed(local, {}, {**own, "exp": exp})):
            for spoofed in ((), (f"mom-token-expiry: {soon}",), ("Mom-Token-Expiry: 1", "mom-token-expiry: 2")):
                answer = envoy.client.send(PATH, place.format(token), *spoofed)
                assert (answer.status, answer.error) == (401, "API_InvalidAccessTokenError"), exp
            for headers in ([token, good], [good, token], [token, good, good]):
                answer = envoy.client.send(PATH, *map(place.format, headers))
                assert (answer.status, answer.error) == (401, "API_InvalidAccessTokenError"), exp
    assert len(api.requests) == before


def test_what_is_left_of_a_token_reaches_no_api(served: Served) -> None:
    envoy, api, key, _ = served
    assert envoy.client.send(PATH, "mom-token-expiry: 1", token=key.token()).status == 200
    assert api.requests[-1].get("mom-token-expiry") == []


def test_the_pattern_finds_the_name_at_every_place_of_a_header_and_nowhere_else() -> None:
    pattern = re.compile(critical.PATTERN)
    words = [b'"crit"', b"\\u0063rit", b"cri\\u0074", b'"Crit"', b"crit", b'"cri', b"\\u0045", b"\\/crit"]
    letters = random.Random(1)
    for _ in range(3_000):
        before, after = (bytes(letters.choices(range(32, 127), k=letters.randrange(12))) for _ in range(2))
        header = before + letters.choice(words) + after
        expected = b'"crit"' in header or bool(re.search(rb"\\u00[67]", header))
        parts = (header, b'{"crit":"crit"}')
        token = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + ".c2ln"
        assert bool(pattern.fullmatch(token)) == expected, header


CLAIM = Entry((), (), (Claim("team", ("team",), ("red",)),), HERE)
LISTS = {False: AllowList("spec.allow", (CLAIM._replace(claims=()),), HERE), True: AllowList("x", (CLAIM,), HERE)}
PER = {"subject": Limits(1, per_subject=True), "adapter": Limits(1, per_subject=False)}


def test_claims_are_recorded_only_where_something_reads_them() -> None:
    key = es256()
    plain = http("a", "http://127.0.0.1:1")
    bare, logged = options_for(key, key), options_for(key, key, access_log="-")
    none, claims = Reads(claims=False, header=False), Reads(claims=True, header=False)
    cases = [
        (given(plain), bare, none),
        (given(plain), logged, Reads(claims=True, header=True)),
        (given(plain)._replace(allow=LISTS[False]), bare, none),
        (given(plain)._replace(allow=LISTS[True]), bare, claims),
        (given(plain, plain._replace(allow=LISTS[True])), bare, claims),
        (given(plain._replace(limits=PER["adapter"])), bare, none),
        (given(plain, plain._replace(limits=PER["subject"])), bare, claims),
    ]
    for configured, options, expected in cases:
        assert readers.of_tokens(configured, options) == expected
        recorded = {
            name
            for each in connection_manager(configured, options, None)["http_filters"]
            for provided in each.get("typed_config", {}).get("providers", {}).values()
            for name in provided
            if name.endswith("_in_metadata")
        }
        wanted = {("payload_in_metadata", expected.claims), ("header_in_metadata", expected.header)}
        assert recorded == {name for name, is_wanted in wanted if is_wanted}


def test_claims_begin_to_matter_with_the_first_that_reads_them() -> None:
    plain = http("a", "http://127.0.0.1:1")
    bare, listed = given(plain), given(plain)._replace(allow=LISTS[True])
    limited = given(plain._replace(limits=PER["subject"]))
    assert readers.begin_to_matter(bare, listed)
    assert readers.begin_to_matter(given(plain)._replace(allow=LISTS[False]), limited)
    assert not any(readers.begin_to_matter(*each) for each in [(bare, bare), (listed, bare), (listed, limited)])
