"""Where values come from, in which order, and what happens when a source changes, breaks or is gone."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from mom.errors import MomError
from mom.run import credential_sources
from mom.run.credential_options import read_credentials
from mom.run.credential_sources import CommandSource, EnvFileSource, Missing
from mom.run.credentials import Credentials, News
from mom.run.env_file import EnvFile
from tests.envoy.configurations import http
from tests.envoy.upstream import Upstream
from tests.run.mom_run import is_running, mom_run, replace, wait_until

ADAPTER = http("api", "https://x.test", {"A": "${{ A }}"})
CONTROL = "contains a line ending or another control character"
ENVIRON = {"PATH": os.environ["PATH"]}


def look(credentials: Credentials, until: str = "") -> News:
    """Look until a variable has changed, or what is read is, and return all that was new."""
    found = News()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        news = credentials.look()
        found = News(
            found.changed + news.changed,
            found.warnings + news.warnings,
            found.errors + news.errors,
            found.has_states or news.has_states,
            found.has_read or news.has_read,
        )
        if (until in found.changed) if until else found.has_read:
            return found
        time.sleep(0.02)
    raise AssertionError(f"no news: {found}")


def test_the_order_of_sources(tmp_path: Path) -> None:
    (tmp_path / "dir").mkdir()
    for name in "AB":
        (tmp_path / "dir" / name).write_text(f"{name} of the folder\n")
    (tmp_path / "a").write_text("A of its file\r\n")
    (tmp_path / ".env").write_text("".join(f"{name}='{name} of the env file'\n" for name in "ABCD"))
    environ = {name: f"{name} of the environment" for name in "ABC"}
    credentials = read_credentials(environ, [f"A=file:{tmp_path / 'a'}"], str(tmp_path / "dir"), str(tmp_path / ".env"))
    credentials.on_memory = True
    adapter = http("api", "https://x.test", {name: f"${{{{ {name} }}}}" for name in "ABCD"})
    values, secrets = credentials.values([adapter])
    assert values == {
        "A": "A of its file",
        "B": "B of the folder",
        "C": "C of the environment",
        "D": "D of the env file",
    }
    assert secrets == {"A", "B", "D"}
    # The choice stays: a file that is gone does not have another value come back.
    for path in (tmp_path / "a", tmp_path / "dir" / "B", tmp_path / ".env"):
        path.unlink()
    for name in "ABD":
        if credentials.value(name) is not None and not isinstance(credentials.value(name), Missing):
            look(credentials, name)
    values, secrets = credentials.values([adapter])
    assert values == {"C": "C of the environment"}
    assert secrets == {"A", "B", "D"}
    assert credentials.states([adapter])["HTTP", "api"].word == "unavailable"


def test_all_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "two").write_text("a\nb")
    given = [
        f"B=file:{tmp_path / 'empty'}",
        f"C=file:{tmp_path / 'none'}",
        "D=exec:false",
        f"E=file:{tmp_path / 'two'}",
        "F=exec:/none/of/these",
    ]
    adapter = http("api", "https://x.test", {name: f"${{{{ {name} }}}}" for name in "ABCDEF"})
    with pytest.raises(MomError) as caught:
        read_credentials(ENVIRON, given).values([adapter])
    assert caught.value.message == "6 environment variables are missing or unusable: A, B, C, D, E, F"
    assert [problem.message.removeprefix("the variable ") for problem in caught.value.problems] == [
        "A is not set (header A of api)",
        f"B has no value (header B of api): --credential B=file: {tmp_path}/empty is empty",
        f"C has no value (header C of api): --credential C=file: {tmp_path}/none: there is no such file",
        "D has no value (header D of api): --credential D=exec: false exited with status 1",
        f"E has no value (header E of api): --credential E=file: {tmp_path}/two {CONTROL}",
        "F has no value (header F of api): --credential F=exec: /none/of/these cannot be run: there is no such file",
    ]
    assert [problem.hint for problem in caught.value.problems][1:] == [
        "write the value into that file, alone on one line",
        "write the value into that file, alone on one line",
        "rerun with -v to see what the command writes to standard error",
        "write the value into that file, alone on one line",
        "name a program that is on the PATH, or its path",
    ]
    values, secrets = read_credentials(ENVIRON, given, keeps_going=True).values([adapter])
    assert (values, secrets) == ({}, frozenset("ABCDEF"))


def test_a_variable_that_comes_later_is_found_where_it_may_come_from(tmp_path: Path) -> None:
    for options in ({"env_file": str(tmp_path / ".env")}, {"folder": str(tmp_path / "dir")}):
        shutil.rmtree(tmp_path / "dir", ignore_errors=True)
        (tmp_path / "dir").mkdir()
        (tmp_path / ".env").write_text("")
        credentials = read_credentials({}, keeps_going=True, **options)
        credentials.on_memory = True
        assert credentials.values([ADAPTER]) == ({}, frozenset("A"))
        assert credentials.unavailable([ADAPTER])["api"].startswith("A ")
        (tmp_path / "dir" / "A").write_text("here")
        replace(tmp_path / ".env", "A=here\n")
        look(credentials, "A")
        assert credentials.values([ADAPTER]) == ({"A": "here"}, frozenset("A"))


def test_a_file_as_kubernetes_changes_it(tmp_path: Path) -> None:
    """The name stays a link to a link to a folder, which is replaced at once by another one."""
    for number in "12":
        (tmp_path / f"..{number}").mkdir()
        (tmp_path / f"..{number}" / "A").write_text(f"value {number}\n")
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "A").symlink_to("..data/A")
    credentials = read_credentials({}, folder=str(tmp_path))
    assert credentials.values([ADAPTER])[0] == {"A": "value 1"}
    (tmp_path / "..new").symlink_to("..2")
    (tmp_path / "..new").rename(tmp_path / "..data")
    look(credentials, "A")
    assert credentials.value("A") == "value 2"


def test_what_is_only_broken_leaves_the_value_from_before(tmp_path: Path) -> None:
    file, env_file = tmp_path / "a", tmp_path / ".env"
    file.write_text("first")
    env_file.write_text("B=first\n")
    credentials = read_credentials({}, [f"A=file:{file}"], env_file=str(env_file))
    adapter = http("api", "https://x.test", {"A": "${{ A }}", "B": "${{ B }}"})
    credentials.values([adapter])
    replace(file, "two\nlines")
    news = look(credentials)
    assert news.warnings == (
        f"A: {file} contains a line ending or another control character; the value from before is used",
    )
    assert credentials.states([adapter])["HTTP", "api"].word == "stale"
    for text in ("no assignment", "B='two\nlines'\n"):
        replace(env_file, text)
        assert len(look(credentials).errors) == 1
    assert (credentials.value("A"), credentials.value("B")) == ("first", "first")
    replace(file, "second")
    replace(env_file, "B=second\n")
    look(credentials, "A")
    wait_until(lambda: credentials.look() is not None and credentials.value("B") == "second", "both are read")
    assert credentials.states([adapter])["HTTP", "api"].word == "ready"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return a clock that the test sets."""
    now = [1_000.0]
    monkeypatch.setattr(credential_sources, "seconds_awake_or_not", lambda: now[0])
    return now


