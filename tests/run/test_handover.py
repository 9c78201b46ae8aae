"""The hand-over between generations with a real Envoy: what fails leaves what was served, and nothing in the way."""

from __future__ import annotations

import dataclasses
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mom.envoy.options import Certificate, Listen, LocalKey, Options
from mom.errors import MomError
from mom.run import binary, hot_restart, trust
from mom.run.directory import run_directory
from mom.run.generation import Settings
from mom.run.handover import EnvoyEndedError, Generations
from mom.run.plan import Plan
from mom.run.secret_files import secret_files
from mom.run.signals import Signals
from mom.run.waiting import Waiting
from tests.envoy.binary import ENVOY
from tests.envoy.client import Client
from tests.envoy.configurations import configuration, http
from tests.envoy.running import free_port
from tests.envoy.tokens import es256, jwks
from tests.run.mom_run import is_running, wait_until

pytestmark = pytest.mark.skipif(hot_restart.new_hot_restart() is None, reason="no hot restart here")


@pytest.fixture
def generations() -> Iterator[Generations]:
    """Return generations of an Envoy, none started yet."""
    chosen = hot_restart.new_hot_restart()
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="mr-") as parent:
        environ = {"XDG_RUNTIME_DIR": parent}
        with (
            run_directory(environ, chosen) as directory,
            secret_files(environ, directory, None) as files,
            Signals() as signals,
        ):
            settings = Settings(
                binary=binary.find(str(ENVOY), os.environ),
                directory=directory,
                secret_files=files,
                environ={},
                concurrency=1,
                hot_restart=chosen,
            )
            made = Generations(settings, Waiting(signals), _ignore, _ignore, _ignore)
            try:
                yield made
            finally:
                made.close()
                assert chosen is None or not chosen.file.exists()


def _ignore(*_: object) -> None:
    pass


@pytest.fixture
def plan() -> Callable[..., Plan]:
    """Return what makes a plan with the value of a variable, and options that differ."""
    port = free_port()
    key = LocalKey("me", ("https://atlas.test",), jwks(es256()))

    def make(value: str, **options: Any) -> Plan:
        given = configuration(http("one", "http://127.0.0.1:1", {"X-One": "${{ ONE }}"}))
        base = Options(listen=Listen("127.0.0.1", port), ca_file=trust.ca_file({}), local_key=key)
        return Plan(given, dataclasses.replace(base, **options), {"ONE": value}, ())

    return make


def folders(generations: Generations) -> list[str]:
    parent = generations.current.directory.parent
    return sorted(path.name for path in parent.iterdir() if path.is_dir() and path.name != "secrets")


def serves(plan: Plan) -> bool:
    try:
        return Client(plan.options.listen.port).send("/healthz").status == 200
    except (OSError, IndexError):
        return False


def test_one_generation_takes_over_from_another(generations: Generations, plan: Callable[..., Plan]) -> None:
    generations.start(plan("a"))
    first = generations.current
    generations.take_over(plan("b"))
    assert generations.current.number == 1
    assert generations.current.variables == {"ONE": "b"}
    assert not first.admin_available
    assert is_running(first.process._child.pid)
    assert serves(plan("b"))


def test_a_successor_whose_listener_is_refused_leaves_one_that_serves_and_can_be_changed(
    generations: Generations, plan: Callable[..., Plan], tmp_path: Path
) -> None:
    """It has closed the admin interface of its predecessor by then, and may have closed its listener."""
    generations.start(plan("a"))
    broken = Certificate(str(tmp_path / "none.pem"), str(tmp_path / "none.key"))
    with pytest.raises(MomError):
        generations.take_over(plan("b", tls=broken))
    assert serves(plan("a"))
    assert generations.current.variables == {"ONE": "a"}
    assert generations.current.admin_available
    assert generations.current.admin.is_live()
    generations.take_over(plan("c"))
    assert generations.current.variables == {"ONE": "c"}
    assert serves(plan("c"))


def test_a_configuration_that_is_refused_is_taken_back(
    generations: Generations, plan: Callable[..., Plan], tmp_path: Path
) -> None:
    generations.start(plan("a"))
    broken = Certificate(str(tmp_path / "none.pem"), str(tmp_path / "none.key"))
    with pytest.raises(MomError):
        generations.push(plan("a", tls=broken))
    wait_until(lambda: serves(plan("a")), "the old listener is back")
    assert generations.current.plan.options.tls is None
    assert generations.current.is_settled
    generations.push(plan("a", timeout=5.0))
    assert serves(plan("a"))


def test_a_start_again_without_the_directory(generations: Generations, plan: Callable[..., Plan]) -> None:
    generations.start(plan("a"))
    old = generations.current
    assert folders(generations) == ["0"]
    generations.start_again(plan("b"))
    assert not is_running(old.process._child.pid)
    assert generations.current.number == 0
    assert serves(plan("b"))
    assert folders(generations) == ["0"]


def test_the_end_of_the_current_generation_is_noticed(generations: Generations, plan: Callable[..., Plan]) -> None:
    generations.start(plan("a"))
    generations.check()
    generations.send(signal.SIGKILL)
    wait_until(lambda: generations.current.process.status() is not None, "it ends")
    with pytest.raises(EnvoyEndedError, match="SIGKILL"):
        generations.check()
