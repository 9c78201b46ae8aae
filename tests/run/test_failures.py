"""What goes wrong outside of the files while it runs: reported in a line, and what was served before goes on."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.envoy.binary import ENVOY
from tests.envoy.certificates import Authority
from tests.envoy.client import SECONDS
from tests.envoy.upstream import Upstream
from tests.run.mom_run import WITHOUT_MEMORY, MomRun, is_running, mom_run, replace, wait_until

P = "/v1/apis/http"


@pytest.fixture
def run(tmp_path: Path, api: Upstream) -> Iterator[MomRun]:
    """Return a run that is not started yet: one adapter, `one`, and a variable from an env file."""
    (tmp_path / ".env").write_text("ONE=first\n")
    with mom_run(tmp_path) as made:
        made.configure({"one": (base(api), {"Authorization": "Bearer ${{ ONE }}"})})
        yield made


def base(api: Upstream) -> str:
    return f"http://127.0.0.1:{api.port}"


def sent(run: MomRun, api: Upstream, path: str) -> str:
    """Send a request and return the Authorization that the API got."""
    assert run.client.send(f"{P}/one{path}", token=run.token()).status == 200
    (value,) = api.seen(path)[-1].get("authorization")
    return value


def wrapper(run: MomRun, script: str) -> str:
    """Return a program that runs `script` of a shell, then Envoy."""
    path = run.folder / "envoy-wrapper"
    path.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exec {ENVOY} --version\n{script}\nexec {ENVOY} "$@"\n')
    path.chmod(0o755)
    return str(path)


# A test that Envoy does not respond need not wait for it that long.
IMPATIENT = "from mom.run.admin import Admin, _wait\nAdmin.__init__.__defaults__ = (_wait, 1.0)"

FAILS = 'case "$*" in *"--restart-epoch 0"*|*validate*) ;; *) [ -e fail ] && { echo boom >&2; exit 3; } ;; esac'


def test_a_restart_that_failed_once_does_not_end_the_run_and_is_tried_again(run: MomRun, api: Upstream) -> None:
    run.start("--env-file", ".env", "--envoy", wrapper(run, FAILS), prelude=WITHOUT_MEMORY)
    (run.folder / "fail").touch()
    replace(run.folder / ".env", "ONE=second\n")
    text = run.wait("Still serving the previous configuration")
    assert "Envoy exited unexpectedly (status 3): boom" in text
    assert sent(run, api, "/failed") == "Bearer first"
    (run.folder / "fail").unlink()
    run.wait("Reloaded variables: ONE")
    assert sent(run, api, "/by-itself") == "Bearer second"
    replace(run.folder / ".env", "ONE=third\n")
    run.wait("Reloaded variables: ONE", count=2)
    assert sent(run, api, "/once-more") == "Bearer third"
    assert run.text.count("Still serving") == 1
    (directory,) = run.runtime.iterdir()
    folders = [path for path in directory.iterdir() if path.is_dir() and path.name != "secrets"]
    assert len(folders) <= 3, "folders of attempts that failed are removed"


# Starts Envoy, and kills it as soon as it has marked the shared memory. The mark is there for 40 ms of the processor,
# so that a look must not need another process.
KILLS_AT_THE_MARK = """
import os, subprocess, sys
memory = os.open(f"/dev/shm/envoy_shared_memory_{sys.argv[sys.argv.index('--base-id') + 1]}0", os.O_RDONLY)
envoy = subprocess.Popen(sys.argv[1:])
while os.pread(memory, 1, 96) != bytes([1]):
    if envoy.poll() is not None:
        sys.exit(5)
