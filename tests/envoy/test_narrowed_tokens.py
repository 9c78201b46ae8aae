"""Tokens for single adapters (RFC 8707): their audience is the gateway's with the adapter's path after it."""

from __future__ import annotations

import json

from mom.envoy import adapters, jwt
from mom.envoy.options import Listen, LocalKey, Options
from tests.envoy.configurations import AUDIENCE, configuration, http, provider
from tests.envoy.conftest import LOCAL_AUDIENCE, Atlas
from tests.envoy.tokens import es256, jwks

PREFIX = "/v1/apis/http/"
LOCAL = {"iss": "urn:mom:local"}
ALL = ("plain", "base", "openai", "open.ai", "literal", "tenant")


def test_a_narrowed_token_opens_its_own_adapter_and_nothing_else(atlas: Atlas) -> None:
    for name in ("plain", "openai", "open.ai"):
        for token in (
            atlas.key.token(aud=f"{AUDIENCE}{PREFIX}{name}"),
            atlas.local.token(**LOCAL, aud=f"{LOCAL_AUDIENCE}{PREFIX}{name}"),
        ):
            # Its own first: the filter then has the token in its cache of verified ones.
            assert atlas.client.send(f"{PREFIX}{name}/narrowed", token=token).status == 200
            for other in ALL:
                before = len(atlas.api.requests)
                answer = atlas.client.send(f"{PREFIX}{other}/narrowed", token=token)
                if other == name:
                    assert answer.status == 200
                    continue
                assert (answer.status, answer.error) == (401, "API_InvalidAccessTokenError"), (name, other)
                assert len(atlas.api.requests) == before
            for path in ("/v1alpha1/apis", "/v1alpha1/instances", "/v1alpha1/apis?x=1", "/v1alpha1/other"):
                answer = atlas.client.send(path, token=token)
                assert (answer.status, answer.error) == (403, "API_NotAllowedError"), path
            for path in ("/", "/other", f"{PREFIX}none/x", PREFIX, "/v1alpha1"):
                assert atlas.client.send(path, token=token).status == 401, path
            assert atlas.client.send("/healthz", token=token).status == 200


def test_a_token_may_name_several_adapters(atlas: Atlas) -> None:
    token = atlas.key.token(aud=[f"{AUDIENCE}{PREFIX}plain", f"{AUDIENCE}{PREFIX}openai"])
    statuses = {name: atlas.client.send(f"{PREFIX}{name}/several", token=token).status for name in ALL}
    assert statuses == {name: 200 if name in {"plain", "openai"} else 401 for name in ALL}


def test_what_is_not_exactly_the_audience_of_an_adapter_opens_none(atlas: Atlas) -> None:
    good = f"{AUDIENCE}{PREFIX}openai"
    wrong = [
        f"{AUDIENCE}/v1/apis/http",
        f"{AUDIENCE}/v1/apis/http/",
        f"{AUDIENCE}/v1/apis/http/*",
        f"{good}2",
        f"{good}/v1",
        f"{good}?x",
        f"{AUDIENCE}{PREFIX}OpenAI",
        f"{AUDIENCE}{PREFIX}open%61i",
        f"https://other.test{PREFIX}openai",
        f"http://127.0.0.1:8083{PREFIX}openai",
        f"{PREFIX}openai",
        f"{good},{AUDIENCE}",
    ]
    for audience in wrong:
        for key, issuer in ((atlas.key, {}), (atlas.local, LOCAL)):
            token = key.token(**issuer, aud=audience)
            assert atlas.client.send(f"{PREFIX}openai/wrong", token=token).status == 401, audience
    assert not atlas.api.seen("/wrong")
    # A token of one issuer does not open by the audience of another.
    for token in (atlas.key.token(aud=f"{LOCAL_AUDIENCE}{PREFIX}openai"), atlas.local.token(**LOCAL, aud=good)):
        assert atlas.client.send(f"{PREFIX}openai/wrong", token=token).status == 401


def test_a_narrowed_token_may_be_in_the_place_of_the_key(atlas: Atlas) -> None:
    token = atlas.local.token(**LOCAL, aud=f"{LOCAL_AUDIENCE}{PREFIX}plain")
    assert atlas.client.send(f"{PREFIX}plain/place", f"Authorization: Bearer {token}").status == 200
    assert atlas.client.send(f"{PREFIX}base/place", f"Authorization: Bearer {token}").status == 401


def test_each_adapter_has_the_audiences_of_the_gateway_and_its_own() -> None:
    names = ("http://127.0.0.1:8082", "http://localhost:8082")
    options = Options(
        listen=Listen("127.0.0.1", 8082),
        ca_file="",
        jwks={"keys.json": json.dumps(jwks(es256()))},
        local_key=LocalKey("urn:mom:local", names, jwks(es256())),
    )
    trusted = (provider("keys.json", audience="https://atlas.test/api/"),)
    given = configuration(http("a", "http://127.0.0.1:1", {"X": "${{ Y }}"}), providers=trusted)
    openings, reads = adapters.openings(given.adapters, options), jwt.Reads(claims=False, header=False)
    filtered = jwt.authentication(trusted, openings, options, reads)["typed_config"]
    assert filtered["requirement_map"] == {
        "/v1/apis/http/a": {
            "requires_any": {
                "requirements": [
                    {"provider_and_audiences": {"provider_name": f"{issuer}{place}", "audiences": audiences}}
                    for place in ("", " in x: ")
                    for issuer, audiences in (
                        ("local key", [*names, *(f"{name}/v1/apis/http/a" for name in names)]),
                        ("idp#0", ["https://atlas.test/api/", "https://atlas.test/api/v1/apis/http/a"]),
                    )
                ]
            }
        }
    }
