"""`mom atlas check` on real Envoys: ten adapters that fail for ten reasons, and a gateway that runs already."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from mom.atlas.adapters.http import HttpAdapter
from mom.auth.base_url import parse_base_url
from mom.check.check import Check as CheckOf
from mom.check.own_gateway import is_running
from mom.check.result import Outcome
from mom.check.subjects import Subject
from mom.cli import main
from mom.errors import MomError
from mom.problems import Place
from tests.envoy.upstream import Upstream
from tests.golden import Terminal
from tests.pages import script
from tests.run.mom_run import MomRun

demo = script("check")


# What of the environment stays: the other variables come from elsewhere.
_ENVIRONMENT = {"PATH", "MOM_HOME", "CREDENTIALS_DIRECTORY", "ZENDESK_TOKEN"}


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report about the ten adapters of the picture. Each variable comes from another source."""
    folder = tmp_path_factory.mktemp("ten")
    (folder / "mounted").mkdir()
    (folder / "mounted" / "JIRA_TOKEN").write_text("demo\n")
    github = "GITHUB_TOKEN=exec:sh -c 'echo run >> runs; echo pasted-by-mistake'"
    environ = {**demo.environment(folder), "CREDENTIALS_DIRECTORY": str(folder / "mounted")}
    with demo.stand_ins(folder):
        done = subprocess.run(
            demo.command(
                *("--timeout", "12", "--format", "json", "--env-file", "/dev/stdin", "--credential", github),
            ),
            # A pipe, as of `--env-file <(vault …)`, is read once.
            input="ASANA_TOKEN=of-the-file\nUNUSED=1\n",
            cwd=folder,
            env={name: value for name, value in environ.items() if name in _ENVIRONMENT},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1] == "Checked 10 adapters: 10 failed"
    assert (folder / "runs").read_text() == "run\n"
    report: dict[str, Any] = json.loads(done.stdout)
    # At once: a port that the system has chosen is soon another program's.
    report["runs still"] = is_running(parse_base_url(report["gateway"]))
    return report


# Per adapter: the stage, words of the message, and words of the advice.
EXPECTED = {
    "openai": ("variable", "OPENAI_API_TOKEN is not set", "export OPENAI_API_TOKEN=…"),
    "github": (
        "credential",
        "GITHUB_TOKEN does not look like a GitHub credential, ghp_",
        "https://github.com/",
    ),
    "weather": ("dns", "API_UpstreamNameError", "check the host in baseUrl"),
    "billing": ("connection", "API_UpstreamConnectionError", "check that it runs"),
    "intranet": ("certificate", "API_UpstreamCertificateError", "SSL_CERT_FILE"),
    "reports": ("timeout", "API_InstanceRequestTimeoutError", "--timeout"),
    "asana": ("authorization", "refused the credential in ASANA_TOKEN (HTTP 401)", "create a new one"),
    "jira": ("authorization", "HTTP 403", "scope or permission for GET /projects/403"),
    "zendesk": ("rate limit", "HTTP 429", "check again in 30 s"),
    "legacy": ("atlas", "API_UpstreamClosedError", "write https:// in baseUrl"),
}


def test_each_of_ten_adapters_fails_for_its_own_reason_with_the_right_advice(ten: dict[str, Any]) -> None:
    assert {adapter["name"] for adapter in ten["adapters"]} == EXPECTED.keys()
    for adapter in ten["adapters"]:
        stage, message, hint = EXPECTED[adapter["name"]]
        assert adapter["stage"] == stage, adapter
        assert message in adapter["message"], adapter
        assert hint in adapter["hint"], adapter
    # What is wrong before anything is sent costs no request.
    sent = {adapter["name"] for adapter in ten["adapters"] if adapter["request"]}
    assert EXPECTED.keys() - sent == {"openai", "github"}
    assert [ten[word] for word in ("passed", "failed", "skipped")] == [0, 10, 0]


def test_the_gateway_that_was_started_has_ended_with_the_check(ten: dict[str, Any]) -> None:
    assert ten["started"] is True
    assert ten["runs still"] is False


