"""A program in the place of mom exec: status, signals, streams and terminal are as env(1) and timeout(1) have them."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

MAIN = """
import os, sys
from mom.errors import MomError
from mom.exec.child import Child
try:
    child = Child(sys.argv[1:], os.environ)
except MomError as error:
    sys.exit(int(error.exit_status))
sys.exit(child.end_as(child.wait()))
"""
COMMAND = [sys.executable, "-c", MAIN]
# Says each signal that it gets, and ends with the status 7 by SIGUSR2.
COUNTING = """
import os, signal, time
def said(number, _): os.write(1, signal.Signals(number).name.encode() + b"\\n")
for name in ("HUP", "INT", "TERM", "USR1", "CONT", "QUIT"): signal.signal(getattr(signal, "SIG" + name), said)
signal.signal(signal.SIGUSR2, lambda *_: os._exit(7))
print("ready", os.getpid(), flush=True)
# A signal just before `pause` would wait for the next one.
while True: time.sleep(0.05)
"""


def test_it_ends_as_the_program_ends_which_is_as_env_ends(tmp_path: Path) -> None:
    script = tmp_path / "not-executable"
    script.write_text("#!/bin/sh\n")
    programs = [
        *(["sh", "-c", f"exit {status}"] for status in (0, 3, 125, 255)),
        *(["sh", "-c", f"kill -{name} $$"] for name in ("TERM", "KILL", "INT", "PIPE", "USR1")),
        ["there-is-no-such-program"],
        [str(tmp_path / "nothing")],
        [str(script)],
        [str(tmp_path)],
    ]
    for program in programs:
        ours = subprocess.run([*COMMAND, *program], capture_output=True, check=False).returncode
        envs = subprocess.run(["env", *program], capture_output=True, check=False).returncode
        assert ours == envs, program


@contextlib.contextmanager
def counting(*, prelude: tuple[str, ...] = ()) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run the program that says its signals; give our process and the program's id."""
    command = [*prelude, *COMMAND, sys.executable, "-c", COUNTING]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline().split()[1])
        try:
            yield process, pid
        finally:
            for number in (process.pid, pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)


def test_signals_of_other_processes_are_passed_on() -> None:
    with counting() as (process, _):
        assert process.stdout is not None
        for name in ("SIGHUP", "SIGINT", "SIGTERM", "SIGUSR1", "SIGQUIT"):
            process.send_signal(getattr(signal, name))
            assert process.stdout.readline() == f"{name}\n"
        process.send_signal(signal.SIGUSR2)
        assert process.wait(120) == 7


def test_what_was_ignored_stays_ignored() -> None:
    with counting(prelude=("env", "--ignore-signal=HUP")) as (process, _):
        assert process.stdout is not None
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "SIGTERM\n"


def test_streams_are_the_programs_own() -> None:
    done = subprocess.run([*COMMAND, "sh", "-c", "cat; echo err >&2"], input=b"\0\xff", capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"\0\xff", b"err\n")


# A shell with job control, as far as it matters here: it gives the terminal to a process group, and waits for it.
SHELL = """
import os, signal, subprocess, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
job = subprocess.Popen(sys.argv[1:], process_group=0)
os.tcsetpgrp(0, job.pid)
_, status = os.waitpid(job.pid, os.WUNTRACED)
os.write(1, b"stopped %d\\n" % os.WIFSTOPPED(status))
os.kill(job.pid, signal.SIGCONT)
_, status = os.waitpid(job.pid, 0)
os.write(1, b"ended %d\\n" % os.waitstatus_to_exitcode(status))
"""


def read_line(terminal: int) -> str:
    data = b""
    while not data.endswith(b"\n"):
        assert select.select([terminal], [], [], 30)[0], data
        data += os.read(terminal, 1)
    return data.decode().strip()


@pytest.mark.skipif(not hasattr(signal, "sigwaitinfo"), reason="the sender of a signal is not known there")
def test_ctrl_c_reaches_the_program_once_and_ctrl_z_stops_both() -> None:
    shell, terminal = pty.fork()
    if shell == 0:
        os.execvp(sys.executable, [sys.executable, "-c", SHELL, *COMMAND, sys.executable, "-c", COUNTING])
    program = 0
    try:
        program = int(read_line(terminal).split()[1])
        os.write(terminal, b"\x03")
        assert read_line(terminal) == "^CSIGINT"
        # Had it come twice, the second would be said before this.
        os.kill(program, signal.SIGUSR1)
        assert read_line(terminal) == "SIGUSR1"
        os.write(terminal, b"\x1a")
        assert read_line(terminal) == "^Zstopped 1"
        assert read_line(terminal) == "SIGCONT"
        os.kill(program, signal.SIGUSR2)
        assert read_line(terminal) == "ended 7"
    finally:
        for pid in filter(None, (program, shell)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os.waitpid(shell, 0)
        os.close(terminal)