def test_a_command_is_run_again_in_time_and_its_value_is_dropped_in_time(tmp_path: Path, clock: list[float]) -> None:
    file = tmp_path / "value"
    file.write_text("first")
    source = CommandSource("A", ("cat", str(file)), ENVIRON, ttl=60, stale=300)

    def settled() -> list[str]:
        """Look until a run that is due has ended; return what was reported."""
        reports = source.look()
        deadline = time.monotonic() + 20
        while source._thread is not None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
            reports += source.look()
        return reports

    assert settled() == []
    assert source.value("A") == "first"
    file.write_text("second")
    clock[0] += 59
    assert settled() == []
    assert source.value("A") == "first"
    clock[0] += 2
    assert settled() == []
    assert source.value("A") == "second"
    file.unlink()
    clock[0] += 61
    (report,) = settled()
    assert report == "A: cat exited with status 1; the value from before is used for 300 s from its last success"
    assert (source.value("A"), source.is_stale) == ("second", True)
    assert "No such file" in source.errors
    clock[0] += 200
    assert settled() == []
    assert source.value("A") == "second"
    clock[0] += 50
    assert settled() == ["A is older than 300 s, and its command fails"]
    assert source.value("A") == Missing("is older than 300 s, and its command fails")
    file.write_text("third")
    clock[0] += 61
    assert settled() == []
    assert (source.value("A"), source.is_stale) == ("third", False)


def test_a_value_that_is_too_old_is_not_used_though_nothing_was_read(clock: list[float]) -> None:
    source = CommandSource("A", ("echo", "first"), ENVIRON, ttl=1_000, stale=300)
    credentials = Credentials({}, given=[source], on_memory=True)
    assert credentials.values([ADAPTER]) == ({"A": "first"}, frozenset("A"))
    clock[0] += 301
    source.look()
    assert credentials.values([ADAPTER]) == ({}, frozenset("A"))


