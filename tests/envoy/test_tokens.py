"""Who gets in: every token that is not exactly right is refused, and no API sees any token."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from mom.envoy.options import Listen, LocalKey, Options
from mom.envoy.translate import problems
from tests.envoy.certificates import Authority
from tests.envoy.configurations import AUDIENCE, configuration, http, provider
from tests.envoy.conftest import LOCAL_AUDIENCE, Atlas
from tests.envoy.running import free_port, running
from tests.envoy.tokens import Key, eddsa, es256, jwks, rs256
from tests.envoy.upstream import Upstream

PATH = "/v1/apis/http/plain/token"
# When the tests are collected: a busy machine comes to some of them many minutes later.
NOW = int(time.time())


def encode(data: bytes | dict[str, Any]) -> str:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forged(header: dict[str, Any], good: str, signature: bytes) -> str:
    """Return a token with the claims of `good`, another header and another signature."""
    return f"{encode(header)}.{good.split('.')[1]}.{encode(signature)}"


def symmetric(key: Key, secret: bytes, **header: Any) -> str:
    """Return a token whose HS256 signature uses something public as the secret."""
    unsigned = forged({"alg": "HS256", "typ": "JWT", "kid": key.kid, **header}, key.token(), b"").rstrip(".")
    return f"{unsigned}.{encode(hmac.digest(secret, unsigned.encode(), hashlib.sha256))}"


def public_pem(key: Key) -> bytes:
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    encoded: bytes = key.private.public_key().public_bytes(serialization.Encoding.PEM, spki)
    return encoded


@pytest.mark.parametrize("name", ["key", "rsa", "ed"])
def test_each_asymmetric_algorithm_is_accepted_and_the_token_goes_no_further(atlas: Atlas, name: str) -> None:
    token = getattr(atlas, name).token()
    answer = atlas.get(f"{PATH}/{name}", token=token)
    assert answer.status == 200
    (request,) = atlas.api.seen(f"/token/{name}")
    assert "atlas-accesstoken" not in request.names
    assert not any(token.encode() in value for _, value in request.headers)


def test_without_a_token_the_response_names_its_header(atlas: Atlas) -> None:
    answer = atlas.client.send(f"{PATH}/missing")
    assert (answer.status, answer.error) == (401, "API_MissingAccessTokenError")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "error": {
            "type": "API_MissingAccessTokenError",
            "message": "Missing access token: send one in the Atlas-Accesstoken header",
        }
    }
    assert not atlas.api.seen("/missing")


def test_a_token_elsewhere_is_not_looked_at(atlas: Atlas) -> None:
    token = atlas.key.token()
    path = f"/v1/apis/http/openai/elsewhere?access_token={token}"
    answer = atlas.client.send(path, f"Authorization: Bearer {token}", f"X-Api-Key: {token}")
    assert (answer.status, answer.error) == (401, "API_MissingAccessTokenError")


REFUSED = {
    "expired": {"exp": NOW - 40, "nbf": NOW - 100},
    "not yet valid": {"nbf": NOW + 7_200, "exp": NOW + 7_300},
    "without exp": {"exp": None},
    "exp as a word": {"exp": "never"},
    "wrong issuer": {"iss": "https://other.test/"},
    "issuer without its slash": {"iss": "https://idp.test"},
    "without issuer": {"iss": None},
    "wrong audience": {"aud": "https://other.test"},
    "audience of another gateway": {"aud": "http://127.0.0.1:9999"},
    "without audience": {"aud": None},
    "no audience at all": {"aud": []},
    "unknown kid": {"kid": "unknown"},
    "kid of another key": {"kid": "rsa"},
    "issuer of the local key": {"iss": "urn:mom:local", "aud": LOCAL_AUDIENCE},
}


@pytest.mark.parametrize("claims", REFUSED.values(), ids=REFUSED)
def test_claims_that_are_refused(atlas: Atlas, claims: dict[str, Any]) -> None:
    refused(atlas, atlas.key.token(**claims))


def refused(atlas: Atlas, token: str) -> None:
    before = len(atlas.api.requests)
    answer = atlas.client.send(PATH, token=token)
    assert (answer.status, answer.error) == (401, "API_InvalidAccessTokenError"), answer
    assert token not in answer.body.decode()
    assert len(atlas.api.requests) == before


def test_another_key_is_refused(atlas: Atlas) -> None:
    refused(atlas, es256("ec").token())


def test_signatures_that_are_refused(atlas: Atlas) -> None:
    good = atlas.key.token()
    header, payload, signature = good.split(".")
    flipped = ("A" if signature[5] != "A" else "B").join((signature[:5], signature[6:]))
    tampered = encode({**json.loads(base64.urlsafe_b64decode(payload + "==")), "sub": "admin"})
    other = es256("ec")
    jwk = {"alg": "ES256", "kid": "ec", "jwk": other.jwk}
    cases = [
        forged({"alg": "none"}, good, b""),
        forged({"alg": "None", "kid": "ec"}, good, b""),
        forged({"kid": "ec"}, good, b""),
        f"{header}.{payload}.",
        f"{header}.{payload}",
        f"{header}.{payload}.{flipped}",
        f"{header}.{tampered}.{signature}",
        forged({"alg": "ES256", "kid": "ec"}, good, b"\0" * 64),
        symmetric(atlas.rsa, public_pem(atlas.rsa)),
        symmetric(atlas.key, public_pem(atlas.key)),
        symmetric(atlas.rsa, base64.urlsafe_b64decode(atlas.rsa.jwk["n"] + "==")),
        encode(jwk) + other.token().removeprefix(other.token().split(".")[0]),
        "not-a-token",
        "a.b.c",
        "Bearer " + good,
        f"{good},{good}",
        "",
    ]
    for token in cases:
        answer = atlas.client.send(PATH, token=token)
        assert answer.status == 401, token
        assert answer.error in {"API_InvalidAccessTokenError", "API_MissingAccessTokenError"}


@pytest.mark.parametrize("good_first", [True, False])
def test_of_two_tokens_one_bad_one_is_enough_to_refuse(atlas: Atlas, good_first: bool) -> None:
    good, bad = f"Atlas-Accesstoken: {atlas.key.token()}", f"Atlas-Accesstoken: {es256().token()}"
    answer = atlas.client.send(f"{PATH}/two", *([good, bad] if good_first else [bad, good]))
    assert (answer.status, answer.error) == (401, "API_InvalidAccessTokenError")
    assert not atlas.api.seen("/token/two")


def test_a_valid_token_opens_nothing_for_an_invalid_one_later(atlas: Atlas) -> None:
    """The cache of verified tokens looks at the whole token."""
    good = atlas.key.token()
    assert atlas.get(PATH, token=good).status == 200
    refused(atlas, good[:-8] + ("A" * 8 if good[-8:] != "A" * 8 else "B" * 8))


def test_the_local_key_is_valid_for_its_own_gateway_and_an_hour(atlas: Atlas) -> None:
    local = {"iss": "urn:mom:local", "aud": LOCAL_AUDIENCE}
    now = int(time.time())
    assert atlas.get(PATH, token=atlas.local.token(**local)).status == 200
    assert atlas.get(PATH, token=atlas.local.token(**local, exp=now + 3500)).status == 200
    refused(atlas, atlas.local.token(**local, exp=now + 3700))
    refused(atlas, atlas.local.token(iss="urn:mom:local", aud="http://127.0.0.1:8083"))
    refused(atlas, atlas.local.token(iss="urn:mom:local", aud="https://other.test"))
    # The issuer of a configured provider, signed by the local key; and the other way round.
    refused(atlas, atlas.local.token())
    refused(atlas, atlas.key.token(**local))


@pytest.mark.parametrize("health", ["/healthz", "/healthcheck"])
def test_health_is_open_and_nothing_else(atlas: Atlas, health: str) -> None:
    assert atlas.client.send(health).body == b"ok"
    assert atlas.client.send(f"{health}?x=1").status == 200
    for path in (
        f"{health}/",
        f"{health}/x",
        f"{health};x",
        health.upper(),
        f"/{health}",
        f"{health}%2f",
        f"{health}s",
    ):
        assert atlas.client.send(path).status == 401, path
    for path in ("/", "/v1alpha1/apis"):
        assert atlas.client.send(path).status == 401, path
    for path in (f"{health}/../v1/apis/http/plain/x", f"{health}/%2e%2e/v1/apis/http/plain/x"):
        assert atlas.client.send(path).status in {400, 401}, path


def symmetric_jwks(secret: bytes) -> dict[str, Any]:
    return {"keys": [{"kty": "oct", "kid": "shared", "alg": "HS256", "k": encode(secret)}]}


def test_a_symmetric_key_of_a_url_is_of_no_use(authority: Authority, tmp_path: Path) -> None:
    """Envoy's filter would accept HS256 with it; the filter behind it does not."""
    secret = b"k" * 32
    with Upstream(body=json.dumps(symmetric_jwks(secret)).encode()) as idp, Upstream() as target:
        options = Options(listen=Listen("127.0.0.1", free_port()), ca_file=str(authority.file))
        providers = (provider(f"http://127.0.0.1:{idp.port}/keys"),)
        given = configuration(http("plain", f"http://127.0.0.1:{target.port}"), providers=providers)
        with running(given, options, tmp_path) as envoy:
            answer = envoy.client.send(PATH, token=symmetric(Key(es256().private, "shared", "ES256"), secret))
            assert (answer.status, answer.error) == (401, "API_InvalidAccessTokenError")
            assert envoy.client.send("/healthz").status == 200
        assert not target.seen("/token")


