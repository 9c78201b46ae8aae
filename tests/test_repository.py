"""The files around the code: what nothing else runs here must at least be what it says."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
# Lines of a function, signature and docstring included.
LONGEST_FUNCTION = 60
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_only_read_and_runs_pinned_actions(path: Path) -> None:
    workflow = _load(path)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"] == {"contents": "read"}
        for step in job["steps"]:
            assert "uses" in step or "run" in step
            if "uses" in step:
                assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"])


def test_the_workflow_tests_every_python_that_the_package_names() -> None:
    matrix = _load(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["test"]["strategy"]["matrix"]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert set(re.findall(r'"Programming Language :: Python :: (3\.\d+)"', project)) == set(matrix["python"])


def test_every_make_target_that_a_file_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    for path in [*WORKFLOWS, ROOT / "README.md", ROOT / ".ci" / "run"]:
        named = set(
            re.findall(r"(?:`|run: |^ {4}|^)make ([a-z]+)\b", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        )
        assert named <= targets, path


def test_the_forms_of_issues_ask_for_something() -> None:
    for path in sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")):
        form = _load(path)
        assert form["name"]
        assert form["description"]
        assert all(part["type"] in {"textarea", "input"} and part["attributes"]["label"] for part in form["body"])


def test_no_function_of_mom_is_longer_than_a_screen() -> None:
    functions = [
        (path.relative_to(ROOT).as_posix(), node.name, (node.end_lineno or node.lineno) - node.lineno + 1)
        for path in sorted((ROOT / "mom").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert len(functions) > 800
    assert [function for function in functions if function[2] > LONGEST_FUNCTION] == []
