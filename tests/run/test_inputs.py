"""What a run reads before anything is started: variables, keys, addresses, and what has changed since."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from mom.atlas.load import load
from mom.atlas.model import Adapter, Configuration
from mom.envoy.options import Listen
from mom.errors import MomError, UsageError
from mom.run import directory, hot_restart, plan, plan_changes, port, trust, variables
from mom.run.credential_options import read_credentials
from mom.run.credentials import Credentials
from mom.run.plan import Inputs, Plan
from mom.run.process import Command, Guard, Process
from mom.run.redaction import redaction
from mom.run.watch import Watch
from mom.yamledit.source import Source
from tests.envoy.certificates import Authority
from tests.envoy.configurations import HERE, configuration, http
from tests.envoy.tokens import es256, jwks
from tests.run.mom_run import atlas_yml, is_running, replace, wait_until, with_aws


def values(given: Configuration, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a configuration as a run gets them from its environment."""
    found, secrets = Credentials(environ).values(given.adapters)
    assert secrets == frozenset()
    return found


def test_the_environment_of_envoy_is_what_the_configuration_names() -> None:
    given = configuration(http("api", "https://x.test", {"A": "${{ A }} ${{ B }}"}))
    environ = {"A": "1", "B": "2", "AB": "no", "PATH": "/bin", "HOME": "/h", "LD_PRELOAD": "no", "SSL_CERT_FILE": "c"}
    found = variables.environment(values(given, environ), environ)
    assert found == {"A": "1", "B": "2", "PATH": "/bin", "HOME": "/h", "SSL_CERT_FILE": "c"}


@pytest.mark.parametrize("value", ["", " ", "\t", "a\n", "a\r", "\n", "a\0b", "a\x7f", "\x1b[0m"])
def test_values_that_cannot_be_sent(value: str) -> None:
    given = configuration(http("api", "https://x.test", {"A": "${{ A }}"}))
    with pytest.raises(MomError) as caught:
        values(given, {"A": value})
    (problem,) = caught.value.problems
    assert problem.place == HERE
    assert "(header A of api)" in problem.message


@pytest.mark.parametrize("value", ["a", " a ", "a\tb", "naïve ✓", "50%REQ(:path)% %%x%", "${{ A }}"])
def test_values_that_can(value: str) -> None:
    given = configuration(http("api", "https://x.test", {"A": "${{ A }}"}))
    assert values(given, {"A": value}) == {"A": value}


@pytest.mark.parametrize(
    ("text", "listen"),
    [
        ("127.0.0.1:8082", Listen("127.0.0.1", 8082)),
        ("localhost:1", Listen("127.0.0.1", 1)),
        ("[::1]:8082", Listen("::1", 8082)),
        ("0.0.0.0:0", Listen("0.0.0.0", 0)),
        (":8083", Listen("127.0.0.1", 8083)),
        ("8083", Listen("127.0.0.1", 8083)),
    ],
)
def test_addresses(text: str, listen: Listen) -> None:
    assert port.parse_listen(text) == listen
    if text == str(listen) or listen.host != "127.0.0.1":
        assert str(listen) == text


BAD_ADDRESSES = ["", ":", "x", "::1:8082", "[127.0.0.1]:1", "x:1", "127.0.0.1:", "127.0.0.1:x"]
BAD_PORTS = ["127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:８"]


@pytest.mark.parametrize("text", BAD_ADDRESSES + BAD_PORTS)
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(UsageError):
        port.parse_listen(text)


def test_certificate_authorities_that_are_named_but_not_there() -> None:
    with pytest.raises(MomError, match="SSL_CERT_FILE"):
        trust.ca_file({"SSL_CERT_FILE": "/none"})


def make(tmp_path: Path, *adapters: Adapter, env: str = "", **options: Any) -> Plan:
    (tmp_path / ".env").write_text(env)
    local = options.pop("local_key", lambda: ("me", jwks(es256())))
    given = configuration(*adapters)
    credentials = read_credentials({}, env_file=str(tmp_path / ".env"))
    inputs = Inputs(load=lambda: given, file=tmp_path / "atlas.yml", environ={}, credentials=credentials,
                    local_key=local)  # fmt: skip
    return plan.make(dataclasses.replace(inputs, **options))


