"""The exported unit, started by systemd itself in its sandbox, installed as docs/deploy/systemd.md says."""

from __future__ import annotations

import re
import shlex
import sys
import threading
from pathlib import Path

import pytest

from tests.envoy.client import Client, Response
from tests.envoy.upstream import Upstream
from tests.export import systemd
from tests.export.exports import configure, export
from tests.export.own_network import in_own_network
from tests.golden import MOM
from tests.pages import ROOT
from tests.run.mom_run import wait_until

pytestmark = [
    pytest.mark.proof,
    pytest.mark.skipif(bool(systemd.missing()), reason=systemd.missing() or "it can be started"),
]

# Where the mom of this project is, for a unit that sees neither home directories nor others' temporary files.
DROP_IN = f"""\
[Service]
ProtectHome=tmpfs
BindReadOnlyPaths={ROOT} {Path(sys.base_prefix).resolve()} {Path(sys.prefix).resolve()}
"""
P = "/v1/apis/http/github"


def install(running: systemd.Systemd, out: Path, value: str) -> None:
    """Do what the page says, but for the units' folder."""
    log = f"append:{running.log}"
    drop_in = f"{DROP_IN}StandardOutput={log}\nStandardError={log}\n"
    steps = [
        f"cp -rT --no-preserve=mode {shlex.quote(str(out / 'etc'))} /etc/atlas",
        "install -d -m 700 /etc/atlas/credentials",
        f"printf '%s\\n' {shlex.quote(value)} > /etc/atlas/credentials/GITHUB_TOKEN",
        "chmod 600 /etc/atlas/credentials/*",
        f"cp {shlex.quote(str(out / 'atlas.service'))} {running.units}",
        f"mkdir -p {running.units}/atlas.service.d",
        f"printf %s {shlex.quote(drop_in)} > {running.units}/atlas.service.d/test.conf",
        "systemctl daemon-reload",
    ]
    for step in steps:
        done = running.inside("sh", "-c", step)
        assert done.returncode == 0, done.stderr


def main_pid(running: systemd.Systemd) -> int:
    """Return the process of the service, as systemd's name space has it."""
    return int(running.inside("systemctl", "show", "--property=MainPID", "--value", "atlas").stdout)


def check_the_sandbox(running: systemd.Systemd) -> None:
    pid = main_pid(running)
    status = running.inside("cat", f"/proc/{pid}/status").stdout
    found = dict(re.findall(r"^(\w+):\s*(.*)$", status, flags=re.MULTILINE))
    assert int(found["Uid"].split()[0]) > 60_000
    assert {int(found[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert (found["NoNewPrivs"], found["Seccomp"]) == ("1", "2")
    # As the service's user, in its view of the files.
    enter = ["nsenter", "--target", str(pid), "--mount", "--", "setpriv", f"--reuid={found['Uid'].split()[0]}"]
    enter += ["--clear-groups", "--"]
    assert running.inside(*enter, "ls", "/etc/atlas/credentials").returncode != 0
    assert running.inside(*enter, "touch", "/etc/atlas/new").returncode != 0
    assert running.inside(*enter, "touch", "/run/atlas/new").returncode == 0
    assert running.inside(*enter, "cat", "/etc/atlas/atlas.yml").returncode == 0


def serve_and_change(folder: Path) -> None:
    with Upstream() as api, systemd.systemd(folder) as running:
        key = configure(folder, f"http://127.0.0.1:{api.port}")
        out = export(folder, "systemd", "--mom", MOM)
        install(running, out, "from-systemd")
        client = Client(8082)

        def send(path: str) -> Response:
            return client.send(f"{P}{path}", token=key.token())

        # It comes back once it serves.
        assert running.control("start", "atlas") == 0, running.said()
        assert send("/first").status == 200
        assert api.requests[-1].get("authorization") == ["Bearer from-systemd"]
        check_the_sandbox(running)

        # A saved configuration is followed, a broken one keeps what is served.
        edit = "sed s/Bearer/Token/ /etc/atlas/atlas.yml > /etc/atlas/.new && mv /etc/atlas/.new /etc/atlas/atlas.yml"
        assert running.inside("sh", "-c", edit).returncode == 0
        wait_until(lambda: send("/edited").status == 200 and authorization(api) == "Token from-systemd", "not applied")

        # What cannot be served is an error of `systemctl start`, and the service that runs is told to end by mom alone:
        # it waits for the request in progress.
        assert running.inside("sh", "-c", "echo : >> /etc/atlas/atlas.yml").returncode == 0
        responses: list[Response] = []
        thread = threading.Thread(target=lambda: responses.append(send("/hold/stop")))
        thread.start()
        wait_until(lambda: bool(api.seen("/hold/stop")), "the request did not arrive")
        stopping = threading.Thread(target=lambda: running.control("stop", "atlas"))
        stopping.start()
        wait_until(lambda: running.inside("systemctl", "is-active", "atlas").stdout == "deactivating\n", "not ending")
        api.release("stop")
        thread.join(30)
        stopping.join(60)
        assert [response.status for response in responses] == [200]
        assert running.inside("systemctl", "show", "--property=Result", "--value", "atlas").stdout == "success\n"
        assert running.inside("ls", "/run/atlas").returncode != 0

        assert running.control("start", "atlas") != 0
        assert "/etc/atlas/atlas.yml:" in running.said()


def authorization(api: Upstream) -> str:
    """Return the credential of the last request."""
    (value,) = api.requests[-1].get("authorization")
    return value


def test_systemd_starts_it_in_its_sandbox_and_ends_it_without_a_lost_request(tmp_path: Path) -> None:
    in_own_network(lambda: serve_and_change(tmp_path))


def test_a_missing_credential_keeps_the_service_from_starting(tmp_path: Path) -> None:
    def run() -> None:
        with systemd.systemd(tmp_path) as running:
            configure(tmp_path)
            install(running, export(tmp_path, "systemd", "--mom", MOM), "value")
            assert running.inside("rm", "/etc/atlas/credentials/GITHUB_TOKEN").returncode == 0
            assert running.control("start", "atlas") != 0
            status = running.inside("systemctl", "show", "--property=ExecMainStatus", "--value", "atlas").stdout
            assert status == "243\n"  # EXIT_CREDENTIALS (systemd.exec(5))

    in_own_network(run)
