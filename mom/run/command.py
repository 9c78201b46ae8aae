"""A command that prints a credential: run without a shell, bounded in time and in what it may print."""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from mom.files import reason_of

SECONDS = 30.0
MOST_BYTES = 65_536
# Of its standard error, the last of which may say why it failed.
_KEPT = 4_096
# Of what was printed: who prints more lines prints no credential.
_MASKED_LINES = 1_000
# What the reason has where no program was started, behind its name.
CANNOT_RUN = "cannot be run"


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command has printed. reason: why that is not a credential, as a clause, None where it is one.

    errors: what it has written to standard error, without what it has printed.
    """

    value: str = ""
    reason: str | None = None
    errors: str = ""


@dataclass
class Running:
    """The processes of a command that runs in a thread, for another thread to end."""

    _group: int | None = field(init=False, default=None)
    _is_ended: bool = field(init=False, default=False)
    _lock: threading.Lock = field(init=False, default_factory=threading.Lock)

    def start(self, words: Sequence[str], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start a command. Raises OSError, and ValueError for words that no command can have."""
        with self._lock:
            if self._is_ended:
                raise OSError(errno.ECANCELED, "the run ends")
            child = subprocess.Popen(
                list(words),
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # What it starts is killed with it, and a Ctrl-C at the terminal is for mom.
                process_group=0,
            )
            self._group = child.pid
            return child

    def kill(self) -> None:
        """Kill what was started last, with all processes of its group."""
        with self._lock, contextlib.suppress(OSError):
            if self._group is not None:
                group, self._group = self._group, None
                os.killpg(group, signal.SIGKILL)

    def end(self) -> None:
        """Kill it, and let nothing be started any more."""
        self._is_ended = True
        self.kill()


def run(
    words: Sequence[str], environ: Mapping[str, str], seconds: float = SECONDS, running: Running | None = None
) -> Printed:
    """Run a command with empty standard input, and return its standard output without one line ending at its end.

    It has `seconds` to end, and is killed then, with all processes of its group. running: what may end it before.
    """
    running = Running() if running is None else running
    try:
        child = running.start(words, environ)
    except (OSError, ValueError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else str(error)
        return Printed(reason=f"{words[0]} {CANNOT_RUN}: {reason}")
    try:
        output, errors, late = _read(child, time.monotonic() + seconds)
        wrong = late or _ended(child, seconds)
    finally:
        running.kill()
        child.wait()
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()
    text = _masked(errors, output).decode(errors="replace")
    value = without_line_ending(output.decode(errors="surrogateescape"))
    wrong = wrong or _objection(value)
    return Printed(value, None, text) if wrong is None else Printed(reason=f"{words[0]} {wrong}", errors=text)


def without_line_ending(text: str) -> str:
    """Return `text` without one line ending at its end: a program that prints a credential prints a line."""
    return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")


def _masked(errors: bytes, output: bytes) -> bytes:
    """Return `errors` without the lines of `output`: a value is one though its command fails, as with `set -x`."""
    if len(errors) == _KEPT:
        # The first line may have lost its beginning, and with it what makes it recognizable.
        errors = errors.partition(b"\n")[2] or errors
    for line in sorted({line.strip() for line in output.splitlines()[:_MASKED_LINES]} - {b""}, key=len, reverse=True):
        errors = errors.replace(line, b"***")
    return errors


def _objection(value: str) -> str | None:
    if not value.strip():
        return "has printed nothing"
    if "\n" in value or "\r" in value:
        return "has printed more than one line"
    return None


def _read(child: subprocess.Popen[bytes], until: float) -> tuple[bytes, bytes, str | None]:
    """Read both pipes to their ends. Return what came, and why it was not waited for any longer."""
    received = {"output": bytearray(), "errors": bytearray()}
    late = None
    with selectors.DefaultSelector() as selector:
        pipes: tuple[tuple[str, IO[bytes] | None], ...] = (("output", child.stdout), ("errors", child.stderr))
        for name, pipe in pipes:
            if pipe is not None:
                selector.register(pipe, selectors.EVENT_READ, name)
        while selector.get_map():
            left = until - time.monotonic()
            if left <= 0:
                late = "has not ended in time"
                break
            for key, _ in selector.select(left):
                part = os.read(key.fd, 65_536)
                if not part:
                    selector.unregister(key.fileobj)
                received[key.data] += part
            del received["errors"][:-_KEPT]
            if len(received["output"]) > MOST_BYTES + 1:
                late = f"has printed more than {MOST_BYTES:,} bytes"
                break
    return bytes(received["output"]), bytes(received["errors"]), late


def _ended(child: subprocess.Popen[bytes], seconds: float) -> str | None:
    try:
        status = child.wait(seconds)
    except subprocess.TimeoutExpired:
        return "has not ended in time"
    if status < 0:
        return f"was ended by {_name(-status)}"
    return f"exited with status {status}" if status else None


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        # The real-time signals between SIGRTMIN and SIGRTMAX have no names.
        return f"signal {number}"
