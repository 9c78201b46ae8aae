"""mom as a zip application (PEP 441): its own code in one archive, what it needs installed beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipapp
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from tests.samples import EMPTY

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zip")
    copytree(ROOT / "mom", folder / "app" / "mom", ignore=ignore_patterns("__pycache__"))
    copytree(ROOT / "schemas", folder / "app" / "mom" / "schemas")
    # What `zipapp --main` writes drops the exit status.
    (folder / "app" / "__main__.py").write_text("import sys\n\nfrom mom.cli import main\n\nsys.exit(main())\n")
    zipapp.create_archive(folder / "app", folder / "mom.pyz")
    return folder / "mom.pyz"


def run(archive: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # -I keeps the working copy out of the module path; a .pth file of an editable install comes after the archive.
    return subprocess.run(
        [sys.executable, str(archive), *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_every_command_works_from_an_archive(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "atlas.yml").write_text(EMPTY)
    for arguments in (
        ["--version"],
        ["atlas", "config", "schema", "HTTP"],
        ["atlas", "config", "validate", "atlas.yml"],
        ["atlas", "config", "add-http-adapter", "-f", "atlas.yml", "--adapter-name", "a", "--base-url", "https://a.b"],
        ["atlas", "config", "add", "github", "-f", "atlas.yml"],
        ["atlas", "config", "integrations", "openai"],
        ["--show-completion", "fish"],
        ["curl", "--help"],
    ):
        done = run(archive, tmp_path, *arguments)
        assert done.returncode == 0, (arguments, done.stderr)
        assert "bug in mom" not in done.stderr


def test_the_modules_do_come_from_the_archive(archive: Path, tmp_path: Path) -> None:
    program = "import sys; sys.path.insert(0, sys.argv[1]); import mom; print(mom.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", program, str(archive)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith(str(archive))


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--version"], 0),
        (["curl", "--help"], 0),
        (["curl", "/v1/x"], 125),
        (["atlas", "config", "validate", "atlas.yml"], 1),
        (["auth", "token"], 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_without_what_it_needs_it_says_so(archive: Path, tmp_path: Path, arguments: list[str], status: int) -> None:
    """As where the packages are in the archive, too: compiled ones cannot be imported from there."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(archive), *arguments],
        cwd=tmp_path,
        env={"MOM_HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status
    if status:
        first, second = done.stderr.splitlines()
        assert first.startswith("error: cannot import a required package: No module named '")
        assert second.startswith("hint: a zip archive cannot contain compiled packages")


def test_without_what_it_needs_a_working_copy_says_so(tmp_path: Path) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); from mom.cli import main; sys.exit(main(['auth', 'jwks']))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.endswith("hint: reinstall mom in a virtual environment of its own\n")
