"""Keys of AWS that change while a run serves: the next request is signed with the new ones, by the same Envoy."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from mom.gateway import APIS_PATH
from tests.envoy.aws import AUTHORIZATION, check_signature
from tests.envoy.certificates import Authority
from tests.envoy.client import Response
from tests.envoy.conftest import server_context
from tests.envoy.upstream import Request, Upstream
from tests.observed import contents, open_files
from tests.run import load
from tests.run.mom_run import MomRun, atlas_yml, mom_run, replace, wait_until, with_aws
from tests.run.test_proxies import Proxy

HOST = "sts.us-east-1.amazonaws.com"
AT = "/v1/apis/aws/{}/sts/us-east-1/"
NAMES = {"accessKeyId": "ID", "secretAccessKey": "SECRET", "sessionToken": "TOKEN"}


@pytest.fixture(scope="module")
def sts(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Upstream, Proxy]]:
    """Return what takes the place of AWS, and the proxy that leads there."""
    context = server_context(authority.issue(HOST), tmp_path_factory.mktemp("sts"))
    with Upstream(context) as upstream, Proxy({f"{HOST}:443": upstream.port}) as proxy:
        yield upstream, proxy


def configuration() -> str:
    """Return the text of one with three profiles: `prod` with a session token, `dev` and `mixed` without."""
    prod = {key: f"${{{{ PROD_{name} }}}}" for key, name in NAMES.items()}
    dev = {key: f"${{{{ DEV_{name} }}}}" for key, name in list(NAMES.items())[:2]}
    mixed = {"accessKeyId": "${{ DEV_ID }}", "secretAccessKey": "${{ PROD_SECRET }}"}
    profiles = ({"name": "prod", **prod}, {"name": "dev", **dev}, {"name": "mixed", **mixed})
    return with_aws(atlas_yml({}), *profiles, services=["sts"])


def values(number: int) -> dict[str, str]:
    """Return the credentials of the profile `prod` after so many rotations."""
    return {"PROD_ID": f"ASIA{number}", "PROD_SECRET": f"pr0d/secret+{number}", "PROD_TOKEN": f"pr0d/token=={number}"}


def lines(number: int) -> str:
    """Return the same as an env file."""
    return "".join(f"{name}={value}\n" for name, value in values(number).items())


def send(run: MomRun, profile: str) -> Response:
    """Send a request with a profile."""
    return run.client.send(AT.format(profile), token=run.token())


def check(run: MomRun, api: Upstream, profile: str, *key: str) -> None:
    """Check that a request with a profile is signed with that: id, secret, and the session token if there is one."""
    before = len(api.requests)
    assert send(run, profile).status == 200
    key_id, secret, token = (*key, None)[:3]
    check_signature(api.requests[before], str(key_id), str(secret), token=token)


def state(run: MomRun) -> str:
    """Return the state of the adapter's credentials."""
    listed = json.loads(run.client.send(APIS_PATH, token=run.token()).body)
    return str(listed["apis"][0]["credential"]["state"])


def watches(pid: int) -> int:
    """Return how many inotify instances a process has."""
    return open_files(pid).count("anon_inode:inotify")


def on_memory(run: MomRun) -> dict[str, Path]:
    """Return the files of credentials of a run, by their names: they are in the folder whose lock it has."""
    locks = {Path(each) for each in open_files(run.process.pid) if "/mom-secrets-" in each}
    return {path.name: path for lock in locks for path in lock.parent.glob("aws.*")}


