"""A credential is at the API and in Envoy's memory, and nowhere where it could be read otherwise."""

from __future__ import annotations

import json
import ssl
import sys
from pathlib import Path

import pytest

from mom.run.admin import Admin
from tests.envoy.certificates import Authority
from tests.envoy.client import Client, Response
from tests.envoy.upstream import Upstream
from tests.observed import contents
from tests.run.mom_run import MomRun, mom_run, replace, wait_until

P = "/v1/apis/http"
SECRET = "tr0ub4dor-s3cret"
LITERAL = "literal-in-the-file"
UNRELATED = "unrelated-to-atlas"


def texts(run: MomRun) -> dict[str, bytes]:
    """Return everything that somebody could read while it runs, by where it is."""
    found = {str(path): content for path, content in contents(run.runtime).items()}
    for pid in [run.process.pid, *run.children()]:
        found[f"command line of {pid}"] = Path(f"/proc/{pid}/cmdline").read_bytes()
    (directory,) = run.runtime.iterdir()
    generation = max((path for path in directory.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))
    admin = Admin(str(generation / "admin"))
    for target in ("config_dump", "stats", "clusters", "listeners", "server_info", "certs", "runtime", "memory"):
        found[f"admin {target}"] = admin._ask("GET", f"/{target}").encode()
    found["what it says"] = run.text.encode()
    return found


def test_a_secret_is_nowhere_but_at_the_api(tmp_path: Path, api: Upstream) -> None:
    base = f"http://127.0.0.1:{api.port}"
    environ = {"SECRET": SECRET, "UNRELATED_TOKEN": UNRELATED}
    with mom_run(tmp_path, environ=environ) as run:
        run.configure({"one": (base, {"Authorization": "Bearer ${{ SECRET }}"}), "down": ("http://127.0.0.1:1", {})})
        run.start("--debug", "--access-log", "access.jsonl")
        tokens = [run.token() for _ in range(4)]
        answers: list[Response] = [
            run.client.send(f"{P}/one/secret?key={SECRET}x", "X-Key: header-of-the-client", token=tokens[0]),
            run.client.send(f"{P}/down/x", token=tokens[1]),
            run.client.send(f"{P}/none/x", token=tokens[2]),
            run.client.send(f"{P}/one/reset", token=tokens[3]),
            run.client.send(f"{P}/one/x", token=tokens[0][:-9] + "A" * 9),
        ]
        assert [one.status for one in answers] == [200, 502, 404, 502, 401]
        assert api.seen("/secret")[0].get("authorization") == [f"Bearer {SECRET}"]
        for one in answers:
            assert SECRET not in str(one)
        log = tmp_path / "access.jsonl"
        wait_until(lambda: log.read_text().count("\n") == 5, "the access log is written")
        found = {**texts(run), "access log": log.read_bytes()}
        for where, text in found.items():
            assert SECRET.encode() not in text, where
            assert b"header-of-the-client" not in text, where
            assert not any(token.encode() in text for token in tokens), where
        assert b"%ENVIRONMENT(SECRET)%" in b"".join(found.values())
        (envoy,) = run.children()
        environment = Path(f"/proc/{envoy}/environ").read_bytes()
        assert SECRET.encode() in environment
        assert UNRELATED.encode() not in environment
        assert run.end() == 0
        assert SECRET not in run.text


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_no_crash_leaves_a_credential_behind(tmp_path: Path) -> None:
    """The limit is not enough: it does not count where a program takes core dumps."""
    with mom_run(tmp_path, environ={"SECRET": SECRET}) as run:
        run.configure({"one": ("http://127.0.0.1:1", {"Authorization": "Bearer ${{ SECRET }}"})})
        limits = "import resource as r; r.setrlimit(r.RLIMIT_CORE, (r.getrlimit(r.RLIMIT_CORE)[1],) * 2)"
        run.start(prelude=limits)
        for pid in (run.process.pid, *run.children()):
            (core,) = [line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if "core file" in line]
            assert core.split()[4:6] == ["0", "0"]
            assert int(Path(f"/proc/{pid}/coredump_filter").read_text(), 16) == 0
        # What the kernel gives to root is closed to other processes of the user.
        assert Path(f"/proc/{run.process.pid}/environ").stat().st_uid == 0


def test_nor_after_a_reload_that_is_refused(tmp_path: Path, api: Upstream) -> None:
    base = f"http://127.0.0.1:{api.port}"
    (tmp_path / ".env").write_text(f"SECRET='{SECRET}'\n")
    with mom_run(tmp_path) as run:
        run.configure({"one": (base, {"Authorization": "Bearer ${{ SECRET }}", "X-Literal": LITERAL})})
        run.start("--env-file", ".env")
        replace(tmp_path / ".env", f"SECRET='{SECRET}\n{SECRET}'\n")
        assert "contains a line ending" in run.wait("Still serving the previous configuration")
        for where, text in texts(run).items():
            assert SECRET.encode() not in text, where
        assert LITERAL not in run.text


def test_the_access_log(tmp_path: Path, api: Upstream) -> None:
    with mom_run(tmp_path) as run, (tmp_path / "stdout").open("w+") as stdout:
        run.configure({"one": (f"http://127.0.0.1:{api.port}/base", {})})
        run.start("--access-log", "-", stdout=stdout)
        run.client.send(f"{P}/one/logged?x=1", token=run.token(), method="POST", body=b"12345")
        run.client.send(f"{P}/one/logged?x=1")
        run.client.send("/v1alpha1/apis", token=run.token())
        wait_until(lambda: (tmp_path / "stdout").read_text().count("\n") == 3, "three lines")
        # Each worker of Envoy writes its own lines.
        lines = [json.loads(line) for line in (tmp_path / "stdout").read_text().splitlines()]
    own, served, refused = sorted(lines, key=lambda line: (line["adapter"] or "", line["status"]))
    keys = {
        "@timestamp",
        "subject",
        "issuer",
        "adapter",
        "method",
        "path",
        "status",
        "duration_ms",
        "received",
        "sent",
        "flags",
    }
    assert keys <= set(served)
    assert served["subject"] == "user@test"
    assert served["issuer"] == "https://idp.test/"
    assert served["adapter"] == "one"
    assert (served["method"], served["path"], served["status"]) == ("POST", "/base/logged", 200)
    assert (served["received"], served["sent"]) == (5, 2)
    assert served["duration_ms"] >= 0
    assert (refused["subject"], refused["status"], refused["path"]) == (None, 401, f"{P}/one/logged")
    assert (own["adapter"], own["status"]) == (None, 200)


def test_a_tls_key_in_the_file_of_its_certificate_is_copied_nowhere(
    tmp_path: Path, api: Upstream, authority: Authority
) -> None:
    """Envoy gets the certificates as text, to show a new one, and the name of the file that has the key."""
    files = authority.issue("localhost").write(tmp_path)
    both = tmp_path / "both.pem"
    both.write_bytes(b"a remark\n" + files.key.read_bytes() + files.chain.read_bytes())
    secret = files.key.read_bytes().split(b"\n")[1]
    with mom_run(tmp_path) as run:
        run.configure({"one": (f"http://127.0.0.1:{api.port}", {})})
        run.start("--tls-cert", "both.pem", "--tls-key", "both.pem")
        client = Client(run.port, context=ssl.create_default_context(cafile=str(authority.file)))
        answer = client.send(f"{P}/one/x", token=run.token(), host=f"localhost:{run.port}")
        assert answer.status == 200
        for where, text in texts(run).items():
            assert secret not in text, where
            assert b"PRIVATE KEY" not in text, where
