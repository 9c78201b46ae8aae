"""`mom auth inspect` and Atlas agree: what one calls wrong, the other refuses, and nothing else."""

from __future__ import annotations

import base64
import re
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from mom.auth.inspection import inspect
from mom.errors import MomError
from tests.envoy.configurations import AUDIENCE, ISSUER
from tests.envoy.conftest import LOCAL_AUDIENCE, Atlas, api, atlas, authority, secure_apis
from tests.envoy.tokens import Key

__all__ = ["api", "atlas", "authority", "secure_apis"]

# In a JSON text, `<+60>` is the time a minute from when the token is signed, in seconds since the epoch.
LIVE = "<+900>"
NUMBERS = {
    "zero": "0",
    "negative": "-1",
    "negative zero": "-0",
    "very negative": "-1e30",
    "float": "<-100>.5",
    "with an exponent": "<-100>e0",
    "tiny": "1e-300",
    "2^53": str(2**53),
    "2^62": str(2**62),
    "2^63 - 1": str(2**63 - 1),
    "2^63": str(2**63),
    "2^63 + 1": str(2**63 + 1),
    "2^64 - 3000": str(2**64 - 3000),
    "2^64 - 1": str(2**64 - 1),
    "2^64": str(2**64),
    "10^30": "1" + "0" * 30,
    "as a float": "1e30",
    "greatest float": "1.7e308",
    "beyond floats": "1e400",
    "infinity": "Infinity",
    "not a number": "NaN",
    "string": '"<+0>"',
    "empty string": '""',
    "null": "null",
    "true": "true",
    "list": "[<+0>]",
    "object": "{}",
}
# A header or the claims, as JSON texts by the name of the member; None leaves it out.
HEADERS: dict[str, dict[str, str | None]] = {
    "good": {},
    "no kid": {"kid": None},
    "kid is a number": {"kid": "5"},
    "kid is null": {"kid": "null"},
    "no alg": {"alg": None},
    "alg none": {"alg": '"none"'},
    "alg null": {"alg": "null"},
    "alg a number": {"alg": "1"},
    "alg in small letters": {"alg": '"es256"'},
    "alg that does not exist": {"alg": '"ES999"'},
    "alg HS256": {"alg": '"HS256"'},
    "alg ES256K": {"alg": '"ES256K"'},
    "alg Ed25519": {"alg": '"Ed25519"'},
    "crit": {"crit": '["exp"]'},
    "crit of b64": {"crit": '["b64"]', "b64": "false"},
    "crit empty": {"crit": "[]"},
    "crit null": {"crit": "null"},
    "crit false": {"crit": "false"},
    "crit spelt with an escape": {"\\u0063rit": '["exp"]'},
    "typ is anything": {"typ": '"at+jwt"'},
    "typ is a number": {"typ": "1"},
    "a member that nobody knows": {"x5t": '"A"'},
}
CLAIMS: dict[str, dict[str, str | None]] = {
    "good": {},
    "no exp": {"exp": None},
    "expired": {"exp": "<-60>"},
    "expired within the difference of clocks": {"exp": "<-1>"},
    "exp in milliseconds": {"exp": "<+60>000"},
    "exp tomorrow": {"exp": "<+86000>"},
    "exp the day after": {"exp": "<+90000>"},
    "not yet good": {"nbf": "<+600>"},
    "good in a moment": {"nbf": "<+5>"},
    "issued in the future": {"iat": "<+600>"},
    "no iss": {"iss": None},
    "iss empty": {"iss": '""'},
    "iss a number": {"iss": "1"},
    "iss a list": {"iss": f'["{ISSUER}"]'},
    "no aud": {"aud": None},
    "aud empty": {"aud": '""'},
    "aud an empty list": {"aud": "[]"},
    "aud null": {"aud": "null"},
    "aud a number": {"aud": "1"},
    "aud a list": {"aud": f'["x", "{AUDIENCE}"]'},
    "aud a list with a number": {"aud": f'["{AUDIENCE}", 1]'},
    "aud an object": {"aud": "{}"},
    "sub a number": {"sub": "1"},
    "sub null": {"sub": "null"},
    "no sub": {"sub": None},
    "jti a number": {"jti": "1"},
    "jti a list": {"jti": '["a"]'},
    "not a number elsewhere": {"x": "NaN"},
    "exp twice": {"exp": LIVE, "\\u0065xp": LIVE},
    "a claim twice": {"x": "1", "\\u0078": "2"},
    "a claim 50 deep": {"x": "[" * 50 + "]" * 50},
    "a claim 200 deep": {"x": "[" * 200 + "]" * 200},
    **{f"{name}: {word}": {name: value} for name in ("exp", "nbf", "iat") for word, value in NUMBERS.items()},
}


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def as_json(members: dict[str, str | None]) -> bytes:
    """Write an object whose values are JSON already, however odd."""
    text = ",".join(f'"{name}":{value}' for name, value in members.items() if value is not None)
    now = int(time.time())
    return ("{" + re.sub(r"<([+-]\d+)>", lambda match: str(now + int(match[1])), text) + "}").encode()


def sign(key: Key, header: dict[str, str | None], claims: dict[str, str | None]) -> str:
    signed = f"{encode(as_json(header))}.{encode(as_json(claims))}"
    r, s = decode_dss_signature(key.private.sign(signed.encode(), ec.ECDSA(SHA256())))
    return f"{signed}.{encode(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def agree(atlas: Atlas, folder: Path, key: Key, members: tuple[dict[str, Any], dict[str, Any]]) -> bool:
    """Return whether a token is good, once both agree about that."""
    header = {"alg": '"ES256"', "kid": f'"{key.kid}"', **members[0]}
    token = sign(key, header, {"exp": LIVE, **members[1]})
    try:
        wrong: tuple[str, ...] = inspect(token, {"MOM_HOME": str(folder)}).wrong
    except MomError as error:
        wrong = (error.message,)
    answer = atlas.client.send("/v1/apis/http/plain/agreement", token=token)
    assert answer.status in {200, 401}
    assert (answer.status == 200) == (not wrong), (answer.body, wrong)
    return not wrong


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_headers(atlas: Atlas, tmp_path: Path, header: dict[str, str | None]) -> None:
    claims = {"iss": f'"{ISSUER}"', "aud": f'"{AUDIENCE}"'}
    good = agree(atlas, tmp_path, atlas.key, (header, claims))
    assert not (good and {"crit", "\\u0063rit"} & header.keys())


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS)
def test_claims_of_an_identity_provider(atlas: Atlas, tmp_path: Path, claims: dict[str, str | None]) -> None:
    agree(atlas, tmp_path, atlas.key, ({}, {"iss": f'"{ISSUER}"', "aud": f'"{AUDIENCE}"', **claims}))


@pytest.mark.parametrize("word", NUMBERS)
@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
def test_times_of_a_users_own_key(atlas: Atlas, tmp_path: Path, name: str, word: str) -> None:
    own = {"iss": '"urn:mom:local"', "aud": f'"{LOCAL_AUDIENCE}"', name: NUMBERS[word]}
    good = agree(atlas, tmp_path, atlas.local, ({}, own))
    assert not (good and name == "exp")


def test_an_own_token_lives_an_hour(atlas: Atlas, tmp_path: Path) -> None:
    own = {"iss": '"urn:mom:local"', "aud": f'"{LOCAL_AUDIENCE}"'}
    assert agree(atlas, tmp_path, atlas.local, ({}, {**own, "exp": str(int(time.time()) + 3_500)}))
    assert not agree(atlas, tmp_path, atlas.local, ({}, {**own, "exp": str(int(time.time()) + 3_700)}))
