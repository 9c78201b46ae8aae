"""What every export has in common: dry runs, diffs, checks, reports, statuses; and what is in no exported file."""

from __future__ import annotations

import getpass
import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from tests import samples
from tests.envoy.certificates import self_signed
from tests.envoy.tokens import es256, jwks
from tests.golden import MOM, Result, run_mom

PROVIDERS = """\
  identityProviders:
  - file: {issuer: https://a.test/, audience: https://atlas.test, publicKey: keys.json}
  - fetched: {issuer: https://b.test/, audience: https://atlas.test, publicKey: https://b.test/jwks}
"""
HEADERS = {"Authorization": "Bearer ${{ TOKEN }}", "X-Other": "${{ OTHER }}"}


def configure(here: Path) -> None:
    """Write a configuration with files of its own, of which one is a private key."""
    tls = "  tls: {caFile: ca.pem, certFile: certs/client.pem, keyFile: certs/client.key}\n"
    text = samples.atlas("one", "two", after=PROVIDERS)
    text += samples.http("one", "https://api.one.test", HEADERS) + samples.http("two", "https://api.two.test") + tls
    (here / "certs").mkdir(parents=True)
    files = self_signed("two.test").write(here / "certs", "client")
    files.key.rename(here / "certs" / "client.key")
    (here / "ca.pem").write_text(files.chain.read_text())
    (here / "keys.json").write_text(json.dumps(jwks(es256())))
    (here / "atlas.yml").write_text(text)


