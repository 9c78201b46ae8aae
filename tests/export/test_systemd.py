"""The unit of systemd: what it says, what systemd thinks of it, and its command line run for real."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.envoy.client import SECONDS, Client
from tests.envoy.running import free_port
from tests.envoy.upstream import Upstream
from tests.export.exports import configure, export, written
from tests.golden import MOM, run_mom
from tests.run.mom_run import wait_until

ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd is not installed")


def settings(unit: str) -> dict[str, list[str]]:
    """Return the settings of a unit, each with its values."""
    found: dict[str, list[str]] = {}
    for line in unit.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_the_unit_loads_each_credential_and_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "s3cret-value")
    configure(tmp_path)
    files = written(export(tmp_path, "systemd"))

    assert set(files) == {"atlas.service", "etc/atlas.yml", "etc/keys.json"}
    assert files["etc/atlas.yml"] == (tmp_path / "atlas.yml").read_text()
    assert "s3cret-value" not in "".join(files.values())
    assert str(tmp_path) not in "".join(files.values())
    unit = settings(files["atlas.service"])
    assert unit["LoadCredential"] == ["GITHUB_TOKEN:/etc/atlas/credentials/GITHUB_TOKEN"]
    assert unit["ExecStart"] == [
        "/opt/mom/bin/mom atlas run --file /etc/atlas/atlas.yml --listen 127.0.0.1:8082 --no-local-key --access-log -"
    ]


def test_the_second_export_changes_nothing_and_a_changed_configuration_is_stale(tmp_path: Path) -> None:
    configure(tmp_path)
    before = written(export(tmp_path, "systemd"))
    assert written(export(tmp_path, "systemd", "--check")) == before
    with (tmp_path / "atlas.yml").open("a") as file:
        file.write("# more\n")
    done = run_mom(
        ["atlas", "export", "systemd", "-f", str(tmp_path / "atlas.yml"), "-o", str(tmp_path / "out"), "--check"]
    )
    assert done.status == 3


def test_private_keys_come_as_credentials_and_are_where_the_configuration_has_them(tmp_path: Path) -> None:
    tls = "  tls:\n    certFile: tls/client.pem\n    keyFile: tls/client.key\n"
    configure(tmp_path, more=tls)
    (tmp_path / "tls").mkdir()
    for name in ("client.pem", "client.key"):
        (tmp_path / "tls" / name).write_text("PRIVATE")
    files = written(export(tmp_path, "systemd", "--tls", "--listen", "0.0.0.0:443"))

    assert "PRIVATE" not in "".join(files.values())
    unit = settings(files["atlas.service"])
    folder = "/etc/atlas/credentials"
    assert unit["LoadCredential"] == [
        f"{name}:{folder}/{name}" for name in ("GITHUB_TOKEN", "client.pem", "client.key", "tls.crt", "tls.key")
    ]
    assert unit["BindReadOnlyPaths"] == [
        "%d/client.pem:/etc/atlas/tls/client.pem",
        "%d/client.key:/etc/atlas/tls/client.key",
    ]
    assert "--tls-cert %d/tls.crt --tls-key %d/tls.key" in unit["ExecStart"][0]
    # A port below 1024 needs a capability, and that the user's name space is the machine's.
    assert unit["CapabilityBoundingSet"] == unit["AmbientCapabilities"] == ["CAP_NET_BIND_SERVICE"]
    assert "PrivateUsers" not in unit


def test_what_would_be_elsewhere_on_another_machine_is_refused_with_its_place(tmp_path: Path) -> None:
    configure(tmp_path)
    here = tmp_path / "here"
    here.mkdir()
    text = (tmp_path / "atlas.yml").read_text()
    (here / "atlas.yml").write_text(text.replace("keys.json", "../keys.json"))
    done = run_mom(["atlas", "export", "systemd", "-f", str(here / "atlas.yml"), "-o", str(tmp_path / "out")])

    assert done.status == 1
    assert "atlas.yml:12:5: error: ../keys.json is not in the folder of the configuration [export-path]" in done.stderr
    assert not (tmp_path / "out").exists()


def test_without_an_identity_provider_it_is_refused(tmp_path: Path) -> None:
    configure(tmp_path)
    text = (tmp_path / "atlas.yml").read_text()
    (tmp_path / "atlas.yml").write_text(re.sub(r"  identityProviders:\n(  [- ].*\n)+?(?=---)", "", text))
    done = run_mom(["atlas", "export", "systemd", "-f", str(tmp_path / "atlas.yml"), "-o", str(tmp_path / "out")])

    assert done.status == 1
    assert "no identity provider: every request would be rejected [no-identity-provider]" in done.stderr
    assert "your own key is trusted on this machine alone" in done.stderr


@pytest.mark.parametrize("path", ["mom", "/opt/a\nb"])
def test_a_program_that_no_unit_could_name_is_refused(tmp_path: Path, path: str) -> None:
    configure(tmp_path)
    done = run_mom(["atlas", "export", "systemd", "-o", str(tmp_path / "out"), "--mom", path])
    assert done.status == 2
    assert "not an absolute path" in done.stderr


@needs_systemd
@pytest.mark.parametrize("options", [[], ["--tls", "--listen", "0.0.0.0:443", "--mom", f"{MOM}"]])
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path, options: list[str]) -> None:
    configure(tmp_path)
    unit = export(tmp_path, "systemd", "--mom", MOM, *options) / "atlas.service"
    done = subprocess.run(
        [str(ANALYZE), "verify", unit], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_systemd
def test_systemd_rates_the_exposure_below_one_and_a_half_of_ten(tmp_path: Path) -> None:
    configure(tmp_path)
    unit = export(tmp_path, "systemd") / "atlas.service"
    command = [str(ANALYZE), "security", "--offline=true", "--no-pager", "--threshold=15", str(unit)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    # 1.2 of 10 in systemd 252; each release weighs more or other settings.
    assert done.returncode == 0, done.stdout


def test_the_command_line_of_the_unit_serves(tmp_path: Path, api: Upstream) -> None:
    port = free_port()
    key = configure(tmp_path, f"http://127.0.0.1:{api.port}")
    out = export(tmp_path, "systemd", "--mom", MOM, "--listen", f"127.0.0.1:{port}")
    [line] = settings((out / "atlas.service").read_text())["ExecStart"]
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "GITHUB_TOKEN").write_text("from-systemd\n")
    environ = {
        "PATH": os.environ["PATH"],
        "CREDENTIALS_DIRECTORY": str(tmp_path / "credentials"),
        "XDG_RUNTIME_DIR": "/dev/shm",
    }
    words = shlex.split(line.replace("/etc/atlas", str(out / "etc")))
    client = Client(port)
    process = subprocess.Popen(words, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: is_serving(client), "it does not serve")
        assert client.send("/v1/apis/http/github/x", token=key.token()).status == 200
        assert api.requests[-1].get("authorization") == ["Bearer from-systemd"]
    finally:
        process.terminate()
        process.wait(SECONDS)


def is_serving(client: Client) -> bool:
    """Whether a request gets a response."""
    try:
        return client.send("/healthz").status == 200
    except OSError:
        return False
