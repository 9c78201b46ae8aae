"""However the tests are started, the programs that they start see the same: no terminal, and no ignored signal."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Says what a child of this process finds, when `argv[1]` is `leave` after what conftest.py does.
PROBE = """
import subprocess, sys
from tests import conftest
if sys.argv[1] == "leave":
    conftest.leave_surroundings()
shell = "(exec 3<>/dev/tty) 2>/dev/null && echo terminal || echo none; grep SigIgn /proc/self/status"
print(subprocess.run(["sh", "-c", shell], capture_output=True, text=True).stdout)
"""


def probe(*, leave: bool, ignored: signal.Signals | None = None, session: bool = False) -> tuple[str, int]:
    """Return `terminal` or `none`, and the mask of ignored signals, as a grandchild sees them."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, "leave" if leave else "stay"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        start_new_session=session,
        preexec_fn=lambda: ignored and signal.signal(ignored, signal.SIG_IGN),
    )
    return _parse(done.stdout)


def _parse(text: str) -> tuple[str, int]:
    terminal, mask = text.split("\n")[:2]
    return terminal.strip(), int(mask.split()[1], 16)


def probe_in_a_terminal(*, leave: bool) -> tuple[str, int]:
    """Do the same in a session of its own whose terminal this process plays."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-c", PROBE, "leave" if leave else "stay"])
    shown = b""
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # EIO: the other side is closed
            break
        if not data:
            break
        shown += data
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, shown
    return _parse(shown.decode().replace("\r\n", "\n"))


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells which signals are ignored")
def test_a_terminal_is_left() -> None:
    assert probe_in_a_terminal(leave=False)[0] == "terminal"
    assert probe_in_a_terminal(leave=True)[0] == "none"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells which signals are ignored")
@pytest.mark.parametrize("number", [signal.SIGHUP, pytest.param(signal.SIGINT, marks=pytest.mark.proof)])
def test_an_ignored_signal_is_not_handed_on(number: signal.Signals) -> None:
    bit = 1 << (number - 1)
    assert probe(leave=False, ignored=number)[1] & bit
    assert not probe(leave=True, ignored=number)[1] & bit


def test_without_a_session_of_its_own_or_with_one_it_is_the_same() -> None:
    assert probe(leave=True) == probe(leave=True, session=True)
