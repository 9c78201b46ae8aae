"""One Envoy process: started so that it cannot outlive mom, its log read at once, its end noticed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from mom.files import reason_of
from mom.run.outcome import UnavailableError

_LINES_KEPT = 40
# What waits for `read_log`; of more, the oldest lines are dropped, and of a longer line its end.
_LINES_WAITING = 10_000
_LONGEST_LINE = 65_536
_LOG_BYTES = 1 << 20
_F_SETPIPE_SZ = 1031  # linux/fcntl.h
# What runs in the child before it becomes Envoy: ask to be killed once the parent ends (prctl(2), PR_SET_PDEATHSIG),
# which may have happened before. Envoy asks for the same, but only once it runs, and only with hot restart. Not a
# preexec_fn: that would run between fork and exec, which is safe in a process with one thread only.
_LAUNCHER = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)
environment = dict(os.environ)
if environment.get("LC_CTYPE") == "C.UTF-8":
    del environment["LC_CTYPE"]  # Python's own (PEP 538)
try:
    if os.getppid() == int(sys.argv[1]):
        os.execve(sys.argv[2], sys.argv[2:], environment)
except OSError as error:
    sys.exit(f"{sys.argv[2]}: {error.strerror}")
"""


class Stdout(Enum):
    """Where a child's standard output goes: nowhere, to mom's own, or to mom line by line."""

    NONE = "none"
    SHARED = "shared"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments, the whole environment it gets, and where its output goes."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    stdout: Stdout = Stdout.NONE


class Process:
    """A child that runs `command`; `read_log` gives the lines of its standard error, `read_output` of its output."""

    def __init__(self, command: Command) -> None:
        """Start it. Raises UnavailableError if that fails."""
        read_end, write_end = _pipe()
        output_end, stdout = _output(command.stdout)
        try:
            # A group of its own keeps a Ctrl-C at the terminal from Envoy, which would cut all requests at once.
            self._child = subprocess.Popen(
                [*_launcher(), *command.arguments],
                env=dict(command.environment),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=write_end,
                process_group=0,
                umask=0o077,
            )
        except OSError as error:
            os.close(read_end)
            if output_end is not None:
                os.close(output_end)
            raise UnavailableError(f"Envoy does not start: {reason_of(error)}") from error
        finally:
            os.close(write_end)
            if output_end is not None and stdout is not None:
                os.close(stdout)
        self._log = _Log(read_end)
        self._output = None if output_end is None else _Log(output_end)
        self._guard = None if sys.platform == "linux" else Guard(self._child.pid)

    @property
    def lines(self) -> list[str]:
        """The last lines that it has logged."""
        return list(self._log.last)

    def status(self) -> int | None:
        """Return how it ended: its exit status, or the negated number of the signal; None while it runs."""
        return self._child.poll()

    def read_log(self, each: Callable[[str], None]) -> None:
        """Pass what it has logged since the last time to `each`, line by line."""
        self._take(self._log, each)

    def read_output(self, each: Callable[[str], None]) -> None:
        """Pass what it has written since the last time to `each`, line by line, if that is read at all."""
        if self._output is not None:
            self._take(self._output, each)

    def _take(self, log: _Log, each: Callable[[str], None]) -> None:
        if self.status() is not None:
            # Its last lines are in the pipe; another process with the other end is not waited for.
            log.join(1.0)
        with contextlib.suppress(IndexError):
            while True:
                each(log.waiting.popleft())

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.status() is None:
            self._child.send_signal(number)

    def end(self, seconds: float = 5.0) -> None:
        """Ask it to stop, wait, and kill it if it does not."""
        self.send(signal.SIGTERM)
        # One that is stopped (Ctrl-Z, a debugger) takes a signal only then.
        self.send(signal.SIGCONT)
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def close(self) -> None:
        """Free what belongs to a process that has ended."""
        self._log.join(1.0)
        if self._guard:
            self._guard.close()


class _Log(threading.Thread):
    """Reads a pipe to its end, whatever else mom waits for: a full pipe (64 KiB) would block Envoy's main thread.

    `waiting` has the lines that were not taken yet, `last` the latest.
    """

    def __init__(self, descriptor: int) -> None:
        # A daemon: a process with the other end cannot keep mom from ending.
        super().__init__(name="log", daemon=True)
        self._descriptor = descriptor
        self.waiting: deque[str] = deque(maxlen=_LINES_WAITING)
        self.last: deque[str] = deque(maxlen=_LINES_KEPT)
        self.start()

    def run(self) -> None:
        """Read until the other end is closed."""
        partial = b""
        with os.fdopen(self._descriptor, "rb", buffering=0) as pipe:
            while data := pipe.read(65_536):
                *lines, partial = (partial + data).split(b"\n")
                partial = partial[:_LONGEST_LINE]
                for line in lines:
                    text = line[:_LONGEST_LINE].decode(errors="replace")
                    self.waiting.append(text)
                    self.last.append(text)


class Guard:
    """Kills a process once mom is gone, where the system cannot: a shell that waits for the end of a pipe."""

    def __init__(self, pid: int) -> None:
        """Start guarding `pid`."""
        read_end, self._held = os.pipe()
        script = "read -r _ || kill -9 $0"
        self._shell = subprocess.Popen(["/bin/sh", "-c", script, str(pid)], stdin=read_end, process_group=0)
        os.close(read_end)

    def close(self) -> None:
        """Stop watching: the process has ended, and its id may soon be another's."""
        self._shell.kill()
        self._shell.wait()
        os.close(self._held)


def _pipe() -> tuple[int, int]:
    """Return a pipe with room for what a stopped mom (Ctrl-Z) cannot read."""
    read_end, write_end = os.pipe()
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            fcntl.fcntl(read_end, _F_SETPIPE_SZ, _LOG_BYTES)
    return read_end, write_end


def _output(wanted: Stdout) -> tuple[int | None, int | None]:
    """Return where mom reads the output, None if it does not, and what subprocess takes as `stdout`."""
    if wanted is Stdout.READ:
        return _pipe()
    return None, subprocess.DEVNULL if wanted is Stdout.NONE else None


def _launcher() -> list[str]:
    """Return the start of a command line whose process cannot outlive this one, where that is possible."""
    if sys.platform != "linux" or not sys.executable or getattr(sys, "frozen", False):
        return []
    return [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid())]
