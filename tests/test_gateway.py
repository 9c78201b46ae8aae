"""What client and gateway agree on."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from mom import gateway


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "api.localhost", "127.0.0.1", "127.255.255.255", "127.0.0.0", "::1", "0:0::1"]
)
def test_what_cannot_leave_this_machine(host: str) -> None:
    assert gateway.is_this_machine(host)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.256",  # a name to curl
        "127.999.1.1",
        "127.1",
        "127.0.0.01",
        "127.0.0.1.",
        "127.0.0.1.example.com",
        "127.0.0.١",
        "0127.0.0.1",
        "128.0.0.1",
        "localhost.example.com",
        "mylocalhost",
        "example.com",
        "10.0.0.1",
        "::2",
        "::1%lo",
        "::ffff:127.0.0.1",
        "",
    ],
)
def test_what_may_leave_this_machine(host: str) -> None:
    assert not gateway.is_this_machine(host)


def test_an_origin_is_written_without_its_default_port_and_with_brackets() -> None:
    assert gateway.origin("http", "::1", 8082) == "http://[::1]:8082"
    assert gateway.origin("https", "atlas.example", 443) == "https://atlas.example"
    assert gateway.origin("http", "atlas.example", 443) == "http://atlas.example:443"


def test_the_contract_imports_nothing_of_mom() -> None:
    tree = ast.parse(Path(gateway.__file__).read_text(encoding="utf-8"))
    names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert not [name for name in names if name.split(".")[0] == "mom"]


def test_no_other_module_repeats_the_contract() -> None:
    words = {**vars(gateway), **vars(gateway.ErrorTypes)}
    said = {value for name, value in words.items() if name.isupper() and isinstance(value, str)}
    folder = Path(gateway.__file__).parent
    again = [
        (str(path.relative_to(folder)), node.lineno, node.value)
        for path in folder.rglob("*.py")
        if path.name != "gateway.py" or path.parent != folder
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and (node.value in said or node.value == gateway.DEFAULT_PORT)
    ]
    assert again == []
