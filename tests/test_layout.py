"""Where things are: tests mirror mom/, samples are in one place, and CONTRIBUTING names files that exist."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

from tests import samples

ROOT = Path(__file__).parents[1]
MOM, TESTS = ROOT / "mom", ROOT / "tests"

# Folders of tests that are about no package of mom.
OTHER_FOLDERS = {
    "package": "what is published: the wheel, the zip application",
    "sdks": "SDKs of APIs and a browser, as their users have them, through a real Atlas",
}
# Tests that have the name of a module in another folder, and are not about that module.
OTHER_SUBJECTS = {
    "atlas/adapters/test_kinds.py": "every kind of mom/atlas/adapters/",
    "envoy/test_failures.py": "requests that fail, by a real Envoy",
    "envoy/test_refusals.py": "configurations that the translation refuses",
    "envoy/test_paths.py": "paths of requests, by a real Envoy",
    "envoy/test_streams.py": "bodies of requests and responses, by a real Envoy",
    "envoy/test_tokens.py": "access tokens, by a real Envoy",
    "run/test_secrets.py": "where a secret of a run is not",
    "run/test_oauth2.py": "OAuth2 client credentials in a run",
    "run/test_failures.py": "a run that something goes wrong for",
    "run/test_run.py": "the installed mom atlas run",
    "cli/test_beginning.py": "how each command says that a file is not there",
    "cli/test_streams.py": "standard streams that are closed, full or not UTF-8",
    "cli/test_validate.py": "the command of mom/cli/config_validate.py",
    "yamledit/test_readers.py": "the readers of tests, in tests/yamledit/readers.py",
    "atlas/test_slips.py": "which typing mistake a file is said to have, found by mom/yamledit/slips.py",
}
# The text of a sample outside tests/samples.py, where it is the subject.
OWN_SAMPLES = {"cli/test_the_guide.py": "the guide's file, byte for byte"}


@functools.cache
def _files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def _test_files() -> list[Path]:
    return [path for path in _files(TESTS) if path.name.startswith("test_")]


def test_every_folder_of_tests_is_one_of_mom() -> None:
    folders = {path.parent.relative_to(TESTS).as_posix() for path in _test_files()} - {".", *OTHER_FOLDERS}

    assert [folder for folder in sorted(folders) if not (MOM / folder / "__init__.py").is_file()] == []


def test_every_package_of_mom_has_tests_of_its_own() -> None:
    packages = {path.parent.name for path in MOM.glob("*/__init__.py")}

    assert [name for name in sorted(packages) if not list((TESTS / name).rglob("test_*.py"))] == []


def test_contributors_are_told_what_each_package_is_about() -> None:
    page = (MOM.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")

    assert [
        path.parent.name for path in MOM.glob("*/__init__.py") if f"| `mom/{path.parent.name}/` |" not in page
    ] == []


def test_a_test_with_the_name_of_a_module_is_in_the_folder_of_that_module() -> None:
    """A module that moves takes its test along; what another test is about, OTHER_SUBJECTS says."""
    modules: dict[str, set[str]] = {}
    for path in _files(MOM):
        modules.setdefault(path.stem, set()).add(path.parent.relative_to(MOM).as_posix())
    astray = []
    for path in _test_files():
        name, folder = path.stem.removeprefix("test_"), path.parent.relative_to(TESTS).as_posix()
        if name in modules and folder not in modules[name]:
            astray.append(path.relative_to(TESTS).as_posix())

    astray = [name for name in astray if name not in OTHER_SUBJECTS]
    assert not astray, "move it to the folder of its module, or say in OTHER_SUBJECTS what it is about"


def test_a_test_that_is_about_no_one_module_says_in_a_sentence_what_it_is_about() -> None:
    silent = [
        path.relative_to(TESTS).as_posix()
        for path in _test_files()
        if not re.search(r"[.:]$", (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n")[0])
    ]

    assert silent == []


def test_no_exception_is_about_a_file_that_is_gone() -> None:
    named = [*OTHER_SUBJECTS, *OWN_SAMPLES, *OTHER_FOLDERS]

    assert [name for name in named if not (TESTS / name).exists()] == []


def test_a_sample_atlas_is_written_out_in_one_place() -> None:
    written_out = set()
    for path in _files(TESTS):
        text = path.read_text().replace("\\n", "\n")
        if samples.EMPTY in text or re.search(re.escape(samples.atlas("NAME")).replace("NAME", r"\w+"), text):
            written_out.add(path.relative_to(TESTS).as_posix())

    copies = sorted(written_out - {*OWN_SAMPLES})
    assert not copies, "take one of tests/samples.py, or say in OWN_SAMPLES why its text is the subject"


def test_contributing_names_files_and_folders_that_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = {name for name in re.findall(r"`([\w.]+/[\w./-]*)`", text) if not name.startswith(".venv/")}
    # KIND, NAME and SITUATION are what the reader adds: their folder exists.
    folders = {re.sub(r"/[^/]*\b(test_)?(KIND|NAME|SITUATION)\b.*", "", name) for name in named}

    assert len(named) > 25
    assert [name for name in sorted(folders) if not (ROOT / name).exists()] == []


def test_contributing_has_a_recipe_for_each_thing_that_is_added_often() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    recipes = re.findall(r"^### (.*)$", text, flags=re.MULTILINE)

    assert recipes == [
        "A rule of `validate`",
        "A golden case",
        "A kind of adapter",
        "A field of Envoy's API",
        "A command",
        "An API of the catalog",
    ]
    for recipe in recipes:
        steps = text[text.index(f"### {recipe}") :].split("\n### ")[0].split("\n## ")[0]
        assert re.search(r"^1\. .*`", steps, flags=re.MULTILINE), recipe


# What Python, rich, typer or a library calls by its name, and what exists for callers of the package.
CALLED_FROM_OUTSIDE = {
    *("check_hostname", "daemon", "verify_mode", "makefile"),
    *("format_help", "list_commands", "resolver", "scan_anchor", "scan_plain_spaces", "scan_to_next_token"),
    # Members of enums, which are read by their values, and fields of JSON reports.
    *("ZSH", "key_variable"),
    # The function of mom.client.
    "auth",
}


def test_nothing_in_the_package_is_without_a_use() -> None:
    defined: dict[str, list[str]] = {}
    used: set[str] = set()
    for path in MOM.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            place = f"{path.relative_to(MOM)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                defined.setdefault(node.name, []).append(place)
            elif isinstance(node, ast.Name | ast.Attribute):
                name = node.id if isinstance(node, ast.Name) else node.attr
                if isinstance(node.ctx, ast.Load):
                    used.add(name)
                else:
                    defined.setdefault(name, []).append(place)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and ":" in node.value:
                # A command names its function as `module:function`.
                used.add(node.value.rpartition(":")[2])
    unused = {
        name: places
        for name, places in defined.items()
        if name not in used and not name.startswith("__") and name != "_"
    }
    assert {name: places for name, places in unused.items() if name not in CALLED_FROM_OUTSIDE} == {}