def test_changes_are_named_in_few_words(tmp_path: Path) -> None:
    key = jwks(es256())

    def local() -> tuple[str, dict[str, object]]:
        return "me", key

    one = http("one", "https://x.test", {"A": "${{ A }}"})
    old = make(tmp_path, one, http("gone", "https://x.test"), env="A=1", local_key=local)
    changed = http("one", "https://y.test", {"A": "${{ A }}"})
    new = make(tmp_path, changed, http("new", "https://x.test"), env="A=2", local_key=local, listen=Listen("::1", 1))
    assert plan_changes.changes(old, new) == (
        "+ new",
        "- gone",
        "~ one: base URL",
        "variables: A",
        "listening at http://[::1]:1",
    )
    assert plan_changes.changes(old, dataclasses.replace(old)) == ("order",)
    assert plan_changes.changes(old, make(tmp_path, one, http("gone", "https://x.test"), env="A=1")) == ("keys",)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"A": "1"}, {"A": "2"}, "header A"),
        ({"A": "1"}, {"A": "1", "B": "2"}, "header B"),
        ({"A": "1", "B": "2"}, {"A": "2"}, "headers"),
        ({"A": "1", "B": "2"}, {"B": "2", "A": "1"}, "headers"),
    ],
)
def test_what_changed_in_an_adapter(tmp_path: Path, old: dict[str, str], new: dict[str, str], expected: str) -> None:
    def local() -> tuple[str, dict[str, object]]:
        return "me", {"keys": []}

    one, other = (make(tmp_path, http("one", "https://x.test", headers), local_key=local) for headers in (old, new))
    assert plan_changes.changes(one, other) == (f"~ one: {expected}",)
    moved = make(tmp_path, http("one", "https://y.test", new), local_key=local)
    assert plan_changes.changes(one, moved) == (f"~ one: base URL and {expected}",)


def test_twenty_names_of_variables_are_enough(tmp_path: Path) -> None:
    headers = {f"H{number}": f"${{{{ V{number} }}}}" for number in range(25)}

    def of(value: str) -> Plan:
        env = "".join(f"V{number}={value}\n" for number in range(25))
        return make(tmp_path, http("one", "https://x.test", headers), env=env, local_key=lambda: ("me", {"keys": []}))

    (words,) = plan_changes.changes(of("a"), of("b"))
    assert words.endswith(", V19 and 5 more")


def test_a_literal_and_a_value_are_taken_out_of_a_text_in_every_spelling() -> None:
    given = configuration(http("api", "https://x.test", {"A": 'literal "quoted" ${{ A }}'}))
    hide = redaction(given, {"A": "päss\\word", "B": "päss\\word-and-more"})
    text = 'x literal "quoted" y literal \\"quoted\\" päss\\word-and-more p\\303\\244ss\\\\word "p\\u00e4ss\\\\word"'
    assert hide(text) == 'x *** y *** *** *** "***"'
    assert hide(f"token {es256().token()} end") == "token *** end"
    assert redaction(configuration(), {})("nothing to hide") == "nothing to hide"


