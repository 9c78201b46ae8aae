"""`mom atlas run` as a user starts it: a process with files, a terminal's words on stderr, and signals."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mom.run import leftovers
from tests.envoy.client import SECONDS, Client
from tests.envoy.running import free_port
from tests.envoy.tokens import Key, es256, jwks

ADAPTERS = "moment.dev/adapters/v1alpha1"
# Looks at the files twenty times a second instead of five, and tries again what failed after half a second instead of
# two: hundreds of changes wait for that. A start with `unhurried` is as the user's.
HASTE = "import mom.run.supervisor as s\ns._LOOK_SECONDS, s._FIRST_RETRY_SECONDS = 0.05, 0.5\n"
# What a user's run waits for some seconds takes longer where many tests run at once: these ends are for what hangs.
PATIENCE = (
    "import mom.run.admin as a, mom.run.handover as h, mom.run.key_sets as k, mom.run.kubernetes as c\n"
    # Unless a test wants it to give up soon.
    f"if a.Admin.__init__.__defaults__[-1] == 5.0: a.Admin.__init__.__defaults__ = (a._wait, {SECONDS})\n"
    f"h._START_SECONDS = h._APPLY_SECONDS = k.WAIT_SECONDS = c._SECONDS = {SECONDS}\n"
)
# As where there is no file system in memory: the values of variables are in Envoy's environment, and a change of one
# needs another process.
WITHOUT_MEMORY = "import mom.run.serve as serve\nserve.memory = lambda environ: None\n"


class MomRun:
    """One run. `folder` contains `atlas.yml` and its key file; `runtime` is where run directories go."""

    def __init__(self, folder: Path, *, environ: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.runtime = Path(tempfile.mkdtemp(prefix="mr-", dir="/tmp"))
        self.key = es256()
        self.port = free_port()
        self.client = Client(self.port)
        self.environ = {
            "PATH": os.environ["PATH"],
            "MOM_HOME": str(folder / "home"),
            "XDG_RUNTIME_DIR": str(self.runtime),
            **(environ or {}),
        }
        self.text = ""
        self._changed = threading.Condition()
        self._is_at_the_end = False
        self._process: subprocess.Popen[str] | None = None
        (folder / "keys.json").write_text(json.dumps(jwks(self.key)))

    # -- files

    def configure(
        self,
        adapters: Mapping[str, tuple[str, Mapping[str, str]]],
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        **spec: Any,
    ) -> None:
        """Write `atlas.yml` as an editor does: to another file first, then in its place."""
        replace(self.folder / "atlas.yml", atlas_yml(adapters, settings, **spec))

    # -- process

    def start(
        self,
        *options: str,
        serving: bool = True,
        listen: bool = True,
        stdout: Any = subprocess.DEVNULL,
        prelude: str = "",
        unhurried: bool = False,
        pass_fds: Sequence[int] = (),
    ) -> None:
        """Start it, and wait until it serves. `prelude` is Python that runs in its process before it."""
        haste = "" if unhurried else HASTE
        main = f"import sys\n{prelude}\n{PATIENCE}{haste}from mom.cli import main\nsys.exit(main(sys.argv[1:]))"
        command = [sys.executable, "-c", main, "atlas", "run", "-f", str(self.folder / "atlas.yml")]
        command += ["--listen", f"127.0.0.1:{self.port}"] if listen else []
        self._process = subprocess.Popen(
            [*command, *options],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.folder,
            pass_fds=pass_fds,
        )
        self._is_at_the_end = False
        self._reader = threading.Thread(target=self._read, args=(self._process,))
        self._reader.start()
        if serving:
            self.wait("try: ")

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None
        return self._process

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            with self._changed:
                self.text += line
                self._changed.notify_all()
        with self._changed:
            self._is_at_the_end = True
            self._changed.notify_all()

    def wait(self, words: str, count: int = 1) -> str:
        """Wait until `words` have been printed `count` times, and return everything printed."""
        with self._changed:
            self._changed.wait_for(lambda: self.text.count(words) >= count or self._is_at_the_end, SECONDS)
        assert self.text.count(words) >= count, f"not printed: {words!r}; printed: {self.text}"
        return self.text

    def mom(self, *arguments: str) -> str:
        """Run another command of mom, in this folder and environment; it must succeed. Returns what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "mom", *arguments],
            env=self.environ,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal, wait for the end, and return the exit status."""
        self.process.send_signal(number)
        return self.status()

    def status(self) -> int:
        """Wait for the end and return the exit status."""
        status = self.process.wait(SECONDS)
        self._reader.join(SECONDS)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return status

    def children(self) -> list[int]:
        """Return the process ids of the running Envoys."""
        pid = self.process.pid
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def close(self) -> None:
        """End it whatever it does, and remove what tests made."""
        if self._process is not None:
            try:
                self._process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(0.2)
                # The second one does not wait for requests in progress.
                self._process.terminate()
                self._process.wait(SECONDS)
            finally:
                self._process.kill()
                self.status()
        # Of one that was killed: the shared memory of Envoy, whose name is in what goes now.
        leftovers.sweep({"XDG_RUNTIME_DIR": str(self.runtime)})
        shutil.rmtree(self.runtime)

    # -- requests

    def token(self, **claims: Any) -> str:
        """Return a good token, but for the claims given."""
        return self.key.token(**claims)


@contextlib.contextmanager
def mom_run(folder: Path, **options: Any) -> Iterator[MomRun]:
    """Return a run that is not started yet, and end it with the block."""
    run = MomRun(folder, **options)
    try:
        yield run
    finally:
        run.close()


def atlas_yml(
    adapters: Mapping[str, tuple[str, Mapping[str, str]]],
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    **spec: Any,
) -> str:
    """Return the text of a configuration. YAML takes JSON, so nothing needs quoting.

    settings: further keys of an adapter's `spec`, by its name.
    """
    provider = {"publicKey": "keys.json", "audience": "https://atlas.test", "issuer": "https://idp.test/"}
    atlas = {
        "apiVersion": "moment.dev/atlas/v1alpha1",
        "kind": "Atlas",
        "metadata": {"name": "test"},
        "spec": {
            "owner": "example.com",
            "identityProviders": [{"idp": provider}],
            "apiAdapters": [_reference("HTTP", name) for name in adapters],
            **spec,
        },
    }
    documents = [atlas]
    for name, (base_url, headers) in adapters.items():
        pairs = [{"name": key, "value": value} for key, value in headers.items()]
        content: dict[str, Any] = {"baseUrl": base_url, **({"headers": pairs} if pairs else {})}
        content |= (settings or {}).get(name, {})
        documents.append(_document("HTTP", name, spec=content))
    return _text(documents)


def with_adapter(text: str, kind: str, name: str, **more: Any) -> str:
    """Return the text of `atlas_yml` with an adapter more, of any kind. more: further keys of its document."""
    atlas, *others = map(json.loads, text.split("---\n"))
    atlas["spec"]["apiAdapters"].append(_reference(kind, name))
    return _text([atlas, *others, _document(kind, name, **more)])


def with_aws(text: str, *profiles: Mapping[str, str], **spec: Any) -> str:
    """Return the text of `atlas_yml` with an AWS adapter. No profiles: `prod`, with AWS_ID and AWS_SECRET."""
    default = {"name": "prod", "accessKeyId": "${{ AWS_ID }}", "secretAccessKey": "${{ AWS_SECRET }}"}
    return with_adapter(text, "AWS", "aws", spec={**spec, "profiles": profiles or [default]})


def _reference(kind: str, name: str) -> dict[str, Any]:
    return {"adapterRef": {"apiVersion": ADAPTERS, "kind": kind, "name": name}}


def _document(kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"apiVersion": ADAPTERS, "kind": kind, "metadata": {"name": name}, **more}


def _text(documents: Iterable[Mapping[str, Any]]) -> str:
    return "---\n".join(json.dumps(document, indent=2) + "\n" for document in documents)


def replace(path: Path, text: str) -> None:
    """Put a file in the place of another."""
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    new.replace(path)


def wait_until(is_so: Any, words: str) -> None:
    """Wait until `is_so()` is true."""
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline, words
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    """Whether a process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def threads(target: Any, arguments: Sequence[tuple[Any, ...]]) -> list[threading.Thread]:
    """Call `target` with each of `arguments`, each in a thread of its own."""
    started = [threading.Thread(target=target, args=each) for each in arguments]
    for thread in started:
        thread.start()
    return started


__all__ = ["SECONDS", "Key", "MomRun", "atlas_yml", "is_running", "mom_run", "replace", "threads", "wait_until"]
