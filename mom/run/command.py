"""A command that prints a credential: run without a shell, bounded in time and in what it may print."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from mom.files import reason_of

SECONDS = 30.0
MOST_BYTES = 65_536
# Of its standard error, the last of which may say why it failed.
_KEPT = 4_096


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command has printed. reason: why that is no credential, as a clause, None where it is one."""

    value: str = ""
    reason: str | None = None
    errors: str = ""


def run(words: Sequence[str], environ: Mapping[str, str], seconds: float = SECONDS) -> Printed:
    """Run a command with empty standard input, and return its standard output without one line ending at its end.

    It has `seconds` to end, and is killed then, with all processes of its group.
    """
    try:
        child = subprocess.Popen(
            list(words),
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # What it starts is killed with it, and a Ctrl-C at the terminal is for mom.
            process_group=0,
        )
    except (OSError, ValueError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else str(error)
        return Printed(reason=f"{words[0]} cannot be run: {reason}")
    try:
        output, errors, late = _read(child, time.monotonic() + seconds)
        wrong = late or _ended(child, seconds)
    finally:
        with contextlib.suppress(OSError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()
    text = errors.decode(errors="replace")
    value = without_line_ending(output.decode(errors="surrogateescape"))
    wrong = wrong or _objection(value)
    return Printed(value, None, text) if wrong is None else Printed(reason=f"{words[0]} {wrong}", errors=text)


def without_line_ending(text: str) -> str:
    """Return `text` without one line ending at its end: a program that prints a credential prints a line."""
    return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")


def _objection(value: str) -> str | None:
    if not value.strip():
        return "has printed nothing"
    if "\n" in value or "\r" in value:
        return "has printed more than one line"
    return None


def _read(child: subprocess.Popen[bytes], until: float) -> tuple[bytes, bytes, str | None]:
    """Read both pipes to their ends. Return what came, and why it was not waited for any longer."""
    received = {"output": bytearray(), "errors": bytearray()}
    with selectors.DefaultSelector() as selector:
        pipes: tuple[tuple[str, IO[bytes] | None], ...] = (("output", child.stdout), ("errors", child.stderr))
        for name, pipe in pipes:
            if pipe is not None:
                selector.register(pipe, selectors.EVENT_READ, name)
        while selector.get_map():
            left = until - time.monotonic()
            if left <= 0:
                return b"", bytes(received["errors"]), "has not ended in time"
            for key, _ in selector.select(left):
                part = os.read(key.fd, 65_536)
                if not part:
                    selector.unregister(key.fileobj)
                received[key.data] += part
            del received["errors"][:-_KEPT]
            if len(received["output"]) > MOST_BYTES + 1:
                return b"", bytes(received["errors"]), f"has printed more than {MOST_BYTES:,} bytes"
    return bytes(received["output"]), bytes(received["errors"]), None


def _ended(child: subprocess.Popen[bytes], seconds: float) -> str | None:
    try:
        status = child.wait(seconds)
    except subprocess.TimeoutExpired:
        return "has not ended in time"
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"has ended with status {status}" if status else None
