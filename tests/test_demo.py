"""`make demo` is the guide from start to finish: add, run on a real Envoy, call it through a real curl."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.pages import script

# What the stand-in insists on. The demo hands it to Atlas's environment, and prints it as such.
SECRET = b"demo-secret"
picture = script("picture")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "work"


@pytest.fixture(scope="module")
def colored(folder: Path) -> str:
    output, status = picture.demo(folder)
    assert status == 0, output
    assert "Traceback" not in output
    return str(output)


@pytest.fixture(scope="module")
def output(colored: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", colored)


def test_the_picture_in_the_readme_shows_what_the_demo_prints(
    request: pytest.FixtureRequest, colored: str, folder: Path
) -> None:
    expected = picture.svg(picture.steady(colored, folder), "make demo")
    if request.config.getoption("--update-golden"):
        picture.PICTURE.write_text(expected)

    # Two programs print at once: their lines come in either order.
    assert sorted(picture.shown(picture.PICTURE.read_text())) == sorted(picture.shown(expected))


def test_the_diff_of_the_guide_has_only_added_lines(output: str) -> None:
    diff = output[output.index("--- a/atlas.yml") : output.index("# 2.")]

    changed = [line for line in diff.split("\n")[2:] if line.startswith(("+", "-"))]

    assert len(changed) == 14
    assert all(line.startswith("+") for line in changed)


def test_the_api_gets_exactly_the_request_that_curl_made_and_the_credential(output: str) -> None:
    match = re.search(r"^\{\n.*?^\}$", output, re.MULTILINE | re.DOTALL)
    assert match is not None
    assert json.loads(match[0]) == {
        "data": [{"id": "gpt-demo"}],
        "path": "/v1/models",
        "authorized": True,
        "headers": ["accept", "authorization", "host", "user-agent"],
    }


def test_without_a_token_atlas_responds_itself(output: str) -> None:
    assert '"type":"API_MissingAccessTokenError"' in output


def test_the_credential_is_in_no_file_of_the_demo(output: str, folder: Path) -> None:
    assert output

    files = [path for path in folder.rglob("*") if path.is_file()]

    assert {path.name for path in files} >= {"atlas.yml", "keys.json"}
    assert [path for path in files if SECRET in path.read_bytes()] == []