class Asked(dict[str, str]):
    """Variables that remember which were asked for."""

    names: set[str]

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return super().__contains__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.names.add(name)
        return super().get(name, default)


def test_only_new_variables_are_asked_for_again(tmp_path: Path) -> None:
    environ = Asked(A="1", B="2", C="3")
    (tmp_path / ".env").write_text("D=4\nE=5\n")
    credentials = Credentials(environ, env_file=EnvFileSource(EnvFile(tmp_path / ".env")), on_memory=True)
    adapters = [http(f"api-{name}", "https://x.test", {"X": f"${{{{ {name} }}}}"}) for name in "ABDEC"]
    for count, asked in ((4, set("ABDE")), (4, set()), (5, set("C")), (2, set())):
        environ.names = set()
        values, secrets = credentials.values(adapters[:count])
        assert list(values.items()) == list(zip("ABDEC", "12453", strict=True))[:count]
        assert secrets == set("DE").intersection(values)
        assert environ.names == asked
        states = credentials.states(adapters[:count])
        assert [(*key, state.word) for key, state in states.items()] == [
            ("HTTP", f"api-{name}", "ready") for name in values
        ]
    # A file that was read again has other values, and what was not needed for a while is asked for again.
    replace(tmp_path / ".env", "D=6\nE=5\n")
    look(credentials, "D")
    environ.names = set()
    assert credentials.values(adapters)[0] == {"A": "1", "B": "2", "D": "6", "E": "5", "C": "3"}
    assert not environ.names & set("AB")


