"""`make demo`: the guide from start to finish on this machine.

An adapter is added to a sample configuration, the diff is shown, a real Envoy serves it, and a signed request goes
through it to a stand-in for the API. Everything happens in one folder (default: .demo), the key of the signature
included. Needs nothing but this Python's `mom`, its Envoy, and curl.
"""

from __future__ import annotations

import contextlib
import os
import random
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
MOM = shutil.which("mom", path=str(Path(sys.executable).parent)) or "mom"


def say(text: str) -> None:
    """Print a line of explanation."""
    print(f"\n# {text}", flush=True)


def typed(*arguments: str) -> str:
    """Return a command as a user would type it, over several lines where one of 80 columns is too short."""
    words: list[str] = []
    for argument in arguments:
        if words and words[-1].startswith("-") and " " not in words[-1] and not argument.startswith("-"):
            words[-1] += f" {shlex.quote(argument)}"
        else:
            words.append(shlex.quote(argument))
    lines = ["$ mom"]
    for word in words:
        if len(lines[-1]) + len(word) > 75:
            lines[-1] += " \\"
            lines.append("   ")
        lines[-1] += f" {word}"
    return "\n".join(lines)


def run(folder: Path, environment: dict[str, str], *arguments: str) -> int:
    """Print a command as a user would type it, run it in `folder`, and return its exit status."""
    print(typed(*arguments), flush=True)
    return subprocess.run([MOM, *arguments], cwd=folder, env=environment, check=False).returncode


def free_port() -> int:
    """Return a port of 127.0.0.1 that no process uses now, and that the system gives to no connection meanwhile."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_768)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def is_ready(manager: socket.socket, process: subprocess.Popen[bytes]) -> bool:
    """Wait, at most some minutes, until Atlas has said so to its service manager, which is after what it prints."""
    manager.settimeout(0.1)
    until = time.monotonic() + 300
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(TimeoutError):
            return manager.recv(100) == b"READY=1"
    return False


def demo(folder: Path) -> int:
    """Run the demo in `folder` and return 0 when the API answered the signed request."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("atlas.yml", "jwks.json"):
        shutil.copy(HERE / name, folder)
    environment = {**os.environ, "MOM_HOME": str(folder / "home")}
    for name in ("MOM_TOKEN", "MOM_BASE_URL"):
        environment.pop(name, None)

    with subprocess.Popen([sys.executable, str(HERE / "api.py")], stdout=subprocess.PIPE) as api:
        atlas: subprocess.Popen[bytes] | None = None
        try:
            assert api.stdout is not None
            base_url = f"http://127.0.0.1:{int(api.stdout.readline())}"
            say(f"A stand-in for the OpenAI API is at {base_url}.\n# It wants `Authorization: Bearer demo-secret`.")
            say("1. Add it to the configuration. The diff has only added lines:")
            added = run(
                *(folder, environment, "atlas", "config", "add-http-adapter", "-f", "atlas.yml", "--diff"),
                *("--adapter-name", "openai", "--base-url", base_url),
                *("-H", "Authorization: Bearer ${{ OPENAI_API_TOKEN }}"),
            )
            if added:
                return added
            say("2. Run it. The credential is in the environment of Atlas, and in no file:")
            port = free_port()
            print(
                "$ export OPENAI_API_TOKEN=demo-secret WIKI_TOKEN=unused\n"
                f"$ mom atlas run -f atlas.yml --listen 127.0.0.1:{port} &"
            )
            sys.stdout.flush()
            with tempfile.TemporaryDirectory() as place, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                manager.bind(f"{place}/notify")
                variables = {"OPENAI_API_TOKEN": "demo-secret", "WIKI_TOKEN": "unused"}
                atlas = subprocess.Popen(
                    [MOM, "atlas", "run", "-f", "atlas.yml", "--listen", f"127.0.0.1:{port}"],
                    cwd=folder,
                    env={**environment, **variables, "NOTIFY_SOCKET": f"{place}/notify"},
                )
                if not is_ready(manager, atlas):
                    return 1
            say("3. Call the API through it. curl sends no credential, only a token for one minute:")
            gateway = f"http://127.0.0.1:{port}"
            answered = run(
                *(folder, environment, "curl", "-sS", "--fail-with-body"),
                *("--base-url", gateway, "/v1/apis/http/openai/v1/models"),
            )
            say("4. Without a token, Atlas does not forward the request:")
            run(
                *(folder, environment, "curl", "-sS", "--mom-no-auth"),
                *("--base-url", gateway, "/v1/apis/http/openai/v1/models"),
            )
            print(flush=True)
            return answered
        finally:
            for process in (atlas, api):
                if process is not None:
                    process.send_signal(signal.SIGTERM)
                    process.wait(timeout=60)


if __name__ == "__main__":
    sys.exit(demo(Path(sys.argv[1] if len(sys.argv) > 1 else ".demo").resolve()))
