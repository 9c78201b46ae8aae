"""`mom atlas check` of an AWS adapter with several profiles: a row, and an entry for programs, for each of them."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

import pytest

from mom.atlas.load import load
from mom.atlas.model import Configuration
from mom.auth.base_url import parse_base_url
from mom.check.check import Check
from mom.check.result import Outcome, Stage
from mom.check.subjects import subjects
from mom.cli import main
from mom.envoy import adapters
from mom.envoy.options import Listen, Options
from mom.run.credentials import Credentials
from mom.yamledit.source import Source
from tests.envoy.aws import at_loopback
from tests.envoy.certificates import Authority
from tests.envoy.configurations import file_of
from tests.envoy.conftest import server_context
from tests.envoy.running import free_port, running
from tests.envoy.tokens import Key, es256, jwks
from tests.envoy.upstream import Request, Upstream
from tests.golden import Terminal

FILE = file_of(
    "AWS",
    "aws",
    """\
  profiles:
  - name: prod
    accessKeyId: ${{ PROD_ID }}
    secretAccessKey: ${{ PROD_SECRET }}
  - name: old
    accessKeyId: ${{ OLD_ID }}
    secretAccessKey: ${{ OLD_SECRET }}
  - name: dev
    accessKeyId: ${{ DEV_ID }}
    secretAccessKey: ${{ DEV_SECRET }}
""",
)
ENVIRON = {
    "PROD_ID": "AKIAIOSFODNN7PRODUCT",
    "PROD_SECRET": "p" * 40,
    "OLD_ID": "AKIAIOSFODNN7REVOKED",
    "OLD_SECRET": "o" * 40,
    "DEV_ID": "AKIAIOSFODNN7DEVELOP",
    "DEV_SECRET": "d" * 40,
}
OLD_LINE = FILE.splitlines().index("  - name: old") + 2


class Sts(Upstream):
    """An STS that knows every key but one."""

    def _answer(self, connection: socket.socket, request: Request) -> bool:
        if ENVIRON["OLD_ID"] not in request.get("authorization")[0]:
            return super()._answer(connection, request)
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        return True


class Served(NamedTuple):
    """An Atlas with the adapter."""

    port: int
    key: Key
    configuration: Configuration


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("profiles")
    authority = Authority(folder)
    configuration = load(Source("atlas.yml", FILE))
    key, listen = es256(), Listen("127.0.0.1", free_port())
    options = Options(listen=listen, ca_file=str(authority.file), jwks={"keys.json": json.dumps(jwks(key))})
    environ = {**ENVIRON, **adapters.environment(configuration.adapters, ENVIRON)}
    with (
        Sts(server_context(authority.issue("sts.us-east-1.amazonaws.com"), folder / "tls")) as sts,
        running(configuration, options, folder, environ, change=at_loopback(sts.port)),
    ):
        yield Served(listen.port, key, configuration)


@pytest.fixture
def arguments(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    (tmp_path / "atlas.yml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOM_TOKEN", served.key.token())
    return ["atlas", "check", "--base-url", f"http://127.0.0.1:{served.port}"]


def test_a_person_sees_whose_keys_work(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 1
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert [line.split()[:3] for line in lines if not line.startswith(" ")] == [
        ["ok", "aws/prod", "200"],
        ["FAIL", "aws/old", "403"],
        ["ok", "aws/dev", "200"],
    ]
    assert (
        lines[2].strip().startswith("authorization: the API refused the credential in OLD_ID and OLD_SECRET (HTTP 403)")
    )
    assert "PROD_ID" not in captured.out
    assert captured.err.splitlines()[-1] == "Checked 1 adapter (3 profiles): 2 passed, 1 failed"


def test_programs_get_an_entry_with_the_profile_and_its_line(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    entries = [(each["name"], each["profile"], each["outcome"], each["status"]) for each in report["adapters"]]
    assert entries == [
        ("aws", "prod", "passed", 200),
        ("aws", "old", "failed", 403),
        ("aws", "dev", "passed", 200),
    ]
    assert report["adapters"][1]["line"] == OLD_LINE
    assert main([*arguments, "--format", "github"]) == 1
    assert f"file=atlas.yml,line={OLD_LINE}," in (out := capsys.readouterr().out)
    assert "aws/old" in out
    assert main([*arguments, "--format", "junit"]) == 1
    cases = ET.fromstring(capsys.readouterr().out).findall(".//testcase")
    assert [case.get("name") for case in cases] == ["aws/prod", "aws/old", "aws/dev"]


def test_the_table_of_a_terminal_has_a_row_for_each(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "80")
    assert main(arguments) == 1
    assert all(f"aws/{name}" in screen.getvalue() for name in ("prod", "old", "dev"))


def test_a_path_is_sent_once_since_it_names_a_profile(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments, "--path", "/dev/sts/us-east-1/?Action=GetSessionToken", "--format", "json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)["adapters"]
    assert (entry["name"], entry["profile"], entry["status"]) == ("aws", None, 200)


def test_a_profile_without_the_value_of_a_variable_does_not_stop_the_others(served: Served) -> None:
    environ = {name: value for name, value in ENVIRON.items() if name != "OLD_SECRET"}
    how = Check(
        gateway=parse_base_url(f"http://127.0.0.1:{served.port}"),
        token=served.key.token,
        timeout=120,
        credentials=Credentials(environ),
    )
    results = {each.subject.profile: each for each in how.run(subjects(served.configuration.adapters, apart=True))}
    assert {name: each.outcome for name, each in results.items()} == {
        "prod": Outcome.PASSED,
        "old": Outcome.FAILED,
        "dev": Outcome.PASSED,
    }
    assert (results["old"].stage, results["old"].request) == (Stage.VARIABLE, "")
    assert "OLD_SECRET is not set" in results["old"].message
