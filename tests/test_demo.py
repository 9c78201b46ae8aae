"""`make demo` is the guide from start to finish: add, run on a real Envoy, call it through a real curl."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parent.parent / "docs" / "demo" / "demo.py"
# What the stand-in insists on. The demo hands it to Atlas's environment, and prints it as such.
SECRET = b"demo-secret"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "work"


@pytest.fixture(scope="module")
def output(folder: Path) -> str:
    done = subprocess.run([sys.executable, str(DEMO), str(folder)], capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    return done.stdout.decode()


def test_the_diff_of_the_guide_holds_only_added_lines(output: str) -> None:
    diff = output[output.index("--- a/atlas.yml") : output.index("# 2.")]

    changed = [line for line in diff.split("\n")[2:] if line.startswith(("+", "-"))]

    assert len(changed) == 14
    assert all(line.startswith("+") for line in changed)


def test_the_api_gets_exactly_the_request_that_curl_made_and_the_credential(output: str) -> None:
    match = re.search(r"^\{\n.*?^\}$", output, re.MULTILINE | re.DOTALL)
    assert match is not None
    answer = json.loads(match[0])

    assert answer["data"] == [{"id": "gpt-demo"}]
    assert answer["received"] == {
        "path": "/v1/models",
        "authorized": True,
        "headers": ["accept", "authorization", "host", "user-agent"],
    }


def test_without_a_token_atlas_answers_itself(output: str) -> None:
    assert '"type":"API_MissingAccessTokenError"' in output


def test_the_credential_is_in_no_file_of_the_demo(output: str, folder: Path) -> None:
    assert output

    files = [path for path in folder.rglob("*") if path.is_file()]

    assert {path.name for path in files} >= {"atlas.yml", "keys.json"}
    assert [path for path in files if SECRET in path.read_bytes()] == []