def test_watching(tmp_path: Path) -> None:
    path = tmp_path / "file"
    link = tmp_path / "link"
    link.symlink_to(path)
    watch = Watch([link], clock=lambda: 0)

    def after(change: Callable[[], object]) -> list[bool]:
        change()
        return [watch.poll() for _ in range(3)]

    assert after(lambda: None) == [False, False, False]
    assert after(lambda: path.write_text("a")) == [False, True, False]
    assert after(lambda: path.write_text("longer")) == [False, True, False]
    replacement = tmp_path / "new"
    replacement.write_text("longer")
    os.utime(replacement, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    assert after(lambda: replacement.replace(path)) == [False, True, False]
    assert after(path.unlink) == [False, True, False]
    watch.add([tmp_path / "other", link])
    assert after(lambda: None) == [False, False, False]
    assert after(lambda: (tmp_path / "other").write_text("x")) == [False, True, False]


def test_a_file_that_is_being_written_is_left_alone_until_it_rests(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    watch = Watch([path])
    for size in range(1, 4):
        path.write_text("a" * size)
        assert not watch.poll()
    assert watch.poll()


def test_a_file_that_was_renamed_into_place_is_complete(tmp_path: Path) -> None:
    path, new = tmp_path / "file", tmp_path / "new"
    path.write_text("before")
    now = [0]
    watch = Watch([path], clock=lambda: now[0])

    def put(text: str, *, written: int) -> None:
        new.write_text(text)
        os.utime(new, ns=(0, written))
        new.replace(path)
        now[0] = path.stat().st_ctime_ns

    put("after", written=1)
    # Not at once: another file may belong to it.
    assert not watch.poll()
    now[0] += 10**8
    assert watch.poll()
    assert not watch.poll()
    # A file of which nothing was before, one that is written in place, and one that may still be.
    path.unlink()
    assert [watch.poll() for _ in range(2)] == [False, True]
    put("again", written=1)
    now[0] += 10**8
    assert [watch.poll() for _ in range(3)] == [False, True, False]
    path.write_text("in place")
    os.utime(path, ns=(0, 1))
    now[0] = path.stat().st_ctime_ns + 10**8
    assert [watch.poll() for _ in range(3)] == [False, True, False]
    put("half", written=2**62)
    now[0] += 10**8
    assert [watch.poll() for _ in range(3)] == [False, True, False]


def test_a_file_that_is_touched_all_the_time_hides_no_change_of_another(tmp_path: Path) -> None:
    one, busy = tmp_path / "one", tmp_path / "busy"
    one.touch()
    watch = Watch([one, busy])

    def look(number: int) -> bool:
        os.utime(busy, ns=(0, number))
        return watch.poll()

    busy.touch()
    one.write_text("changed")
    assert [look(number) for number in range(3)] == [False, True, False]


def test_a_file_that_never_rests_is_taken_as_it_is_after_a_while(tmp_path: Path) -> None:
    path = tmp_path / "file"
    watch = Watch([path])
    seen = []
    for size in range(40):
        path.write_text("a" * size)
        seen.append(watch.poll())
    assert 3 <= seen.count(True) <= 5
    assert not any(seen[:5])


def test_a_change_of_permissions_is_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be read may be readable now. Also within one tick of the file system's clock."""

    def in_one_tick(path: Path) -> SimpleNamespace:
        status = os.stat(path)  # noqa: PTH116 - Path.stat is replaced
        names = ("st_mtime_ns", "st_size", "st_ino", "st_mode")
        return SimpleNamespace(st_ctime_ns=0, **{name: getattr(status, name) for name in names})

    monkeypatch.setattr(Path, "stat", in_one_tick)
    path = tmp_path / "file"
    path.touch(0o600)
    watch = Watch([path])
    path.chmod(0o640)
    assert [watch.poll() for _ in range(3)] == [False, True, False]


def test_the_run_directory_is_private_and_goes_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    # Too long for a socket's path: another place is taken.
    far = tmp_path / ("far" * 30)
    far.mkdir()
    with directory.run_directory({"XDG_RUNTIME_DIR": str(far), "TMPDIR": "/tmp"}) as made:
        found = made.path
        assert found.parent == Path("/tmp")
        assert stat.S_IMODE(found.stat().st_mode) == 0o700
        directory.write(found / "x.json", "{}")
        assert stat.S_IMODE((found / "x.json").stat().st_mode) == 0o600
        assert [path.name for path in found.iterdir() if path.suffix == ".tmp"] == []
    assert not found.exists()


def test_a_run_needs_no_disk_that_it_may_write_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose file system is read-only: Python finds no folder for temporary files, and says so."""
    monkeypatch.setattr(tempfile, "_get_default_tempdir", no_temporary_folder)
    monkeypatch.setattr(tempfile, "tempdir", None)
    with directory.run_directory({"XDG_RUNTIME_DIR": "/dev/shm"}) as made:
        assert made.path.parent == Path("/dev/shm")


def no_temporary_folder() -> str:
    raise FileNotFoundError("No usable temporary directory found")


@pytest.mark.parametrize("name", ["XDG_RUNTIME_DIR", "TMPDIR"])
@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_a_directory_that_others_can_write_is_refused(name: str, mode: int) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="mr-") as parent:
        Path(parent).chmod(mode)
        with pytest.raises(MomError, match="other users can replace") as caught:
            directory.RunDirectory({name: parent}, None)
        assert f"chmod go-w '{parent}'" in str(caught.value.hint)
        Path(parent).chmod(0o1777)
        with directory.run_directory({name: parent}) as made:
            assert made.path.parent == Path(parent)


def test_the_base_id_cannot_be_foretold() -> None:
    if hot_restart.new_hot_restart() is None:
        pytest.skip("no POSIX shared memory here")
    assert len({hot_restart.new_hot_restart() for _ in range(20)}) == 20


def test_a_full_disk_is_reported_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MomError, match="cannot write"):
        directory.write(tmp_path / "none" / "x.json", "{}")

    def fail(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", fail)
    with pytest.raises(MomError, match="the disk is full"):
        directory.write_all({tmp_path / "x.json": b"{}", tmp_path / "y.json": b"{}"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a guard does this")
def test_a_process_dies_with_the_one_that_started_it() -> None:
    """Envoy asks for this itself once it is up, though only where hot restart is on."""
    script = (
        "import os\n"
        "from mom.run.process import Command, Process\n"
        "print(Process(Command(['/bin/sleep', '60'], {}))._child.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=False, timeout=120)
    assert done.returncode == -9
    wait_until(lambda: not is_running(int(done.stdout)), "the child ends")


def test_an_unread_log_does_not_block_its_process() -> None:
    script = "import sys; print(*['x' * 65535] * 40, 'end', sep='\\n', file=sys.stderr)"
    process = Process(Command([sys.executable, "-c", script], {}))
    wait_until(lambda: process.status() is not None, "it ends")
    read: list[str] = []
    process.read_log(read.append)
    assert read == ["x" * 65535] * 40 + ["end"]
    assert process.lines[-1] == "end"
    process.close()


def test_a_guard_ends_a_process_where_the_system_does_not() -> None:
    """What macOS needs; it works here, too."""
    process = Process(Command(["/bin/sleep", "60"], {}))
    guard = Guard(process._child.pid)
    os.close(guard._held)
    wait_until(lambda: process.status() is not None, "the process is ended")
    assert not is_running(process._child.pid)
    guard._held = os.open(os.devnull, os.O_RDONLY)
    guard.close()
    process.close()


def test_a_guard_leaves_a_process_alone_after_it_is_closed() -> None:
    process = Process(Command(["/bin/sleep", "60"], {}))
    Guard(process._child.pid).close()
    assert process.status() is None
    process.end()
    process.close()


def test_a_certificate_and_a_key_that_do_not_belong_together(tmp_path: Path, authority: Authority) -> None:
    one, two = (authority.issue("localhost").write(tmp_path, name) for name in ("one", "two"))
    assert make(tmp_path, tls=(one.chain, one.key)).options.tls is not None
    with pytest.raises(MomError, match="KEY_VALUES_MISMATCH"):
        make(tmp_path, tls=(one.chain, two.key))


def test_a_key_with_a_password_is_refused_without_asking_for_it(tmp_path: Path, authority: Authority) -> None:
    issued = authority.issue("localhost")
    files = issued.write(tmp_path)
    encryption = serialization.BestAvailableEncryption(b"secret")
    pem = serialization.PrivateFormat.PKCS8
    files.key.write_bytes(issued.key.private_bytes(serialization.Encoding.PEM, pem, encryption))
    with pytest.raises(MomError, match="cannot use --tls-cert"):
        make(tmp_path, tls=(files.chain, files.key))


def test_a_profile_without_each_value_has_no_credentials_at_all(tmp_path: Path) -> None:
    """Envoy would sign with what is there; without credentials the routes of the profile respond with 503."""
    profile = {"name": "prod", "accessKeyId": "${{ KEY_ID }}", "secretAccessKey": "${{ SECRET }}"}
    (tmp_path / "keys.json").write_text(json.dumps(jwks(es256())))
    file = tmp_path / "atlas.yml"
    text = with_aws(atlas_yml({"one": ("https://x.test", {"X-Key": "${{ SECRET }}"})}), profile)
    (tmp_path / ".env").write_text("KEY_ID=id\n")
    credentials = read_credentials({}, env_file=str(tmp_path / ".env"), keeps_going=True)
    credentials.on_memory = True
    inputs = Inputs(load=lambda: load(Source(str(file), text)), file=file, environ={}, credentials=credentials)
    partial = plan.make(inputs)
    assert [adapter.name for adapter in partial.configuration.adapters] == ["one", "aws"]
    assert partial.credential_files == {"aws.prod": ""}
    assert partial.environment == {}
    replace(tmp_path / ".env", "KEY_ID=id\nSECRET=here\n")
    wait_until(lambda: "SECRET" in credentials.look().changed, "it is read")
    whole = plan.make(inputs)
    assert whole.credential_files["aws.prod"].endswith("\naws_secret_access_key = here\n")
    assert whole.environment == {}
    credentials.on_memory = False
    without_memory = plan.make(inputs)
    assert without_memory.credential_files == {}
    assert without_memory.environment == {"SECRET": "here", "aws.prod": whole.credential_files["aws.prod"]}
