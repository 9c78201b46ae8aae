"""Keys that are trusted while a process lives: no longer, however it ends, and never their private part."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import jwt
import pytest

from mom.auth import ephemeral, keys
from mom.errors import UsageError
from mom.gateway import EPHEMERAL_MAX_LIFETIME_SECONDS
from tests.run.mom_run import wait_until


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def files(home: Path) -> list[Path]:
    return sorted(Path(ephemeral.folder(str(home))).iterdir())


def test_a_key_is_trusted_until_it_is_closed(home: Path) -> None:
    assert ephemeral.trusted(str(home)) == {"keys": []}
    first, second = ephemeral.EphemeralKey(str(home)), ephemeral.EphemeralKey(str(home))
    assert len({key["kid"] for key in ephemeral.trusted(str(home))["keys"]}) == 2
    first.close()
    (left,) = ephemeral.trusted(str(home))["keys"]
    second.close()
    assert ephemeral.trusted(str(home)) == {"keys": []}
    assert files(home) == []
    assert "d" not in left


def test_its_file_is_private_and_has_nothing_private_in_it(home: Path) -> None:
    before = os.umask(0)
    try:
        key = ephemeral.EphemeralKey(str(home))
    finally:
        os.umask(before)
    (path,) = files(home)
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent)] == [0o600, 0o700]
    assert set(json.loads(path.read_text())) == {"kty", "crv", "x", "alg", "use", "kid"}
    key.close()


def test_a_key_ends_with_a_process_that_is_killed(home: Path) -> None:
    program = f"""
import sys, time
from mom.auth.ephemeral import EphemeralKey
key = EphemeralKey({str(home)!r})
print("ready", flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        assert len(ephemeral.trusted(str(home))["keys"]) == 1
        process.send_signal(signal.SIGKILL)
    wait_until(lambda: ephemeral.trusted(str(home)) == {"keys": []}, "the key outlives its process")
    assert files(home) == []


def test_what_no_process_holds_is_not_trusted_and_swept(home: Path, tmp_path: Path) -> None:
    key = ephemeral.EphemeralKey(str(home))
    (path,) = files(home)
    copy = path.with_name("copy.json")
    copy.write_bytes(path.read_bytes())
    copy.chmod(0o600)
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_bytes(path.read_bytes())
    path.with_name("link.json").symlink_to(elsewhere)
    path.with_name("half.json.new").write_bytes(path.read_bytes())
    assert len(ephemeral.trusted(str(home))["keys"]) == 1
    assert not copy.exists()
    assert elsewhere.exists()
    assert path.with_name("link.json").is_symlink()
    # It may be of a process that is between two steps.
    assert path.with_name("half.json.new").exists()
    os.utime(path.with_name("half.json.new"), (0, 0))
    ephemeral.trusted(str(home))
    assert not path.with_name("half.json.new").exists()
    key.close()


def test_a_named_pipe_among_the_keys_holds_nothing_up(home: Path) -> None:
    key = ephemeral.EphemeralKey(str(home))
    (path,) = files(home)
    os.mkfifo(path.with_name("pipe.json"), 0o600)
    found: list[int] = []
    look = threading.Thread(target=lambda: found.append(len(ephemeral.trusted(str(home))["keys"])), daemon=True)
    look.start()
    look.join(120)
    assert found == [1]
    key.close()


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"kty": "oct", "k": "AAAA", "kid": "x", "alg": "HS256"}'])
def test_what_is_not_a_public_key_is_not_trusted(home: Path, content: str) -> None:
    key = ephemeral.EphemeralKey(str(home))
    (path,) = files(home)
    path.write_text(content)
    assert ephemeral.trusted(str(home)) == {"keys": []}
    path.write_text(json.dumps({"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "k", "alg": "EdDSA", "d": "secret"}))
    (jwk,) = ephemeral.trusted(str(home))["keys"]
    assert "d" not in jwk
    path.chmod(0o644)
    assert ephemeral.trusted(str(home)) == {"keys": []}
    key.close()


def test_a_token_names_the_user_and_the_adapters_and_may_live_as_long_as_the_key(home: Path) -> None:
    key = ephemeral.EphemeralKey(str(home))
    (jwk,) = ephemeral.trusted(str(home))["keys"]
    token = key.token("http://127.0.0.1:8082", ttl=86_400, adapters=("openai", "/v1/apis/aws/"))
    audience = "http://127.0.0.1:8082/v1/apis/"
    claims = jwt.decode(token, jwt.PyJWK(jwk).key, ["EdDSA"], audience=f"{audience}aws", issuer=ephemeral.ISSUER)
    assert claims["aud"] == [f"{audience}http/openai", f"{audience}aws"]
    assert claims["sub"] == keys.ensure(home).subject
    assert claims["exp"] - claims["iat"] == 86_400
    with pytest.raises(UsageError):
        key.token("http://127.0.0.1:8082", ttl=EPHEMERAL_MAX_LIFETIME_SECONDS + 1)
    key.close()
