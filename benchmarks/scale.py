"""`make bench`, fifth part: 10,000 adapters over as many https hosts: start, memory, and one adapter more or less.

Seconds are of the clock and depend on what else the machine does; CPU seconds, from /proc, hardly do. `--other` names
the Python of another environment with another mom, which is run in turn: what a change has done.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from edit import configuration
from proxy import KEYS, child, envoy_memory, free_port, wait

TICKS = os.sysconf("SC_CLK_TCK")
SECONDS = 120


@dataclass(frozen=True)
class Sample:
    """What something took: seconds of the clock, CPU seconds of mom and of Envoy, and Envoy's memory in MB."""

    seconds: float
    mom: float
    envoy: float
    memory: float


def cpu(pid: int) -> float:
    """Return the CPU seconds of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


@dataclass
class Run:
    """A running Atlas: its configuration file, and what it has printed."""

    process: subprocess.Popen[str]
    file: Path
    lines: queue.Queue[str] = field(default_factory=queue.Queue)

    def __post_init__(self) -> None:
        """Read what it prints, so that it never waits."""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.put(line)

    def usage(self) -> Sample:
        """Return what it has taken so far."""
        pid = self.process.pid
        return Sample(time.perf_counter(), cpu(pid), cpu(child(pid)), envoy_memory(pid))

    def change(self, text: str) -> Sample:
        """Put `text` in the place of the configuration; return what it took until that was applied."""
        before = self.usage()
        new = self.file.with_suffix(".new")
        new.write_text(text)
        new.rename(self.file)
        until = time.monotonic() + SECONDS
        while "Reloaded" not in (line := self.lines.get(timeout=max(until - time.monotonic(), 0))):
            if "error" in line:
                raise SystemExit(f"mom printed: {line}")
        after = self.usage()
        return Sample(after.seconds - before.seconds, after.mom - before.mom, after.envoy - before.envoy, after.memory)


@contextlib.contextmanager
def running(python: str, folder: Path, text: str) -> Iterator[tuple[Run, Sample]]:
    """Run Atlas; yield it with what its start took."""
    port, file = free_port(), folder / "atlas.yml"
    file.write_text(text)
    tokens = dict.fromkeys(re.findall(r"\$\{\{ (\w+) \}\}", text), "secret")
    environment = {**os.environ, **tokens, "MOM_HOME": str(folder / "home")}
    begin = time.perf_counter()
    command = [python, "-m", "mom", "atlas", "run", "-f", str(file), "--listen", f"127.0.0.1:{port}"]
    # Not in the folder of the sources, in which Python would find this mom whatever environment it is of.
    process = subprocess.Popen(
        command, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    run = Run(process, file)
    try:
        wait(f"http://127.0.0.1:{port}/healthz", process)
        seconds = time.perf_counter() - begin
        usage = run.usage()
        while "Serving" not in run.lines.get(timeout=SECONDS):
            pass
        yield run, Sample(seconds, usage.mom, usage.envoy, usage.memory)
    finally:
        process.terminate()
        process.wait(timeout=SECONDS)


def text_of(adapters: int, *, variables: bool) -> str:
    """Return a configuration whose keys are in a file; with a variable for each adapter, or none and no key slots."""
    text = configuration(adapters).replace("https://example.com/.well-known/jwks.json", KEYS.name)
    return (
        text
        if variables
        else re.sub(r"Bearer \$\{\{ TOKEN_\d+ \}\}", "public", text).replace("Authorization", "X-Client")
    )


def changes(text: str) -> dict[str, str]:
    """Return the text with one adapter added, then with another base URL of it, then without it again."""
    reference = (
        "  - adapterRef:\n      apiVersion: moment.dev/adapters/v1alpha1\n      kind: HTTP\n      name: one-more\n"
    )
    document = (
        "---\napiVersion: moment.dev/adapters/v1alpha1\nkind: HTTP\nmetadata:\n  name: one-more\nspec:\n"
        "  baseUrl: https://one-more.example.com\n  headers:\n"
        "  - name: Authorization\n    value: Bearer ${{ TOKEN_1 }}\n"
    )
    added = text.replace("---\n", f"{reference}---\n", 1) + document
    if "${{ TOKEN_1 }}" not in text:
        added = added.replace("Authorization\n    value: Bearer ${{ TOKEN_1 }}", "X-Client\n    value: public")
    return {"add": added, "change": added.replace("https://one-more.", "https://another."), "remove": text}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="starts of each kind, and changes")
    parser.add_argument("--adapters", type=int, default=10_000)
    parser.add_argument("--other", metavar="PYTHON", help="the Python of an environment with another mom")
    options = parser.parse_args()
    pythons = {"this": sys.executable, **({"other": options.other} if options.other else {})}
    samples: dict[tuple[str, str, str], list[Sample]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(KEYS, folder)
        for _ in range(options.rounds):
            for kind, variables in (("plain", False), ("a variable each", True)):
                text = text_of(options.adapters, variables=variables)
                for which, python in pythons.items():
                    with running(python, folder, text) as (run, start):
                        samples.setdefault((which, kind, "start"), []).append(start)
                        for what, changed in changes(text).items():
                            samples.setdefault((which, kind, what), []).append(run.change(changed))
    load = os.getloadavg()[0]
    print(f"\n### {options.adapters:,} adapters over as many https hosts (load of the machine: {load:.1f})\n")
    print(
        "| mom | adapters | | seconds | CPU of mom | CPU of Envoy | Envoy's memory |\n|---|---|---|---:|---:|---:|---:|"
    )
    for (which, kind, what), taken in samples.items():

        def median(part: Callable[[Sample], float], taken: list[Sample] = taken) -> float:
            return statistics.median(map(part, taken))

        figures = (
            f"{median(lambda s: s.seconds):.2f} s | {median(lambda s: s.mom):.2f} s | {median(lambda s: s.envoy):.2f} s"
        )
        print(f"| {which} | {kind} | {what} | {figures} | {median(lambda s: s.memory):.0f} MB |")


if __name__ == "__main__":
    main()
