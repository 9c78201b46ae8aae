"""A command that prints a credential: what counts as one, and how a command that does not end is ended."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from mom.run.command import MOST_BYTES, Printed, run
from tests.run.mom_run import is_running, wait_until

# Seconds after which a command that does not end is ended: more, where a busy machine has not come to what it does.
LONGER = (0.5, 5.0, 50.0)
ENVIRON = {"PATH": os.environ["PATH"], "NAME": "from the environment"}


def printed(script: str, seconds: float = 30.0) -> Printed:
    """Run a script of a shell, which mom itself does not start."""
    return run(["sh", "-c", script], ENVIRON, seconds)


@pytest.mark.parametrize(
    ("script", "value"),
    [
        ("printf abc", "abc"),
        ("echo abc", "abc"),
        ("printf 'abc\\r\\n'", "abc"),
        ("printf ' a b '", " a b "),
        ('printf %s "$NAME"', "from the environment"),
        # Bytes that are no text are a value all the same.
        ("printf 'a\\377'", "a\udcff"),
        ("cat; echo nothing came", "nothing came"),
        ("echo why >&2; echo abc", "abc"),
        (f"head -c {MOST_BYTES} /dev/zero | tr '\\0' x", "x" * MOST_BYTES),
        (f"head -c {MOST_BYTES} /dev/zero | tr '\\0' x; echo", "x" * MOST_BYTES),
    ],
)
def test_what_is_printed_is_the_value_but_for_one_line_ending(script: str, value: str) -> None:
    result = printed(script)
    assert (result.value, result.reason) == (value, None)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("true", "sh has printed nothing"),
        ("echo", "sh has printed nothing"),
        ("printf ' \\n'", "sh has printed nothing"),
        ("printf 'abc\\n\\n'", "sh has printed more than one line"),
        ("printf 'a\\nb'", "sh has printed more than one line"),
        ("echo abc; exit 3", "sh exited with status 3"),
        ("echo abc; kill -TERM $$", "sh was ended by SIGTERM"),
        # A real-time signal, which has no name.
        ("echo abc; kill -40 $$", "sh was ended by signal 40"),
        (f"head -c {MOST_BYTES + 2} /dev/zero | tr '\\0' x", f"sh has printed more than {MOST_BYTES:,} bytes"),
        ("yes", f"sh has printed more than {MOST_BYTES:,} bytes"),
    ],
)
def test_what_is_no_credential_has_a_reason_and_no_value(script: str, reason: str) -> None:
    result = printed(script)
    assert (result.value, result.reason) == ("", reason)


def test_a_command_that_is_not_there() -> None:
    assert run(["/none/of/these", "s3cret"], ENVIRON).reason == "/none/of/these cannot be run: there is no such file"


def test_of_standard_error_the_end_is_kept() -> None:
    result = printed("head -c 100000 /dev/zero | tr '\\0' x >&2; echo the end >&2; exit 1")
    assert len(result.errors) <= 4_096
    assert result.errors.endswith("the end\n")


@pytest.mark.parametrize(
    "end", ["exit 0", "exit 3", "echo; echo s3cret-2", "kill -KILL $$", "sleep 600", "exec yes printed"]
)
def test_what_is_printed_is_not_repeated_from_standard_error(end: str) -> None:
    """Though it is no value then, it may be a secret: of a login that has failed later."""
    script = f"set -x; echo s3cret-1; echo why s3cret-1 >&2; {end}"
    result = Printed()
    for seconds in LONGER:
        result = printed(script, seconds)
        assert "s3cret" not in result.errors
        if "why" in result.errors:
            break
    assert "why ***" in result.errors


def test_a_line_of_standard_error_that_was_cut_is_left_out() -> None:
    """Of a secret in it, the rest would be shown."""
    result = printed("echo s3cret-123456789; for n in $(seq 999); do echo s3cret-123456789 >&2; done")
    assert set(result.errors.splitlines()) == {"***"}


def test_what_does_not_end_is_killed_with_all_that_it_has_started(tmp_path: Path) -> None:
    """Also what has closed its output, so that only its end is missing."""
    sleep = shutil.which("sleep")
    for script in ("echo abc; sleep 600 & echo $! > pid; wait", "exec 1>&- 2>&-; sleep 600 & echo $! > pid; wait"):
        for seconds in LONGER:
            result = printed(f"cd '{tmp_path}'; {script}".replace("sleep", str(sleep)), seconds)
            assert result.reason == "sh has not ended in time"
            if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text():
                break
        pid = int((tmp_path / "pid").read_text())
        (tmp_path / "pid").unlink()
        wait_until(lambda pid=pid: not is_running(pid), "it is killed")
