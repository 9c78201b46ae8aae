"""The options that say where the value of a variable comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from mom.errors import UsageError
from mom.run.credential_options import read_credential, read_credentials
from mom.run.credential_sources import CommandSource, FileSource


def command(text: str) -> CommandSource:
    source = read_credential(text, {})
    assert isinstance(source, CommandSource)
    return source


def test_words_are_split_as_a_shell_does() -> None:
    source = command("A=exec:op read 'op://vault/a b/c' --x=1,2 a:b \\$HOME")
    assert source.words == ("op", "read", "op://vault/a b/c", "--x=1,2", "a:b", "$HOME")
    assert (source.name, source.ttl, source.stale) == ("A", 300, 600)


@pytest.mark.parametrize(
    ("settings", "ttl", "stale"),
    [
        ("ttl=30s", 30, 600),
        ("ttl=30", 30, 600),
        ("ttl=1h", 3_600, 7_200),
        ("stale=2h", 300, 7_200),
        ("ttl=5m,stale=6m", 300, 360),
        ("stale=6m,ttl=1m", 60, 360),
    ],
)
def test_times(settings: str, ttl: float, stale: float) -> None:
    source = command(f"A=exec,{settings}:true")
    assert (source.ttl, source.stale) == (ttl, stale)


def test_a_file_may_have_any_name() -> None:
    source = read_credential("A=file:/run/a=b:c,d", {})
    assert isinstance(source, FileSource)
    assert source.path == Path("/run/a=b:c,d")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no variable is named"),
        ("A", "no variable is named"),
        ("A-B=file:x", "`A-B` is not a name of a variable"),
        ("LD_PRELOAD=file:x", "is a setting of the Atlas process itself"),
        ("A=", "neither a command nor a file"),
        ("A=s3cret", "neither a command nor a file"),
        ("A=vault:s3cret", "neither a command nor a file"),
        ("A=file:", "the name of the file is missing"),
        ("A=file,ttl=1s:x", "a file has no ttl"),
        ("A=exec:", "the command is missing"),
        ("A=exec:echo 'x", "the command has no closing quotation"),
        ("A=exec,ttl:x", "`ttl` is not a duration"),
        ("A=exec,ttl=0:x", "`ttl` is not a duration"),
        ("A=exec,ttl=1d:x", "`ttl` is not a duration"),
        ("A=exec,for=1s:x", "`for` is neither `ttl` nor `stale`"),
        ("A=exec,ttl=5m,stale=5m:x", "stale (300 s) must be longer than ttl (300 s)"),
    ],
)
def test_what_is_none_of_these_is_refused_and_not_repeated(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_credential(text, {})
    assert said in caught.value.message
    assert "s3cret" not in caught.value.message + (caught.value.hint or "")


def test_a_variable_has_one_source() -> None:
    with pytest.raises(UsageError, match="A is given twice"):
        read_credentials({}, ["A=file:x", "A=exec:y"])


def test_a_folder_is_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it is not a folder"):
        read_credentials({}, folder=str(tmp_path / "none"))
    assert read_credentials({"CREDENTIALS_DIRECTORY": str(tmp_path)}).folders == (("$CREDENTIALS_DIRECTORY", tmp_path),)
    # An option is about this run alone, and wins.
    (tmp_path / "own").mkdir()
    given = read_credentials({"CREDENTIALS_DIRECTORY": str(tmp_path)}, folder=str(tmp_path / "own"))
    assert given.folders == (("--credentials-dir", tmp_path / "own"),)
    # systemd's is not there outside the service.
    assert read_credentials({"CREDENTIALS_DIRECTORY": str(tmp_path / "none")}).folders == ()
