"""An exported folder, served by a real Envoy without mom; and a folder of credentials as the kubelet mounts one."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.envoy.binary import ENVOY
from tests.envoy.client import SECONDS, Client
from tests.envoy.running import wait_until_serving
from tests.export.kubelet import Volume


@contextlib.contextmanager
def serving(folder: Path, port: int, environ: Mapping[str, str] | None = None) -> Iterator[Client]:
    """Run an Envoy with `envoy.json` of a folder, which listens at `port` of 127.0.0.1, until the block ends."""
    command = [ENVOY, "-c", str(folder / "envoy.json"), "--disable-hot-restart", "--concurrency", "1"]
    command += ["--file-flush-interval-msec", "50", "-l", "warning", "--component-log-level", "misc:error"]
    client = Client(port)
    with (folder.parent / f"{folder.name}.log").open("wb") as log:
        environment = {"PATH": os.environ["PATH"], **(environ or {})}
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        try:
            wait_until_serving(client, process)
            yield client
        finally:
            process.terminate()
            process.wait(SECONDS)


class Mounted:
    """A folder of texts as the kubelet mounts a Secret, which changes in part."""

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.folder = folder
        self.files: dict[str, str] = {}
        self.update(files)

    def update(self, files: Mapping[str, str], *removed: str) -> None:
        """Have other files in it: those of before with these, without the removed ones."""
        self.files = {name: text for name, text in {**self.files, **files}.items() if name not in removed}
        Volume(self.folder).write({name: text.encode() for name, text in self.files.items()})