def export(*arguments: str) -> Result:
    """Export in this process, from the current folder to `out`."""
    return run_mom(["atlas", "export", "envoy", "-o", "out", *arguments])


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a configuration, which is the current one."""
    configure(tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def test_equal_input_gives_equal_bytes_in_any_folder_and_in_any_order_of_sets(here: Path, tmp_path: Path) -> None:
    assert export().status == 0
    first = contents(here / "out")
    other = tmp_path / "elsewhere" / "deep"
    other.parent.mkdir()
    (here / "out").rename(tmp_path / "out")
    here.rename(other)
    words = [MOM, "atlas", "export", "envoy", "-f", str(other / "atlas.yml"), "-o", str(tmp_path / "again")]
    subprocess.run(words, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": "7"}, cwd="/")
    assert contents(tmp_path / "again") == first == contents(tmp_path / "out")


def test_no_value_no_private_key_and_no_trace_of_this_machine_is_in_a_file(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "s3cret-of-a-variable")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.of.this.machine:3128")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.of.this.machine:4318")
    assert export().status == 0
    everything = b"".join(contents(here / "out").values()).decode()
    key = (here / "certs" / "client.key").read_text()
    assert "%SECRET(TOKEN)%" in everything
    assert key.splitlines()[1] not in everything
    assert "BEGIN PRIVATE KEY" not in everything
    # Also not as a digest's input: without the key the export is the same.
    before = contents(here / "out")
    (here / "certs" / "client.key").unlink()
    monkeypatch.setenv("TOKEN", "another")
    assert export("--check").status == 0
    assert contents(here / "out") == before
    for trace in (str(here), "s3cret", "of.this.machine", f"@{socket.gethostname()}", f"/home/{getpass.getuser()}"):
        assert trace not in everything


def test_a_dry_run_shows_what_would_be_written_and_writes_nothing(here: Path) -> None:
    done = export("--dry-run")
    assert done.status == 0
    assert done.stderr.startswith("Would create certificates/")
    assert "--- /dev/null\n+++ b/out/secrets/TOKEN.json\n@@ -0,0 +1 @@\n" in done.stdout.decode()
    assert not (here / "out").exists()


def test_a_check_says_whether_the_folder_is_stale_and_writes_nothing(here: Path) -> None:
    assert export("--check").status == 3
    assert not (here / "out").exists()
    assert export().status == 0
    assert (export("--check").status, export("--check").stderr.splitlines()[0]) == (
        0,
        "Unchanged out is the export of atlas.yml",
    )
    before = contents(here / "out")
    with (here / "atlas.yml").open("a") as file:
        file.write("# a comment\n")
    stale = export("--check")
    assert (stale.status, stale.stderr.splitlines()[0]) == (3, "Would update .mom-export.json in out")
    # What a configuration names counts as it does.
    assert export().status == 0
    recorded = json.loads(before[".mom-export.json"])["input"]
    assert json.loads((here / "out" / ".mom-export.json").read_text())["input"] != recorded
    (here / "keys.json").write_text(json.dumps(jwks(es256("new"))))
    stale = export("--check")
    assert (stale.status, stale.stderr.splitlines()[0]) == (3, "Would update keys/keys.json in out")
    assert contents(here / "out").keys() == before.keys()


def test_a_diff_is_of_the_lines_that_change_and_can_be_applied(here: Path) -> None:
    assert export().status == 0
    copy = contents(here / "out")
    text = (here / "atlas.yml").read_text().replace("https://api.one.test", "https://api.uno.test")
    (here / "atlas.yml").write_text(text)
    done = export("--diff")
    assert (done.status, done.stderr.splitlines()[0]) == (0, "Updated envoy.json in out")
    changed = [
        line for line in done.stdout.decode().splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"}
    ]
    assert 2 <= len(changed) <= 20
    written = contents(here / "out")
    for name, content in copy.items():
        (here / "out" / name).write_bytes(content)
    subprocess.run(["patch", "-p1", "--quiet"], input=done.stdout, cwd=here, check=True)
    assert (here / "out" / "envoy.json").read_bytes() == written["envoy.json"]


def test_what_people_changed_is_named_and_a_status_says_that_it_is_outdated(here: Path) -> None:
    assert export().status == 0
    (here / "out" / "envoy.json").write_text("{}\n")
    kept = export()
    assert kept.status == 0
    assert "note: kept, changed since mom wrote it: envoy.json\n" in kept.stderr
    text = (here / "atlas.yml").read_text().replace("https://api.one.test", "https://api.uno.test")
    (here / "atlas.yml").write_text(text)
    assert export("--check").status == 3
    outdated = export("--diff")
    assert outdated.status == 1
    assert (
        "warning: out/envoy.json was changed, and mom would now write something else: it is kept\n" in outdated.stderr
    )
    assert "+++ b/out/envoy.json\n" in outdated.stdout.decode()
    assert (here / "out" / "envoy.json").read_text() == "{}\n"
    assert export().status == 0


@pytest.mark.usefixtures("here")
def test_a_report_for_programs_has_each_file_and_what_happened_to_it() -> None:
    report = json.loads(export("--format", "json", "--quiet").stdout)
    assert report["command"] == "mom atlas export envoy"
    assert {file["path"]: file["action"] for file in report["files"]}["envoy.json"] == "created"
    assert (report["written"], report["stale"]) == (True, True)
    again = json.loads(export("--format", "json", "--check", "-q").stdout)
    assert (again["written"], again["stale"]) == (False, False)
    assert {file["action"] for file in again["files"]} == {"unchanged"}
    assert "diff" in json.loads(export("--format", "json", "-n", "-q").stdout)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-f", "-"], "--file -: the files that a configuration names are relative to it"),
        (["--listen", "here"], "--listen"),
        (["--timeout", "0"], "--timeout must be"),
        (["--config-dir", "relative"], "--config-dir relative: this is not an absolute path"),
        (["--credentials-dir", "x"], "--credentials-dir x: this is not an absolute path"),
        (["--tls-cert", "/x"], "--tls-cert and --tls-key must be given together"),
        (["-o", ""], "--output-dir is empty"),
        (["--output", "deploy"], "did you mean '--output-dir'?"),
    ],
)
def test_options_that_no_envoy_could_follow_are_refused(here: Path, arguments: list[str], said: str) -> None:
    done = export(*arguments)
    assert done.status == 2
    assert said in done.stderr
    assert not (here / "out").exists()


def test_a_folder_that_is_not_ours_is_left_alone(here: Path) -> None:
    (here / "out").mkdir()
    (here / "out" / "envoy.json").write_text("theirs")
    done = export()
    assert done.status == 1
    assert done.stderr.startswith("error: not written by mom atlas export envoy: out/envoy.json; nothing was written\n")
    assert contents(here / "out") == {"envoy.json": b"theirs"}


def test_warnings_are_printed_unless_no_message_is_wanted(here: Path) -> None:
    with (here / "atlas.yml").open("a") as file:
        file.write(samples.http("unused"))
    assert "warning: " in export().stderr
    assert export("--quiet").stderr == ""


def test_files_that_an_api_needs_are_named_where_they_are_missing(here: Path) -> None:
    (here / "ca.pem").unlink()
    done = export()
    assert done.status == 1
    assert "ca.pem: there is no such file [tls-files]" in done.stderr
    assert not (here / "out").exists()