envoy.kill()
sys.exit(4)
"""


def test_a_successor_that_ends_in_the_middle_of_its_start_is_not_in_the_way_of_the_next(
    run: MomRun, api: Upstream
) -> None:
    """Envoy marks the shared memory while it starts; under the mark no other successor would start."""
    killer = run.folder / "killer.py"
    killer.write_text(KILLS_AT_THE_MARK)
    script = FAILS.replace("echo boom >&2; exit 3;", f'exec {sys.executable} {killer} {ENVOY} "$@";')
    run.start("--env-file", ".env", "--envoy", wrapper(run, script), prelude=WITHOUT_MEMORY)
    (run.folder / "fail").touch()
    replace(run.folder / ".env", "ONE=second\n")
    assert "(status 4)" in run.wait("Still serving the previous configuration")
    assert sent(run, api, "/still") == "Bearer first"
    (run.folder / "fail").unlink()
    run.wait("Reloaded variables: ONE")
    assert sent(run, api, "/then") == "Bearer second"


def test_an_envoy_that_does_not_answer_for_a_while(run: MomRun, api: Upstream) -> None:
    run.start("--env-file", ".env", prelude=IMPATIENT)
    (envoy,) = run.children()
    os.kill(envoy, signal.SIGSTOP)
    try:
        run.configure({"one": (base(api), {}), "two": (base(api), {})})
        assert "Envoy's admin interface does not respond" in run.wait("Still serving the previous configuration")
    finally:
        os.kill(envoy, signal.SIGCONT)
    run.wait("Reloaded + two, ~ one")
    assert run.client.send(f"{P}/two/x", token=run.token()).status == 200


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.proof)])
def test_a_signal_ends_a_run_whose_envoy_does_not_answer(run: MomRun, number: signal.Signals) -> None:
    run.start("--env-file", ".env", prelude=IMPATIENT)
    (envoy,) = run.children()
    os.kill(envoy, signal.SIGSTOP)
    run.process.send_signal(number)
    run.process.send_signal(signal.SIGINT)
    assert run.status() == 0
    wait_until(lambda: not is_running(envoy), "Envoy ends with mom")


def test_a_certificate_that_is_replaced_between_two_reads(run: MomRun, authority: Authority) -> None:
    files = authority.issue("localhost").write(run.folder)
    # The key goes away right before OpenSSL opens it.
    prelude = (
        "import os, ssl\n"
        "load = ssl.SSLContext.load_cert_chain\n"
        "def unlucky(self, chain, key, password):\n"
        "    if os.path.exists('now'): os.rename(key, 'gone')\n"
        "    load(self, chain, key, password)\n"
        "ssl.SSLContext.load_cert_chain = unlucky\n"
    )
    run.start("--env-file", ".env", "--tls-cert", files.chain.name, "--tls-key", files.key.name, prelude=prelude)
    (run.folder / "now").touch()
    renewed = authority.issue("localhost").write(run.folder, "new")
    renewed.chain.replace(files.chain)
    assert "cannot use --tls-cert" in run.wait("Still serving the previous configuration")
    (run.folder / "now").unlink()
    renewed.key.replace(files.key)
    run.wait("Reloaded certificate")


@pytest.mark.parametrize(
    "name", ["atlas.yml", "home", *(pytest.param(each, marks=pytest.mark.proof) for each in (".env", "chain.pem"))]
)
def test_a_file_that_becomes_a_pipe_is_refused_and_signals_work(run: MomRun, authority: Authority, name: str) -> None:
    files = authority.issue("localhost").write(run.folder)
    files.chain.rename(run.folder / "chain.pem")
    run.start("--env-file", ".env", "--tls-cert", "chain.pem", "--tls-key", files.key.name)
    path = run.folder / name if name != "home" else next((run.folder / "home").rglob("keys.json"))
    os.mkfifo(run.folder / "pipe", 0o600)
    path.rename(run.folder / "kept")
    (run.folder / "pipe").rename(path)
    assert "not a regular file" in run.wait("Still serving the previous configuration")
    (run.folder / "kept").replace(path)
    run.wait("Configuration is valid again")
    os.mkfifo(run.folder / "pipe", 0o600)
    (run.folder / "pipe").replace(path)
    run.wait("Still serving the previous configuration", count=2)
    assert run.end() == 0


def test_a_removed_run_directory(run: MomRun, api: Upstream) -> None:
    run.start("--env-file", ".env")
    (directory,) = run.runtime.iterdir()
    shutil.rmtree(directory)
    run.wait("was removed: the next change will cut")
    assert sent(run, api, "/swept") == "Bearer first"
    run.configure({"one": (base(api), {"Authorization": "Bearer ${{ ONE }}"}), "two": (base(api), {})})
    run.wait("Reloaded + two")
    assert sent(run, api, "/again") == "Bearer first"
    replace(run.folder / ".env", "ONE=second\n")
    run.wait("Reloaded variables: ONE")
    assert sent(run, api, "/taken-over") == "Bearer second"
    assert run.text.count("was removed") == 1
    assert run.end() == 0
    assert list(run.runtime.iterdir()) == []


def test_an_unexpected_failure_is_one_line(run: MomRun, api: Upstream) -> None:
    prelude = (
        "import os, mom.run.plan as plan\n"
        "make = plan.make\n"
        "def broken(*arguments, **options):\n"
        "    if os.path.exists('now'): raise ZeroDivisionError('with a s3cret')\n"
        "    return make(*arguments, **options)\n"
        "plan.make = broken\n"
    )
    run.start("--env-file", ".env", prelude=prelude)
    (run.folder / "now").touch()
    run.configure({"one": (base(api), {}), "two": (base(api), {})})
    text = run.wait("Still serving the previous configuration")
    assert "unexpected ZeroDivisionError while applying a change" in text
    assert "Traceback" not in text
    assert "s3cret" not in text
    assert sent(run, api, "/net") == "Bearer first"
    (run.folder / "now").unlink()
    run.wait("Reloaded + two, ~ one")


@pytest.mark.proof
def test_with_debug_such_a_failure_shows_where_it_was(run: MomRun, api: Upstream) -> None:
    prelude = (
        "import os, mom.run.plan as plan\n"
        "make = plan.make\n"
        "def broken(*arguments, **options):\n"
        "    if os.path.exists('now'): raise ZeroDivisionError('Bearer first')\n"
        "    return make(*arguments, **options)\n"
        "plan.make = broken\n"
    )
    run.start("--env-file", ".env", "--debug", prelude=prelude)
    (run.folder / "now").touch()
    run.configure({"one": (base(api), {})})
    text = run.wait("Still serving the previous configuration")
    assert "Traceback (most recent call last)" in text
    assert "ZeroDivisionError: *** ***" in text


SLEEPS = 'case "$*" in *validate*) [ -e slow ] && { touch validating; sleep 60; } ;; esac'


# That each of them ends a run in order, a test of `test_run` says.
@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, *(pytest.param(each, marks=pytest.mark.proof) for each in (signal.SIGINT, signal.SIGHUP))],
)
def test_a_signal_while_envoy_checks_a_change(run: MomRun, api: Upstream, number: signal.Signals) -> None:
    run.start("--env-file", ".env", "--envoy", wrapper(run, SLEEPS))
    (run.folder / "slow").touch()
    run.configure({"one": (base(api), {})})
    wait_until((run.folder / "validating").exists, "Envoy is asked")
    children = run.children()
    assert run.end(number) == 0
    assert "rejected" not in run.text
    assert "error" not in run.text
    wait_until(lambda: not any(is_running(pid) for pid in children), "they end with mom")


STARTS_SLOWLY = 'case "$*" in *validate*) ;; *) [ -e slow ] && { touch starting; exec sleep 60; } ;; esac'


def test_a_signal_while_envoy_starts_with_the_first_configuration(run: MomRun) -> None:
    (run.folder / "slow").touch()
    run.start("--env-file", ".env", "--envoy", wrapper(run, STARTS_SLOWLY), serving=False)
    wait_until((run.folder / "starting").exists, "Envoy is started")
    assert run.end() == 0
    assert "error" not in run.text
    assert list(run.runtime.iterdir()) == []


def test_a_first_configuration_that_envoy_rejects_is_an_error_at_once(run: MomRun) -> None:
    """Envoy itself would wait for other routes."""
    prelude = (
        "import mom.envoy.routes as routes\n"
        "made = routes.route_configuration\n"
        "def wrong(*arguments):\n"
        "    return made(*arguments) | {'request_headers_to_add': [{'header': {'key': 'x', 'value': '%BOGUS%'}}]}\n"
        "routes.route_configuration = wrong\n"
    )
    run.start("--env-file", ".env", prelude=prelude, serving=False)
    assert run.status() == 1
    assert "Envoy rejected the configuration" in run.text
    assert list(run.runtime.iterdir()) == []


def test_an_env_file_from_a_process_substitution_is_read_once(run: MomRun, api: Upstream) -> None:
    read_end, write_end = os.pipe()
    os.write(write_end, b"ONE=of-a-pipe\n")
    os.close(write_end)
    try:
        run.start("--env-file", f"/dev/fd/{read_end}", pass_fds=[read_end])
    finally:
        os.close(read_end)
    assert "changes are not followed" in run.text
    assert sent(run, api, "/pipe") == "Bearer of-a-pipe"
    run.configure({"one": (base(api), {"Authorization": "Bearer ${{ ONE }}"}), "two": (base(api), {})})
    run.wait("Reloaded + two")
    assert sent(run, api, "/pipe-again") == "Bearer of-a-pipe"


@pytest.mark.proof
def test_an_env_file_that_is_a_named_pipe_is_read_once(run: MomRun, api: Upstream) -> None:
    pipe = run.folder / "pipe"
    os.mkfifo(pipe, 0o600)
    writer = threading.Thread(target=lambda: pipe.write_text("ONE=named\n"), daemon=True)
    writer.start()
    run.start("--env-file", "pipe")
    writer.join(SECONDS)
    assert sent(run, api, "/named") == "Bearer named"
    run.configure({"one": (base(api), {"Authorization": "Bearer ${{ ONE }}"}), "two": (base(api), {})})
    run.wait("Reloaded + two")


def test_ctrl_c_while_an_env_file_is_waited_for(run: MomRun) -> None:
    os.mkfifo(run.folder / "pipe", 0o600)
    run.start("--env-file", "pipe", serving=False)
    run.wait("changes are not followed")
    run.end()
    assert "Traceback" not in run.text


def test_an_envoy_that_ends_during_a_change_ends_the_run_with_one_error(run: MomRun, api: Upstream) -> None:
    run.start("--env-file", ".env", prelude=IMPATIENT)
    (envoy,) = run.children()
    os.kill(envoy, signal.SIGSTOP)
    run.configure({"one": (base(api), {})})
    time.sleep(1)
    os.kill(envoy, signal.SIGKILL)
    assert run.status() == 1
    assert run.text.count("Envoy exited unexpectedly (SIGKILL)") == 1


def test_other_signals_do_not_end_it(run: MomRun, api: Upstream) -> None:
    run.start("--env-file", ".env")
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        run.process.send_signal(number)
    run.configure({"one": (base(api), {}), "two": (base(api), {})})
    run.wait("Reloaded + two")
    with contextlib.suppress(OSError):
        assert run.end(signal.SIGQUIT) == 0
    assert list(run.runtime.iterdir()) == []


def lines(path: Path) -> int:
    return path.read_text().count("\n") if path.exists() else 0


@pytest.mark.parametrize(
    "rotated", [pytest.param("by a rename", marks=pytest.mark.proof), "after a change of variables"]
)
def test_a_rotated_access_log_is_opened_anew_and_private(run: MomRun, api: Upstream, rotated: str) -> None:
    log = run.folder / "access.jsonl"
    # A process with a umask that lets all users read.
    run.start("--env-file", ".env", "--access-log", log.name, prelude="import os; os.umask(0)")
    sent(run, api, "/before")
    wait_until(lambda: lines(log) == 1, "a line")
    if rotated == "after a change of variables":
        replace(run.folder / ".env", "ONE=second\n")
        run.wait("Reloaded variables: ONE")
    log.rename(run.folder / "access.jsonl.1")
    run.process.send_signal(signal.SIGUSR1)
    wait_until(log.exists, "a new file")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    wait_until(lambda: sent(run, api, "/after") and lines(log) > 0, "the new file is used")
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert run.end() == 0


def test_an_access_log_that_cannot_be_opened_anew_is_reported(run: MomRun, api: Upstream) -> None:
    folder = run.folder / "logs"
    folder.mkdir()
    run.start("--env-file", ".env", "--access-log", "logs/access.jsonl")
    shutil.rmtree(folder)
    run.process.send_signal(signal.SIGUSR1)
    run.wait(f"there is no folder {folder}")
    assert sent(run, api, "/goes-on") == "Bearer first"
    assert run.end() == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_disk_that_is_too_full_for_the_access_log_is_reported_once(run: MomRun, api: Upstream) -> None:
    run.start("--env-file", ".env", "--access-log", "/dev/full")
    sent(run, api, "/lost")
    run.wait("access log lines are lost: cannot write /dev/full")
    sent(run, api, "/lost-too")
    assert run.end() == 0
    assert run.text.count("lines are lost") == 1


def test_an_access_log_that_is_a_pipe_without_a_reader(run: MomRun) -> None:
    os.mkfifo(run.folder / "pipe", 0o600)
    run.start("--env-file", ".env", "--access-log", "pipe", serving=False)
    assert run.status() == 1
    assert "nothing reads this pipe" in run.text


def test_under_nohup_the_end_of_the_terminal_does_not_end_it(run: MomRun, api: Upstream) -> None:
    run.start("--env-file", ".env", prelude="import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)")
    run.process.send_signal(signal.SIGHUP)
    run.configure({"one": (base(api), {}), "two": (base(api), {})})
    run.wait("Reloaded + two")
    assert run.end() == 0


def test_a_key_file_that_becomes_a_pipe_does_not_hang(run: MomRun, api: Upstream) -> None:
    run.start("--env-file", ".env")
    (run.folder / "keys.json").unlink()
    os.mkfifo(run.folder / "keys.json", 0o600)
    wait_until(lambda: run.client.send(f"{P}/one/x", token=run.token()).status in {401, 503}, "no key, no client")
    run.configure({"one": (base(api), {}), "two": (base(api), {})})
    run.wait("+ two")
    assert run.end() == 0
