"""What a killed run has left is removed by the next one, wherever it is and whenever that run was killed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest

from mom.run import hot_restart, leftovers
from mom.run.directory import RunDirectory, run_directory
from tests.run.mom_run import wait_until

_MEMORY = Path("/dev/shm")
# Creates directories and removes them until it is killed.
_RUN = """
import sys
from pathlib import Path
from mom.run.directory import RunDirectory, write
print("ready", flush=True)
while True:
    directory = RunDirectory({}, None, parent=Path(sys.argv[1]), prefix=sys.argv[2])
    write(directory.path / "value", "x")
    (directory.path / "folder").mkdir()
    directory.remove()
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return an environment with places for a run's directories."""
    places = {name: tmp_path / name for name in ("XDG_RUNTIME_DIR", "TMPDIR")}
    for place in places.values():
        place.mkdir(mode=0o700)
    return {name: str(place) for name, place in places.items()}


def test_directories_of_killed_runs_are_removed_from_every_place(environ: dict[str, str]) -> None:
    """The places of another environment, too: a run from cron has no XDG_RUNTIME_DIR."""
    places = [Path(place) for place in environ.values()]
    if _MEMORY.is_dir():
        places.append(_MEMORY)
    made = []
    for place in places:
        for prefix in ("mom-atlas-", "mom-secrets-", ".mom-atlas-", ".mom-secrets-"):
            for number, files in enumerate(([], ["value"], ["lock"], ["lock", "base-id", "value"])):
                # Another run on this machine may sweep, too: under another name until it is complete.
                new = Path(tempfile.mkdtemp(dir=place))
                for name in files:
                    (new / name).write_text("x")
                made.append(new.rename(place / f"{prefix}{os.getpid()}-{number}"))
    with run_directory(environ) as own:
        # What another run is removing at this moment is left to it.
        wait_until(lambda: [each for each in made if each.exists()] == [], "they are removed")
        assert own.path.is_dir()
    assert not own.path.exists()


def test_those_of_other_runs_and_what_only_looks_like_one_stay(environ: dict[str, str], tmp_path: Path) -> None:
    place = Path(environ["XDG_RUNTIME_DIR"])
    (place / "mom-atlas-file").write_text("x")
    (tmp_path / "elsewhere").mkdir()
    (place / "mom-secrets-link").symlink_to(tmp_path / "elsewhere")
    (place / "mom-other").mkdir()
    other = RunDirectory(environ, None, parent=place)
    # Its lock may have been removed by hand; the directory is still locked.
    unlocked = RunDirectory(environ, None, parent=place, prefix=leftovers.SECRETS)
    (unlocked.path / leftovers.LOCK).unlink()
    leftovers.sweep(environ)
    kept = {"mom-atlas-file", "mom-secrets-link", "mom-other", other.path.name, unlocked.path.name}
    assert {path.name for path in place.iterdir()} == kept
    assert (tmp_path / "elsewhere").is_dir()
    other.remove()
    unlocked.remove()


def test_a_run_gets_its_directory_while_others_sweep(environ: dict[str, str]) -> None:
    place = Path(environ["XDG_RUNTIME_DIR"])
    ended = threading.Event()

    def sweep() -> None:
        while not ended.is_set():
            leftovers.sweep({"XDG_RUNTIME_DIR": str(place)})

    sweepers = [threading.Thread(target=sweep) for _ in range(2)]
    for sweeper in sweepers:
        sweeper.start()
    try:
        for _ in range(100):
            directory = RunDirectory(environ, None, parent=place)
            assert (directory.path / leftovers.LOCK).exists()
            directory.remove()
    finally:
        ended.set()
        for sweeper in sweepers:
            sweeper.join()
    assert list(place.iterdir()) == []


def test_a_run_that_is_killed_at_any_moment_leaves_nothing_for_long(environ: dict[str, str]) -> None:
    place = Path(environ["XDG_RUNTIME_DIR"])
    dice = random.Random(1)
    for prefix in (leftovers.RUN, leftovers.SECRETS) * 5:
        command = [sys.executable, "-c", _RUN, str(place), prefix]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            threading.Event().wait(dice.uniform(0, 0.02))
            process.kill()
        leftovers.sweep(environ)
        assert list(place.iterdir()) == []


def test_what_a_killed_run_left_in_shared_memory_is_removed_by_the_next() -> None:
    chosen = hot_restart.new_hot_restart()
    if chosen is None:
        pytest.skip("no POSIX shared memory here")
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="mr-") as parent:
        left = Path(parent, "mom-atlas-left")
        left.mkdir()
        (left / "lock").touch()
        (left / "base-id").write_text(f"{chosen.base_id}\n")
        chosen.file.write_bytes(b"left")
        with run_directory({"XDG_RUNTIME_DIR": parent}):
            assert not chosen.file.exists()


def test_directories_in_use_are_not_swept(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="mr-") as parent:
        environ = {"XDG_RUNTIME_DIR": parent}
        left = Path(parent, "mom-atlas-left")
        left.mkdir()
        (left / "lock").touch()
        # Killed before it had a lock.
        other = Path(parent, "mom-atlas-other")
        other.mkdir()
        with run_directory(environ) as first, run_directory(environ) as second:
            assert first.path != second.path
            assert first.exists()
            assert not left.exists()
            assert not other.exists()
    assert tmp_path.exists()


def test_what_a_run_left_that_was_killed_while_it_removed_its_directory_is_swept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="mr-") as parent:
        environ = {"XDG_RUNTIME_DIR": parent}
        names = [f"{number}.json" for number in range(20)]
        for survivors in range(20):
            run = RunDirectory(environ, None)
            for name in names:
                (run.path / name).write_text("secret")
            remaining = iter([True] * survivors)
            unlink = os.unlink

            def killed(*given: Any, remaining: Any = remaining, unlink: Any = unlink, **named: Any) -> None:
                if not next(remaining, False):
                    raise KeyboardInterrupt
                unlink(*given, **named)

            with monkeypatch.context() as patched:
                patched.setattr(os, "unlink", killed)
                with pytest.raises(KeyboardInterrupt):
                    run.remove()
            # As the end of a process does.
            run._unlock()
            assert run.exists()
            with run_directory(environ):
                assert not run.exists()