def test_a_run_that_fails_in_mom_itself_is_no_success(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    """The value from before must not count as printed again, nor the command be run without a pause."""
    source = CommandSource("A", ("echo", "first"), ENVIRON, ttl=60, stale=300)

    def settled() -> list[str]:
        reports = source.look()
        wait_until(lambda: source._thread is None or not source._thread.is_alive(), "the run has ended")
        return reports + source.look()

    assert settled() == []

    def fails(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr(credential_sources, "run", fails)
    clock[0] += 61
    (report,) = settled()
    assert report.startswith("A: echo cannot be run: MemoryError; the value from before is used")
    assert (source.value("A"), source.is_stale, source._thread) == ("first", True, None)
    clock[0] += 240
    assert settled() == ["A is older than 300 s, and its command fails"]


def test_a_command_that_hangs_does_not_outlive_the_run(tmp_path: Path) -> None:
    """With mom ends what would end it in time; a Ctrl-C at the terminal does not reach it."""
    with mom_run(tmp_path) as run:
        run.configure({"one": ("http://127.0.0.1:1", {"X-Key": "${{ KEY }}"})})
        script = "echo $$ > new; mv new pid; exec sleep 600"
        run.start("--credential", f"KEY=exec:sh -c '{script}'", serving=False)
        wait_until((tmp_path / "pid").exists, "it runs")
        pid = int((tmp_path / "pid").read_text())
        assert is_running(pid)
        run.end()
        try:
            wait_until(lambda: not is_running(pid), "it is ended")
        finally:
            if is_running(pid):
                os.kill(pid, signal.SIGKILL)


def test_names_that_no_file_can_have_are_a_user_s_mistake(tmp_path: Path) -> None:
    long = "A" * 300
    for text in (long, "~no-such-user/x"):
        with pytest.raises(MomError, match="it is not a folder"):
            read_credentials({}, folder=text)
    assert read_credentials({"CREDENTIALS_DIRECTORY": long}).folders == ()
    (source,) = read_credentials({}, ["A=file:~no-such-user/x"]).given
    source.look()
    assert source.value("A") == Missing("~no-such-user/x: there is no such file")
    adapter = http("api", "https://x.test", {"A": f"${{{{ {long} }}}}"})
    assert read_credentials({long: "value"}, folder=str(tmp_path)).values([adapter])[0] == {long: "value"}


def test_values_reach_envoy_after_their_folder_was_removed(tmp_path: Path, api: Upstream) -> None:
    """As systemd-logind removes what a user has on memory at the end of the last login."""
    secret = tmp_path / "secret"
    secret.write_text("first")
    with (
        tempfile.TemporaryDirectory(dir="/dev/shm", prefix="mr-") as in_memory,
        mom_run(tmp_path, environ={"XDG_RUNTIME_DIR": in_memory}) as run,
    ):
        run.configure({"one": (f"http://127.0.0.1:{api.port}", {"X-Key": "${{ KEY }}"})})
        run.start("--credential", f"KEY=file:{secret}")
        (folder,) = Path(in_memory).glob("mom-secrets-*")
        shutil.rmtree(folder)
        for number, value in enumerate(("second", "third"), start=1):
            replace(secret, value)
            run.wait("Reloaded variables: KEY", number)
            assert run.client.send("/v1/apis/http/one/gone", token=run.token()).status == 200
            assert api.seen("/gone")[-1].get("x-key") == [value]
        assert len(run.children()) == 1
        assert run.end() == 0
        assert list(Path(in_memory).iterdir()) == []


def test_a_run_follows_every_source_and_leaves_nothing_on_a_disk(tmp_path: Path, api: Upstream) -> None:
    """After kill -9 too, whose folder on memory the next run removes."""
    first = {name: f"{name}-first-v4lue" for name in ("EXEC", "FILE", "DIR", "DOT")}
    places = {name: tmp_path / "sources" / name for name in first}
    places["DOT"] = tmp_path / "sources.env"
    (tmp_path / "sources").mkdir()

    def write(name: str, value: str) -> None:
        replace(places[name], f"DOT={value}\n" if name == "DOT" else f"{value}\n")

    for name, value in first.items():
        write(name, value)
    header = "${{ EXEC }}|${{ FILE }}|${{ DIR }}|${{ DOT }}|${{ ENV }}"
    options = [
        *("--credential", f"EXEC=exec,ttl=1s:cat {places['EXEC']}"),
        *("--credential", f"FILE=file:{places['FILE']}"),
        *("--credentials-dir", str(tmp_path / "sources"), "--env-file", str(places["DOT"])),
        *("-v", "--debug"),
    ]
    elsewhere = {name: str(tmp_path / "other") for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
    (tmp_path / "other").mkdir()
    environ = {"ENV": "environment", **elsewhere}
    with (
        tempfile.TemporaryDirectory(dir="/dev/shm", prefix="mr-") as in_memory,
        mom_run(tmp_path, environ={**environ, "XDG_RUNTIME_DIR": in_memory}) as run,
    ):
        shared = Path(in_memory)
        run.configure({"one": (f"http://127.0.0.1:{api.port}", {"X-All": header})})

        def received() -> str:
            assert run.client.send("/v1/apis/http/one/sources", token=run.token()).status == 200
            return api.seen("/sources")[-1].get("x-all")[0]

        run.start(*options)
        assert received() == "EXEC-first-v4lue|FILE-first-v4lue|DIR-first-v4lue|DOT-first-v4lue|environment"
        (folder,) = shared.glob("mom-secrets-*")
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in folder.iterdir() if path.is_file()} == {0o600}
        for name in first:
            write(name, f"{name}-second-v4lue")
            run.wait(f"Reloaded variables: {name}")
        assert received() == "EXEC-second-v4lue|FILE-second-v4lue|DIR-second-v4lue|DOT-second-v4lue|environment"
        assert len(run.children()) == 1
        assert "v4lue" not in run.text
        run.process.kill()
        run.status()
        remains = [path for path in tmp_path.rglob("*") if path.is_file() and path not in places.values()]
        # What would be on a disk, had this machine no memory for it.
        remains += [path for path in shared.glob("mom-atlas-*/**/*") if path.is_file()]
        assert remains
        for path in remains:
            assert b"v4lue" not in path.read_bytes(), path
        assert folder.is_dir()
        run.text = ""
        run.start(*options)
        assert not folder.exists()
        assert run.end() == 0
        assert list(shared.iterdir()) == []


def test_a_run_starts_without_a_value_if_it_is_to(tmp_path: Path, api: Upstream) -> None:
    base = f"http://127.0.0.1:{api.port}"
    with mom_run(tmp_path) as run:
        run.configure({"one": (base, {"X-Key": "${{ LATER }}"}), "two": (base, {})})
        (tmp_path / "later").mkdir()
        run.start("--keep-going", "--credentials-dir", "later", "--credential", "TYPO=exec:false")
        assert "one responds with 503: LATER " in run.text
        assert "--credential TYPO: no adapter names this variable" in run.text
        assert run.client.send("/v1/apis/http/one/x", token=run.token()).error == "API_CredentialUnavailableError"
        assert run.client.send("/v1/apis/http/two/x", token=run.token()).status == 200
        apis = run.client.send("/v1alpha1/apis", token=run.token()).json()["apis"]
        assert [api.get("credential", {}).get("state") for api in apis] == ["unavailable", None]
        replace(tmp_path / "later" / "LATER", "here\n")
        run.wait("Reloaded variables: LATER")
        assert run.client.send("/v1/apis/http/one/later", token=run.token()).status == 200
        assert api.seen("/later")[-1].get("x-key") == ["here"]
