"""Shell completion, as the shells ask for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.golden import MOM
from tests.samples import atlas, http

ATLAS = atlas("openai") + http("openai")


def complete(words: str, count: int, folder: Path | None = None) -> list[str]:
    """Return what bash would be offered for the last of `words`."""
    environment = {**os.environ, "_MOM_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(count)}
    done = subprocess.run([MOM], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "count", "offered"),
    [
        pytest.param("mom a", 1, ["atlas", "auth"], id="groups"),
        pytest.param("mom atlas config add", 3, ["add-http-adapter"], id="commands"),
        pytest.param("mom atlas run --env", 3, ["--env-file"], id="options"),
        pytest.param("mom auth status --", 3, ["--format"], id="options by one name"),
        pytest.param("mom atlas apis list --", 4, ["--base-url", "--token-file", "--file"], id="options of a list"),
    ],
)
def test_the_shell_is_offered_what_can_follow(words: str, count: int, offered: list[str]) -> None:
    words_offered = complete(words, count)

    assert [word for word in offered if word not in words_offered] == []
    assert "--output" not in words_offered


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [MOM, *arguments], env={"PATH": os.environ["PATH"], **environ}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("shell", "place"),
    [
        ("bash", ".local/share/bash-completion/completions/mom"),
        ("zsh", ".zfunc/_mom"),
        ("fish", ".config/fish/completions/mom.fish"),
    ],
)
def test_completion_installs_itself_for_the_shell_that_is_named_and_changes_no_start_up_file(
    tmp_path: Path, shell: str, place: str
) -> None:
    done = run("--install-completion", shell, HOME=str(tmp_path))

    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()] == [place]
    assert (tmp_path / place).read_text() == run("--show-completion", shell).stdout
    assert "zstyle" not in (tmp_path / place).read_text()


@pytest.mark.parametrize("option", ["--install-completion", "--show-completion"])
def test_a_shell_without_a_script_is_an_error(tmp_path: Path, option: str) -> None:
    done = run(option, "tcsh", HOME=str(tmp_path))
    assert done.returncode == 2
    assert done.stderr == "error: no completion for 'tcsh'\nhint: supported shells: bash, zsh, fish\n"
    assert list(tmp_path.iterdir()) == []


def test_without_a_place_for_it_there_is_one_error_with_the_way_to_go(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for home in ("", "/dev/null", str(tmp_path / "file")):
        done = run("--install-completion", "bash", **({"HOME": home} if home else {}))
        assert done.returncode == 1
        assert done.stderr.endswith("mom --show-completion bash > FILE\n")
        assert "bug" not in done.stderr


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash runs the script")
def test_bash_completes_with_the_script() -> None:
    script = (
        f"PATH={Path(MOM).parent}:$PATH; source <(mom --show-completion bash); "
        "COMP_WORDS=(mom atlas config val); COMP_CWORD=3; _mom_completion mom; echo ${COMPREPLY[@]}"
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "validate\n"


def test_after_mom_curl_come_the_paths_of_the_adapters_and_options(tmp_path: Path) -> None:
    (tmp_path / "atlas.yml").write_text(ATLAS)
    assert complete("mom curl /v1", 2, tmp_path) == ["/v1/apis/http/openai/"]
    assert complete("mom curl -s -o x /v1/apis/http/op", 5, tmp_path) == ["/v1/apis/http/openai/"]
    assert "--mom-print" in complete("mom curl --mom", 2, tmp_path)
    assert complete("mom curl --fail-w", 2, tmp_path) == ["--fail-with-body"]
    (tmp_path / ".git").mkdir()
    (tmp_path / "below").mkdir()
    assert complete("mom curl /v1", 2, tmp_path / "below") == ["/v1/apis/http/openai/"]
    (tmp_path / "atlas.yml").write_text("broken: [")
    assert complete("mom curl /v1", 2, tmp_path) == []
