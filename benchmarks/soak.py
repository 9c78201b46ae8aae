"""An hour of `mom atlas run` at a modest rate, with a reload every 5 seconds and a rotation every minute.

Not a part of `make bench`: `python benchmarks/soak.py --minutes 60`. Prints a line a minute, the memory of Envoy and of
mom, requests, and how many were lost (any status but 200, or no response). Ends with 1 if one was, or if Envoy's memory
has grown by more than a tenth since the fifth minute. Needs nginx on the PATH.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from proxy import MOM, free_port, nginx, wait
from request import PATH, child, token_for


@dataclass
class Client(threading.Thread):
    """Sends requests over one connection at a time, `rate` a second, until `stop`."""

    port: int
    token: str
    rate: float
    sent: int = 0
    lost: int = 0
    stop: bool = False

    def __post_init__(self) -> None:
        """Make the thread."""
        super().__init__(daemon=True)

    def __hash__(self) -> int:
        """Each is itself."""
        return id(self)

    def run(self) -> None:
        """Send."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        begin = time.monotonic()
        while not self.stop:
            time.sleep(max(0.0, begin + self.sent / self.rate - time.monotonic()))
            self.sent += 1
            try:
                connection.request("GET", PATH, headers={"Atlas-Accesstoken": self.token})
                response = connection.getresponse()
                response.read()
                self.lost += response.status != 200
            except OSError:
                self.lost += 1
                connection.close()


def configuration(api: int, adapters: int) -> str:
    """Return a configuration of that many adapters, the last of which comes and goes."""
    reference = "  - adapterRef: {{apiVersion: moment.dev/adapters/v1alpha1, kind: HTTP, name: adapter-{0:05}}}\n"
    document = (
        "---\napiVersion: moment.dev/adapters/v1alpha1\nkind: HTTP\nmetadata: {{name: adapter-{0:05}}}\n"
        "spec:\n  baseUrl: http://127.0.0.1:{1}\n  headers:\n"
        "  - {{name: Authorization, value: 'Bearer ${{{{ TOKEN }}}}'}}\n"
    )
    head = "apiVersion: moment.dev/atlas/v1alpha1\nkind: Atlas\nmetadata: {name: soak}\nspec:\n  apiAdapters:\n"
    numbers = range(adapters)
    return head + "".join(reference.format(n) for n in numbers) + "".join(document.format(n, api) for n in numbers)


def put(file: Path, text: str) -> None:
    """Replace a file as editors do."""
    new = file.with_suffix(".new")
    new.touch(0o600)
    new.write_text(text)
    new.replace(file)


def memory(pid: int) -> float:
    """Return the resident memory of a process in MB."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def main() -> int:
    """Soak, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--rate", type=float, default=200, help="requests a second, of all clients")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, api, port = Path(name), free_port(), free_port()
        file, values = folder / "atlas.yml", folder / ".env"
        put(file, configuration(api, 2))
        put(values, "TOKEN=first\n")
        environment = {key: value for key, value in os.environ.items() if key != "TOKEN"}
        environment["MOM_HOME"] = str(folder / "home")
        command = [MOM, "atlas", "run", "-f", str(file), "--env-file", str(values), "--listen", f"127.0.0.1:{port}"]
        with nginx(folder, api, free_port()), (folder / "log").open("w") as log:
            run = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=log)
            try:
                wait(f"http://127.0.0.1:{port}/healthz", run)
                return soak(folder, run, port, api, minutes=options.minutes, rate=options.rate)
            finally:
                run.terminate()
                run.wait(timeout=60)


def soak(folder: Path, run: subprocess.Popen[bytes], port: int, api: int, *, minutes: int, rate: float) -> int:
    """Send, reload and rotate for so many minutes; return the exit status."""
    token = token_for(folder, port)
    clients = [Client(port, token, rate / 8) for _ in range(8)]
    for client in clients:
        client.start()
    first = 0.0
    print("| minute | requests | lost | Envoy's memory | mom's |\n|---:|---:|---:|---:|---:|")
    for minute in range(1, minutes + 1):
        for number in range(12):
            time.sleep(5)
            put(folder / "atlas.yml", configuration(api, 2 + number % 2))
        put(folder / ".env", f"TOKEN=value-{minute}\n")
        # Of an hour: one that lives an hour would end in it.
        for client in clients:
            client.token = token_for(folder, port)
        sent, lost = sum(client.sent for client in clients), sum(client.lost for client in clients)
        envoy = memory(child(run.pid))
        first = envoy if minute <= 5 else first
        print(f"| {minute} | {sent:,} | {lost} | {envoy:.0f} MB | {memory(run.pid):.0f} MB |", flush=True)
    for client in clients:
        client.stop = True
    return int(lost > 0 or envoy > 1.1 * first)


if __name__ == "__main__":
    raise SystemExit(main())