def test_a_symmetric_key_of_a_file_is_refused_before_envoy_sees_it(authority: Authority) -> None:
    text = json.dumps(symmetric_jwks(b"k" * 32))
    options = Options(listen=Listen("127.0.0.1", 8082), ca_file=str(authority.file), jwks={"keys.json": text})
    (problem,) = problems(configuration(providers=(provider("keys.json"),)), options)
    assert "symmetric" in problem.message


def test_several_providers_each_with_its_own_issuer_audience_and_keys(
    api: Upstream, authority: Authority, tmp_path: Path
) -> None:
    one, two, three, local = es256("k"), es256("k"), es256("k"), es256("k")
    files = {f"{n}.json": json.dumps(jwks(key)) for n, key in enumerate((one, two, three))}
    port = free_port()
    providers = (
        provider("0.json", issuer="https://a.test/", audience="urn:a"),
        provider("1.json", issuer="https://b.test/", audience="urn:b"),
        # The published configurations have two providers of one name; two of one issuer are possible, too.
        provider("2.json", issuer="https://a.test/", audience="urn:c"),
    )
    options = Options(
        listen=Listen("127.0.0.1", port),
        ca_file=str(authority.file),
        jwks=files,
        local_key=LocalKey("urn:mom:local", (LOCAL_AUDIENCE,), jwks(local)),
    )
    given = configuration(http("plain", f"http://127.0.0.1:{api.port}"), providers=providers)

    def status(key: Key, letter: str, audience: str) -> int:
        token = key.token(iss=f"https://{letter}.test/", aud=audience)
        return envoy.client.send("/v1/apis/http/plain/several", token=token).status

    with running(given, options, tmp_path) as envoy:
        assert [status(one, "a", "urn:a"), status(two, "b", "urn:b"), status(three, "a", "urn:c")] == [200, 200, 200]
        wrong = [
            (one, "b", "urn:b"),
            (two, "a", "urn:a"),
            (three, "a", "urn:a"),
            (one, "a", "urn:c"),
            (local, "a", "urn:a"),
        ]
        assert [status(*each) for each in wrong] == [401] * 5