def test_keys_rotate_and_are_lost_without_another_process(
    tmp_path: Path, sts: tuple[Upstream, Proxy], authority: Authority
) -> None:
    api, proxy = sts
    environ = {
        "HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}",
        "SSL_CERT_FILE": str(authority.file),
        "DEV_ID": "AKIADEV",
        "DEV_SECRET": "d3v/secret",
    }
    env_file = tmp_path / ".env"
    env_file.touch(0o600)
    env_file.write_text(lines(0))
    with mom_run(tmp_path, environ=environ) as run:
        (tmp_path / "atlas.yml").write_text(configuration())
        run.start("--env-file", str(env_file), "--debug")
        (envoy,) = run.children()
        before = watches(envoy)
        check(run, api, "prod", *values(0).values())
        check(run, api, "dev", "AKIADEV", "d3v/secret")
        check(run, api, "mixed", "AKIADEV", values(0)["PROD_SECRET"])

        # What comes of the environment alone is in no file, and what Envoy does not need not in its environment.
        files = on_memory(run)
        assert set(files) == {"aws.prod", "aws.mixed"}
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files.values())
        seen = Path(f"/proc/{envoy}/environ").read_bytes()
        assert b"d3v/secret" in seen
        assert b"pr0d" not in seen
        assert b"DEV_SECRET=" not in seen

        replace(env_file, lines(1))
        run.wait("Reloaded variables: PROD_ID, PROD_SECRET, PROD_TOKEN")
        check(run, api, "prod", *values(1).values())
        check(run, api, "mixed", "AKIADEV", values(1)["PROD_SECRET"])
        assert "pr0d/secret+0" not in files["aws.prod"].read_text()

        # A value that is gone: the profiles that need it respond with 503, others go on.
        replace(env_file, lines(1).replace("PROD_TOKEN", "OTHER"))
        run.wait("PROD_TOKEN is not in")
        wait_until(lambda: send(run, "prod").status == 503, "it is refused")
        count = len(api.requests)
        assert send(run, "prod").error == "API_CredentialUnavailableError"
        assert len(api.requests) == count
        assert state(run) == "unavailable"
        check(run, api, "dev", "AKIADEV", "d3v/secret")
        check(run, api, "mixed", "AKIADEV", values(1)["PROD_SECRET"])
        replace(env_file, lines(2))
        wait_until(lambda: send(run, "prod").status == 200, "it is signed again")
        check(run, api, "prod", *values(2).values())
        assert state(run) == "ready"

        # Envoy reads 4096 bytes, and would sign nothing at all.
        replace(env_file, lines(3).replace("pr0d/token==3", "pr0d/token==" + "x" * 4_096))
        run.wait("are too long")
        check(run, api, "prod", *values(2).values())
        replace(env_file, lines(4))
        wait_until(lambda: "ASIA4" in files["aws.prod"].read_text(), "the next value")
        run.wait("Reloaded variables: PROD_ID, PROD_SECRET, PROD_TOKEN", 2)
        check(run, api, "prod", *values(4).values())

        assert run.children() == [envoy]
        assert watches(envoy) == before
        written = [content for path, content in contents(run.runtime).items() if "aws." not in path.name]
        assert written
        assert not any(b"pr0d" in content or b"d3v/secret" in content for content in written)
        assert "pr0d" not in run.text
        assert run.end() == 0
        assert not any(path.exists() for path in files.values())


def rotate(folder: Path, authority: Authority, sts: tuple[Upstream, Proxy], rotations: int) -> None:
    """Rotate the keys of a profile so often, under load."""
    api, proxy = sts
    environ = {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.port}", "SSL_CERT_FILE": str(authority.file)}
    env_file = folder / ".env"
    env_file.touch(0o600)
    env_file.write_text(f"DEV_ID=x\nDEV_SECRET=y\n{lines(0)}")
    with mom_run(folder, environ=environ) as run:
        (folder / "atlas.yml").write_text(configuration())
        run.start("--env-file", str(env_file))
        api.requests.clear()

        def change(number: int) -> None:
            replace(env_file, f"DEV_ID=x\nDEV_SECRET=y\n{lines(number)}")
            run.wait("Reloaded variables: PROD_ID", number)

        load.rotate(
            run,
            api,
            AT.format("prod"),
            rotations=rotations,
            change=change,
            sent=key_and_token,
            expected=lambda number: (f"ASIA{number}", f"pr0d/token=={number}"),
        )


def key_and_token(request: Request) -> tuple[str, str]:
    """Return the id of the key that has signed a request, and the session token."""
    signed = AUTHORIZATION.match(request.get("authorization")[0])
    assert signed is not None
    return signed["id"], request.get("x-amz-security-token")[0]


@pytest.mark.proof
def test_no_request_is_lost_and_none_has_old_keys(
    tmp_path: Path, sts: tuple[Upstream, Proxy], authority: Authority
) -> None:
    rotate(tmp_path, authority, sts, 3)


@pytest.mark.proof
def test_a_hundred_rotations_of_keys(tmp_path: Path, sts: tuple[Upstream, Proxy], authority: Authority) -> None:
    rotate(tmp_path, authority, sts, 100)
