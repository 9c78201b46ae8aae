"""Files of a run that others can read or change: each is warned of, and the command that is named mends it."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mom.run import exposure
from mom.run.credential_options import read_credentials
from mom.run.exposure import exposures
from mom.run.plan import Inputs
from tests.envoy.configurations import configuration
from tests.run.mom_run import mom_run

GIT = shutil.which("git")


@pytest.fixture(autouse=True)
def no_private_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the group may do counts, whatever the groups of the user who runs the tests."""
    monkeypatch.setattr(exposure, "_is_private_group", lambda _: False)


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    """Return the inputs of a run, all of them private."""
    folder = tmp_path / "it's here"
    folder.mkdir()
    for name in ("atlas.yml", ".env", "chain.pem", "key.pem"):
        (folder / name).touch(0o600)
    (folder / "auth").mkdir(0o700)
    return Inputs(
        load=configuration,
        file=folder / "atlas.yml",
        environ={},
        credentials=read_credentials({}, env_file=str(folder / ".env")),
        tls=(folder / "chain.pem", folder / "key.pem"),
        local_key_file=folder / "auth" / "keys.json",
    )


def mended(inputs: Inputs) -> str:
    """Return the one warning, after its command has been run and has mended it."""
    (warning,) = exposures(inputs)
    command = warning.partition("; run: ")[2]
    subprocess.run(["/bin/sh", "-ec", command], check=True, capture_output=True)
    assert list(exposures(inputs)) == []
    return warning


def test_private_files_are_nothing_to_speak_of(inputs: Inputs) -> None:
    inputs.file.chmod(0o644)
    (inputs.file.parent / "chain.pem").chmod(0o644)
    assert list(exposures(inputs)) == []


@pytest.mark.parametrize(
    ("name", "mode", "said"),
    [
        (".env", 0o640, "read or change the credentials in"),
        (".env", 0o604, "read or change the credentials in"),
        (".env", 0o602, "read or change the credentials in"),
        ("atlas.yml", 0o664, "decide where credentials are sent"),
        ("atlas.yml", 0o646, "decide where credentials are sent"),
        ("key.pem", 0o644, "read or change the private key"),
        ("chain.pem", 0o666, "can change"),
        ("auth", 0o755, "access the folder of your signing key"),
    ],
)
def test_what_others_can_do_with_a_file(inputs: Inputs, name: str, mode: int, said: str) -> None:
    (inputs.file.parent / name).chmod(mode)
    assert said in mended(inputs)


def test_a_folder_of_keys_that_is_a_link(inputs: Inputs) -> None:
    auth = inputs.file.parent / "auth"
    auth.rename(inputs.file.parent / "else where")
    auth.symlink_to(inputs.file.parent / "else where")
    assert "is a symbolic link" in mended(inputs)


def test_files_that_are_not_there_are_reported_by_others(tmp_path: Path) -> None:
    credentials = read_credentials({}, env_file=str(tmp_path / "no"))
    inputs = Inputs(load=configuration, file=tmp_path / "none", environ={}, credentials=credentials)
    assert list(exposures(inputs)) == []


@pytest.fixture
def repository(inputs: Inputs, monkeypatch: pytest.MonkeyPatch) -> Inputs:
    """Put the inputs into a git work tree."""
    if GIT is None:
        pytest.skip("no git here")
    # A busy machine takes seconds to start a program.
    monkeypatch.setattr(exposure, "_GIT_SECONDS", 60.0)
    subprocess.run([GIT, "init", "-q", str(inputs.file.parent)], check=True)
    return inputs


def test_an_env_file_that_git_does_not_ignore(repository: Inputs) -> None:
    assert "git does not ignore" in mended(repository)
    assert (repository.file.parent / ".gitignore").read_text() == ".env\n"


def test_an_env_file_that_git_tracks(repository: Inputs) -> None:
    assert GIT
    folder = repository.file.parent
    (folder / ".gitignore").write_text(".env\n")
    subprocess.run([GIT, "-C", str(folder), "add", "-f", ".env"], check=True)
    assert "is tracked by git: replace the credentials in it" in mended(repository)


def test_a_git_that_hangs_delays_no_start(repository: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    monkeypatch.setattr(exposure, "_GIT_SECONDS", 0.2)
    assert list(exposures(repository)) == []
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list(exposures(repository)) == []


def test_an_env_file_that_is_a_pipe_needs_no_warning(inputs: Inputs) -> None:
    pipe = inputs.file.parent / "pipe"
    os.mkfifo(pipe, 0o666)
    credentials = read_credentials({}, env_file=str(pipe))
    assert list(exposures(dataclasses.replace(inputs, credentials=credentials))) == []


def test_a_run_warns_when_it_starts(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ONE=s3cret\n")
    (tmp_path / ".env").chmod(0o604)
    with mom_run(tmp_path) as run:
        run.configure({"one": ("http://127.0.0.1:1", {"Authorization": "Bearer ${{ ONE }}"})})
        run.start("--env-file", ".env")
        warning = "warning: other users can read or change the credentials in .env; run: chmod 600 .env\n"
        assert warning in run.text.partition("Serving")[0]