def test_keys_from_a_url(authority: Authority, tmp_path: Path) -> None:
    """Fetched before the first request; while they cannot be, the answer says that, not that the token is bad."""
    key = es256()
    with Upstream(body=json.dumps(jwks(key)).encode()) as idp, Upstream() as target:
        given = configuration(
            http("plain", f"http://127.0.0.1:{target.port}"),
            providers=(
                provider(f"http://127.0.0.1:{idp.port}/keys.json?x=1"),
                provider(f"http://127.0.0.1:{free_port()}/none", issuer="https://down.test/"),
            ),
        )
        options = Options(listen=Listen("127.0.0.1", free_port()), ca_file=str(authority.file))
        with running(given, options, tmp_path) as envoy:
            assert envoy.client.send(PATH, token=key.token()).status == 200
            assert idp.requests[0].target == "/keys.json?x=1"
            answer = envoy.client.send(PATH, token=key.token(iss="https://down.test/", aud=AUDIENCE))
            assert (answer.status, answer.error) == (503, "API_IdentityProviderUnavailableError")
            # Envoy's own quotes the path and the query.
            assert answer.headers["www-authenticate"] == 'Bearer realm="atlas"'


def test_keys_from_a_url_need_a_valid_certificate(
    secure_apis: dict[str, Upstream], authority: Authority, tmp_path: Path
) -> None:
    key = es256()
    with Upstream() as target:
        urls = [f"https://localhost:{secure_apis[name].port}/keys" for name in ("self-signed", "wrong-name", "expired")]
        providers = tuple(provider(url, issuer=f"https://{n}.test/") for n, url in enumerate(urls))
        given = configuration(http("plain", f"http://127.0.0.1:{target.port}"), providers=providers)
        options = Options(listen=Listen("127.0.0.1", free_port()), ca_file=str(authority.file))
        with running(given, options, tmp_path) as envoy:
            for n in range(3):
                assert envoy.client.send(PATH, token=key.token(iss=f"https://{n}.test/")).status == 503
    assert not any(upstream.seen("/keys") for upstream in secure_apis.values())


