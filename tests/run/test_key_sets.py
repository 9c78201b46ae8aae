"""The key sets of a run in time: what counts at once, what is kept and how long, and what is reported."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mom.atlas.jwks import Jwks, judge
from mom.atlas.model import Configuration
from mom.errors import MomError
from mom.run import key_sets
from mom.run.fetch import NotFetched
from mom.run.key_sets import KeySets
from tests.envoy.client import SECONDS
from tests.envoy.configurations import configuration, provider
from tests.envoy.tokens import es256, jwks

URL = "https://idp.test/keys"
OLD, NEW = (judge(json.dumps(jwks(es256(kid)))) for kid in ("old", "new"))
DOWN, GONE = NotFetched("HTTP 500"), NotFetched("HTTP 404", gone=True)


class World:
    """A provider whose response is `says`, and a clock that stops unless a test sets it."""

    def __init__(self, says: Jwks | NotFetched) -> None:
        self.says = says
        self.now = 1000.0
        self.asked = 0
        self.answered = 0
        self.keys = KeySets(fetch=self._fetch, clock=lambda: self.now)
        self.configuration = configuration(providers=(provider(URL),))
        self.keys.read(self.configuration, "/ca.pem")

    def _fetch(self, url: str, ca_file: str) -> Jwks | NotFetched:
        assert (url, ca_file) == (URL, "/ca.pem")
        self.asked += 1
        return self.says

    def after(self, seconds: float, says: Jwks | NotFetched | None = None) -> tuple[str, str]:
        """Return the keys in use and their state after so many seconds, whatever has been asked being answered."""
        self.says = says or self.says
        self.now += seconds
        self.keys.poll()
        for thread in [one for one in threading.enumerate() if one.name == "key set"]:
            thread.join(SECONDS)
        self.keys.poll()
        jwks, states = self.keys.current(self.configuration)
        return jwks[URL], states[URL].word

    def state(self) -> tuple[str, str]:
        return self.after(0)


def test_a_rotation_counts_after_five_minutes_at_most() -> None:
    world = World(OLD)
    assert world.state() == (OLD.text, "ready")
    assert world.after(299, NEW) == (OLD.text, "ready")
    assert world.after(1) == (NEW.text, "ready")
    assert world.asked == 2


def test_a_failure_keeps_the_last_keys_for_an_hour() -> None:
    world = World(OLD)
    assert world.after(300, DOWN) == (OLD.text, "stale")
    assert world.after(3300) == (OLD.text, "stale")
    assert world.after(1) == ('{"keys":[]}', "unavailable")
    assert world.after(30, NEW) == (NEW.text, "ready")


def test_a_thread_that_never_responds_keeps_no_set_longer() -> None:
    """Name servers can take any time; the hour is counted all the same."""
    world, released = World(OLD), threading.Event()

    def hanging(_url: str, _ca_file: str) -> Jwks:
        released.wait(120)
        return NEW

    world.keys.fetch = hanging
    world.now += 300
    world.keys.poll()
    world.now += 3301
    world.keys.poll()
    assert world.keys.current(world.configuration)[0][URL] == '{"keys":[]}'
    released.set()


@pytest.mark.parametrize("says", [GONE, judge('{"keys": []}')], ids=["gone", "empty"])
def test_a_change_at_the_provider_counts_at_once(says: Jwks | NotFetched) -> None:
    world = World(OLD)
    keys, word = world.after(300, says)
    assert (keys, word) == ('{"keys":[]}', "unavailable" if says is GONE else "empty")
    # A failure afterwards brings nothing back.
    assert world.after(300, DOWN)[0] == '{"keys":[]}'


def test_a_failure_is_tried_again_after_half_a_minute_and_reported_once() -> None:
    world = World(OLD)
    world.after(300, DOWN)
    (warning,) = world.keys.take_warnings()
    assert warning == (f"keys at {URL}: HTTP 500: using the last known keys, 60 minutes at most")
    asked = world.asked
    world.after(29)
    assert world.asked == asked
    world.after(1, NotFetched("HTTP 503"))
    assert world.asked == asked + 1
    assert world.keys.take_warnings() == []


def test_a_reload_asks_again_once_in_half_a_minute() -> None:
    world = World(OLD)
    world.after(29)
    world.keys.refresh()
    assert world.asked == 1
    world.after(1)
    world.says = NEW
    world.keys.refresh()
    assert world.state() == (NEW.text, "ready")
    world.keys.refresh()
    assert world.asked == 2


def test_the_time_of_a_state_is_that_of_its_change() -> None:
    world = World(OLD)
    before = world.keys.current(world.configuration)
    world.after(300)
    assert world.keys.current(world.configuration) == before


def test_a_provider_that_does_not_respond_delays_nothing_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_sets, "WAIT_SECONDS", 0.2)
    released = threading.Event()

    def slow(_url: str, _ca_file: str) -> Jwks:
        released.wait(120)
        return OLD

    keys = KeySets(fetch=slow)
    given = configuration(providers=(provider(URL),))
    began = time.monotonic()
    jwks_, states = keys.read(given, "/ca.pem")
    assert time.monotonic() - began < 60
    assert (jwks_[URL], states[URL].word) == ('{"keys":[]}', "unavailable")
    assert "no response" in keys.take_warnings()[0]
    released.set()
    deadline = time.monotonic() + 20
    while keys.current(given)[0][URL] != OLD.text:
        assert time.monotonic() < deadline
        keys.poll()


def test_a_fetch_that_fails_unexpectedly_is_a_failure() -> None:
    world = World(OLD)

    def broken(_url: str, _ca_file: str) -> Jwks:
        raise RuntimeError("boom")

    world.keys.fetch = broken
    assert world.after(300) == (OLD.text, "stale")
    assert "RuntimeError: boom" in world.keys.take_warnings()[0]


def test_bad_keys_of_a_set_are_left_out_and_named_once() -> None:
    weak = {"kty": "oct", "k": "AAAA", "kid": "weak"}
    mixed = judge(json.dumps({"keys": [weak, *jwks(es256("good"))["keys"]]}))
    world = World(OLD)
    assert world.after(300, mixed) == (mixed.text, "ready")
    (warning,) = world.keys.take_warnings()
    assert 'key 1 ("weak") is symmetric' in warning
    world.after(300)
    assert world.keys.take_warnings() == []


def test_a_url_that_nothing_names_any_more_is_not_asked() -> None:
    world = World(OLD)
    world.keys.keep_only([configuration()])
    world.now += 400
    world.keys.poll()
    assert world.asked == 1


# -- files


def in_folder(folder: Path, *names: str) -> Configuration:
    given = configuration(providers=tuple(provider(name, issuer=f"https://{name}/") for name in names))
    return given._replace(file=str(folder / "atlas.yml"))


def test_key_files_are_relative_to_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "a.json").write_text(json.dumps(jwks(es256())))
    found, states = KeySets().read(in_folder(tmp_path, "keys/a.json"), "", strict=True)
    assert json.loads(found["keys/a.json"])["keys"]
    assert states["keys/a.json"].word == "ready"


def fifo(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def text(content: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(content)


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda _path: None, "there is no such file"),
    "a folder": (Path.mkdir, "it is a folder"),
    "a pipe": (fifo, "it is not a regular file"),
    "a device": (device, "it is not a regular file"),
    "too large": (text("[" * ((1 << 20) + 1)), "it is larger than"),
    "deep": (text("[" * 300_000), "nested too deeply"),
    "no JSON": (text("nothing"), "is not JSON"),
    "no set": (text("[]"), "is not a JWK Set"),
    "symmetric": (text('{"keys": [{"kty": "oct", "k": "AA"}]}'), "key 1 is symmetric"),
    "private": (text('{"keys": [{"kty": "EC", "d": "AA"}]}'), "key 1 is a private key"),
    "for encryption": (text('{"keys": [{"kty": "RSA", "use": "enc"}]}'), "key 1 is not for signatures"),
}


@pytest.mark.parametrize(("make", "said"), BROKEN.values(), ids=BROKEN)
def test_a_key_file_that_cannot_be_used(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    """An error at the start, with its place; while it runs, the end of this provider and of no other."""
    (tmp_path / "good").write_text(json.dumps(jwks(es256())))
    make(tmp_path / "bad")
    given = in_folder(tmp_path, "good", "bad")
    with pytest.raises(MomError) as caught:
        KeySets().read(given, "", strict=True)
    (problem,) = caught.value.problems
    assert said in problem.message
    assert problem.hint
    keys = KeySets()
    found, states = keys.read(given, "")
    assert (found["bad"], states["bad"].word) == ('{"keys":[]}', "unavailable")
    assert states["good"].word == "ready"
    (warning,) = keys.take_warnings()
    assert said in warning
    assert "its tokens are rejected" in warning
    keys.read(given, "")
    assert keys.take_warnings() == []


def test_a_file_that_is_emptied_lets_no_client_in(tmp_path: Path) -> None:
    (tmp_path / "a").write_text('{"keys": []}')
    keys = KeySets()
    found, states = keys.read(in_folder(tmp_path, "a"), "", strict=True)
    assert (found["a"], states["a"].word) == ('{"keys":[]}', "empty")
    assert "its tokens are rejected" in keys.take_warnings()[0]
