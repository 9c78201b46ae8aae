"""Whole processes, timed in turn: A B C A B C …, so that a machine that gets slower gets slower for all of them."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Contender:
    """A command to time. `prepare` runs before each run, untimed. `runs` is how often at most (for slow ones)."""

    name: str
    command: Sequence[str]
    prepare: Callable[[], object] = lambda: None
    runs: int = 1_000


@dataclass(frozen=True)
class Figure:
    """The medians of a contender's runs: wall-clock seconds and the process's largest resident set in MB."""

    seconds: float
    megabytes: float
    runs: int


def measure(contenders: Sequence[Contender], rounds: int) -> dict[str, Figure]:
    """Run the contenders in turn, `rounds` times after one round that is not counted, and return their medians."""
    samples: dict[str, list[tuple[float, float]]] = {contender.name: [] for contender in contenders}
    for number in range(rounds + 1):
        for contender in contenders:
            if number > contender.runs or (number == 0 and contender.runs < rounds):
                continue
            contender.prepare()
            sample = _run(contender.command)
            if number:
                samples[contender.name].append(sample)
    return {
        name: Figure(statistics.median(s for s, _ in taken), statistics.median(m for _, m in taken), len(taken))
        for name, taken in samples.items()
    }


def _run(command: Sequence[str]) -> tuple[float, float]:
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    words = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    process.stderr.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed: {words.decode()}")
    return seconds, usage.ru_maxrss / 1024