def test_no_credential_is_in_the_report(ten: dict[str, Any]) -> None:
    assert "pasted-by-mistake" not in json.dumps(ten)


def test_the_picture_shows_what_the_check_reports(request: pytest.FixtureRequest, ten: dict[str, Any]) -> None:
    if request.config.getoption("--update-golden"):
        demo.PICTURE.write_text(demo.draw())
    text = re.sub(r"\s", "", "".join(demo.picture.shown(demo.PICTURE.read_text())))
    for adapter in ten["adapters"]:
        assert adapter["name"] in text
        for words in (adapter["message"], adapter["hint"].replace("/dev/stdin", "a file: --env-file .env")):
            missing = [word for word in words.split() if word not in text]
            assert not missing, (adapter["name"], missing)


def test_a_terminal_shows_the_last_state_of_a_table_that_is_drawn_anew() -> None:
    assert demo.settled("a\n\x1b[?25lold 1\nold 2\r\x1b[2K\x1b[1A\x1b[2Knew 1\nnew 2\n") == "a\nnew 1\nnew 2\n"


Check = Callable[..., tuple[int, str, str]]


@pytest.fixture
def check(run: MomRun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    monkeypatch.chdir(run.folder)
    monkeypatch.setenv("MOM_HOME", run.environ["MOM_HOME"])
    monkeypatch.setenv("MOM_BASE_URL", f"http://127.0.0.1:{run.port}")

    def run_check(*arguments: str) -> tuple[int, str, str]:
        status = main(["atlas", "check", *arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run_check


def test_a_running_gateway_is_used_and_the_request_reaches_the_api(check: Check, api: Upstream) -> None:
    status, out, err = check("--path", "/models?limit=1")
    assert (status, api.requests[-1].target) == (0, "/models?limit=1")
    assert re.fullmatch(r"ok    one  200   \d+\.\d\d s  GET /models\?limit=1\n", out)
    assert "Starting" not in err
    assert err.endswith("Checked 1 adapter: 1 passed\n")


def test_without_a_smoke_request_it_passes_and_says_that_nothing_is_proven(check: Check) -> None:
    status, out, _ = check()
    assert status == 0
    assert "no credential was proven" in out
    assert "spec.smoke.path" in out


def test_a_token_of_another_key_is_refused_at_the_stage_of_the_token(
    check: Check, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MOM_HOME", str(tmp_path / "other"))
    status, out, _ = check("--format", "json")
    (adapter,) = json.loads(out)["adapters"]
    assert (status, adapter["stage"]) == (1, "token")
    assert "API_InvalidAccessTokenError" in adapter["message"]
    assert "mom auth status" in adapter["hint"]


def test_a_gateway_with_another_configuration_is_not_mistaken_for_this_one(
    check: Check, run: MomRun, tmp_path: Path
) -> None:
    other = tmp_path / "other.yml"
    other.write_text((run.folder / "atlas.yml").read_text().replace("http://127.0.0.1", "http://127.0.0.2"))
    status, out, _ = check("-f", str(other))
    assert status == 1
    assert f"gateway: the gateway http://127.0.0.1:{run.port} has http://127.0.0.1:" in out


def test_a_gateway_that_does_not_run_is_the_failure_of_each_adapter(check: Check) -> None:
    status, out, _ = check("--base-url", "http://127.0.0.1:1", "--format", "junit")
    suite = ET.fromstring(out)
    failure = suite.find(".//failure")
    assert failure is not None
    assert (status, failure.get("type")) == (1, "gateway")
    assert "mom atlas run" in (failure.text or "")
    status, out, _ = check("--base-url", "http://127.0.0.1:1", "--format", "github")
    assert status == 1
    assert out.startswith("::error file=atlas.yml,line=")
    assert "title=mom%3A smoke-test" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--adapter", "oen"), "did you mean one?"),
        (("--path", "v1/models"), "is not a path"),
        (("--path", "/a b"), "is not a path"),
        (("--timeout", "0"), "--timeout"),
        (("-f", "-"), "has to be a file"),
        (("--base-url", "nowhere"), "not a gateway's address"),
    ],
)
def test_wrong_usage_is_one_error_with_status_2(check: Check, arguments: tuple[str, ...], words: str) -> None:
    status, out, err = check(*arguments)
    assert (status, out) == (2, "")
    assert words in err


@pytest.mark.usefixtures("check")
def test_a_terminal_gets_a_table_that_fills(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["atlas", "check", "--path", "/status/403"]) == 1
    last = demo.settled(re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue()))
    assert "FAIL" in last
    assert "waiting" not in last
    assert "HTTP 403" in last
    assert "waiting" in screen.getvalue()


@pytest.mark.proof
def test_with_a_stand_in_no_credential_is_needed(check: Check, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MOM_BASE_URL")
    with demo.stand_ins(tmp_path):
        status, out, err = check("-f", str(tmp_path / "atlas.yml"), "--stand-in")
    assert status == 0, err
    assert out.count("ok ") == 10


@pytest.mark.proof
def test_a_check_that_is_killed_takes_its_gateway_with_it(tmp_path: Path) -> None:
    with demo.stand_ins(tmp_path):
        # The timeout leaves it waiting for the API that never responds.
        process = subprocess.Popen(
            demo.command("--adapter", "reports", "--timeout", "50"),
            cwd=tmp_path,
            env=demo.environment(tmp_path),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr is not None
        url = ""
        for line in process.stderr:
            if found := re.search(r"at (http://\S+)", line):
                url = found[1]
                break
        process.kill()
        process.wait(120)
        process.stderr.close()
        deadline = time.monotonic() + 30
        while is_running(parse_base_url(url)):
            assert time.monotonic() < deadline, "the gateway still runs"
            time.sleep(0.1)


def test_a_gateway_may_have_thousands_of_adapters(api: Upstream) -> None:
    common = {"kind": "HTTP", "baseUrl": "https://api.example.com", "instance": "atlas"}
    apis = [{**common, "name": f"api-{n}", "path": f"/v1/apis/http/api-{n}/"} for n in range(5_000)]
    api.body = json.dumps({"apis": apis}).encode()
    adapter = HttpAdapter("api-4999", "https://api.example.com", (), Place("atlas.yml", 1, 1))
    how = CheckOf(gateway=parse_base_url(f"http://127.0.0.1:{api.port}"), token=lambda: "a", timeout=120)
    (result,) = how.run([Subject(adapter)])
    api.body = b"ok"
    assert result.outcome is Outcome.PASSED


def test_what_fails_inside_a_request_is_raised_and_not_waited_for(api: Upstream) -> None:
    """A token that cannot be signed any more, for example: its file was removed meanwhile."""
    tokens = iter(["first"])

    def token() -> str:
        if (text := next(tokens, None)) is None:
            raise MomError("no token")
        return text

    entry = {"kind": "HTTP", "name": "one", "path": "/v1/apis/http/one/", "instance": "atlas"}
    api.body = json.dumps({"apis": [{**entry, "baseUrl": "https://api.example.com"}]}).encode()
    adapter = HttpAdapter("one", "https://api.example.com", (), Place("atlas.yml", 1, 1))
    how = CheckOf(gateway=parse_base_url(f"http://127.0.0.1:{api.port}"), token=token, timeout=120)
    with pytest.raises(MomError, match="no token"):
        list(how.run([Subject(adapter)]))
    api.body = b"ok"


def test_a_gateway_that_cannot_start_is_one_error_with_its_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, value in demo.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    with demo.stand_ins(tmp_path):
        status = main(["atlas", "check", "-f", str(tmp_path / "atlas.yml"), "--envoy", "/bin/false"])
    captured = capsys.readouterr()
    assert (status, captured.out) == (1, "")
    assert "error: cannot start a gateway for the check" in captured.err
    assert "/bin/false" in captured.err.partition("mom atlas run reported:")[2]