def with_algorithm(key: Key, algorithm: str) -> str:
    """Return a token whose header names another algorithm than the one that its signature is made by."""
    header, payload, _ = key.token().split(".")
    head = encode({**json.loads(base64.urlsafe_b64decode(header + "==")), "alg": algorithm})
    signed = f"{head}.{payload}".encode()
    maker = jwt.get_algorithm_by_name(key.algorithm)
    return f"{signed.decode()}.{encode(maker.sign(signed, key.private))}"


def test_an_algorithm_belongs_to_the_type_of_the_key(authority: Authority, tmp_path: Path) -> None:
    """Also where the key set names none: Envoy alone takes an ES256 signature under any name that begins with HS."""
    everything = ["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA"]
    everything += ["HS256", "HS384", "HS512", "none"]
    made = (es256(), rs256(), eddsa())
    unnamed = [{name: value for name, value in key.jwk.items() if name != "alg"} for key in made]
    options = Options(
        listen=Listen("127.0.0.1", free_port()),
        ca_file=str(authority.file),
        jwks={"keys.json": json.dumps({"keys": unnamed})},
    )
    with Upstream() as target:
        given = configuration(http("plain", f"http://127.0.0.1:{target.port}"), providers=(provider("keys.json"),))
        with running(given, options, tmp_path) as envoy:
            accepted = {
                (key.algorithm, algorithm)
                for key in made
                for algorithm in everything
                if envoy.client.send(PATH, token=with_algorithm(key, algorithm)).status == 200
            }
    assert accepted == {("ES256", "ES256"), ("RS256", "RS256"), ("EdDSA", "EdDSA")}
