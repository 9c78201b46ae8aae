"""What a key must be before a token is verified with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from mom.atlas.jwks import JwksError, judge
from tests.envoy.tokens import eddsa, es256, rs256

EC = es256().jwk
RSA = rs256().jwk
ED = eddsa().jwk


def small_rsa(bits: int) -> dict[str, Any]:
    key = rsa.generate_private_key(65537, bits).public_key()
    return {**json.loads(RSAAlgorithm.to_jwk(key)), "kid": "small"}


def of_curve(curve: ec.EllipticCurve) -> dict[str, Any]:
    return {**json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(curve).public_key())), "kid": "x"}


def without(key: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in key.items() if name not in names}


def text(*keys: object) -> str:
    return json.dumps({"keys": keys})


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "symmetric": ({"kty": "oct", "k": "AAAA", "kid": "x"}, 'key 1 ("x") is symmetric'),
    "symmetric in disguise": ({**EC, "k": "AAAA"}, "is symmetric"),
    "private EC": ({**EC, "d": "AAAA"}, "is a private key"),
    "private RSA": ({**RSA, "dp": "AAAA"}, "is a private key"),
    "RSA of 1024 bits": (small_rsa(1024), "is an RSA key of 1024 bits: 2048 are the least"),
    "RSA of 2047 bits": (small_rsa(2047), "is an RSA key of 2047 bits"),
    "RSA too large for any use": ({**RSA, "n": "_" * 3000}, "16384 the most"),
    "RSA with exponent 1": ({**RSA, "e": "AQ"}, "numbers that no RSA key has"),
    "RSA with an even exponent": ({**RSA, "e": "BA"}, "numbers that no RSA key has"),
    "RSA with a huge exponent": ({**RSA, "e": "AQAAAAAAAQ"}, "numbers that no RSA key has"),
    "RSA without n": (without(RSA, "n"), "lacks n or e"),
    "RSA with alg of EC": ({**RSA, "alg": "ES256"}, 'names the algorithm "ES256"'),
    "RSA with alg HS256": ({**RSA, "alg": "HS256"}, 'names the algorithm "HS256"'),
    "RSA for encryption by its alg": ({**RSA, "alg": "RSA-OAEP"}, 'names the algorithm "RSA-OAEP"'),
    "EC with alg of another curve": ({**EC, "alg": "ES384"}, 'names the algorithm "ES384"'),
    "EC with alg null": ({**EC, "alg": None}, "names the algorithm null"),
    "for encryption": ({**RSA, "use": "enc"}, 'is not for signatures (use "enc")'),
    "use is a list": ({**RSA, "use": ["sig"]}, "is not for signatures"),
    "key_ops without verify": ({**EC, "key_ops": ["sign"]}, "its key_ops lack verify"),
    "key_ops is a text": ({**EC, "key_ops": "verify"}, "its key_ops lack verify"),
    "key_ops is empty": ({**EC, "key_ops": []}, "its key_ops lack verify"),
    "unknown curve": ({**EC, "crv": "secp256k1"}, 'a curve that Atlas does not know ("secp256k1")'),
    "curve is a number": ({**EC, "crv": 1}, "a curve that Atlas does not know"),
    "Ed448": ({**ED, "crv": "Ed448"}, 'a curve that Atlas does not know ("Ed448")'),
    "X25519": ({**without(ED, "alg"), "crv": "X25519"}, 'a curve that Atlas does not know ("X25519")'),
    "unknown kty": ({"kty": "AKP", "kid": "x"}, 'a kty that Atlas does not know ("AKP")'),
    "no kty": ({"kid": "x"}, "a kty that Atlas does not know (null)"),
    "no point of the curve": ({**EC, "y": EC["x"]}, "is not a point of the curve P-256"),
    "x too short": ({**EC, "x": EC["x"][:-4]}, "they are not 32 bytes"),
    "x is no base64url": ({**EC, "x": EC["x"][:-1] + "+"}, "they are not 32 bytes"),
    "x is a number": ({**EC, "x": 1}, "lacks x or y"),
    "Ed25519 of 31 bytes": ({**ED, "x": "A" * 40}, "it is not 32 bytes"),
    "kid is a number": ({**EC, "kid": 7}, "has a kid that is not a text"),
    "kid with a lone surrogate": ({**EC, "kid": "\ud800"}, "has a kid that is not a text"),
    "kid with a line break": ({**EC, "kid": "a\nb"}, "has a kid that is not a text"),
    "kid without end": ({**EC, "kid": "a" * 1001}, "has a kid that is not a text"),
}


@pytest.mark.parametrize(("key", "said"), REFUSED.values(), ids=REFUSED)
def test_a_key_that_is_not_used_with_the_place(key: dict[str, Any], said: str) -> None:
    alone = judge(text(key))
    assert (alone.count, json.loads(alone.text)) == (0, {"keys": []})
    (reason,) = alone.refused
    assert reason.startswith("key 1")
    assert said in reason
    # The others go on, and the place is that of the key.
    judged = judge(text({**ED, "kid": "good"}, key))
    assert (judged.count, [one["kid"] for one in json.loads(judged.text)["keys"]]) == (1, ["good"])
    assert judged.refused[0].startswith("key 2")


def test_of_two_keys_with_one_kid_neither_is_used() -> None:
    judged = judge(text({**EC, "kid": "a"}, {**ED, "kid": "b"}, {**ED, "kid": "a"}))
    assert judged.count == 1
    assert judged.refused == (
        'key 1 ("a") has the kid of key 3, which is another key',
        'key 3 ("a") has the kid of key 1, which is another key',
    )


def test_one_key_that_appears_twice_is_one_key() -> None:
    assert judge(text({**EC, "kid": "a"}, {**EC, "kid": "a"})).refused == ()


@pytest.mark.parametrize(
    ("key", "algorithms"),
    [
        (without(EC, "alg"), ["ES256"]),
        (EC, ["ES256"]),
        (
            {**json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key())), "kid": "x"},
            ["ES384"],
        ),
        (
            {**json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP521R1()).public_key())), "kid": "x"},
            ["ES512"],
        ),
        (without(ED, "alg", "use"), ["EdDSA"]),
        (without(RSA, "alg"), ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]),
        ({**RSA, "alg": "PS384"}, ["PS384"]),
    ],
)
def test_each_key_leaves_with_the_algorithms_of_its_type(key: dict[str, Any], algorithms: list[str]) -> None:
    judged = judge(text(key))
    assert (judged.count, judged.refused) == (1, ())
    found = json.loads(judged.text)["keys"]
    assert [one["alg"] for one in found] == algorithms
    assert all(one.keys() <= {"kty", "crv", "x", "y", "n", "e", "alg", "kid"} for one in found)
    # What has been judged is judged the same again, so the resource does not change without need.
    assert judge(judged.text).text == judged.text


def test_members_that_mean_nothing_and_the_order_of_members_change_nothing() -> None:
    reordered = dict(reversed(EC.items())) | {"x5c": ["AA"], "use": "sig", "key_ops": ["verify", "sign"]}
    assert judge(text(reordered)).text == judge(text(EC)).text


def test_a_set_without_keys_is_a_set() -> None:
    assert (judge('{"keys": []}').count, judge('{"keys": []}').refused) == (0, ())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"<html>", "is not JSON"),
        (b"[]", "is not a JWK Set"),
        (b"{}", "is not a JWK Set"),
        (b'{"keys": {}}', "is not a JWK Set"),
        (b'{"keys": [1]}', "is not a JWK Set"),
        (b'{"keys": [null]}', "is not a JWK Set"),
        (b'{"keys": ' + b"[" * 200_000, "nested too deeply"),
        (b'{"keys": ' + b'{"a":' * 200_000, "nested too deeply"),
        (b'{"keys": [], "a": ' + b"1" * 10_000 + b"}", "is not JSON"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_not_a_jwk_set(data: bytes, said: str) -> None:
    with pytest.raises(JwksError, match=said):
        judge(data)
