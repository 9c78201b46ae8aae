"""`make bench`, first part: start-up, and the edit beside other libraries that can make it.

Prints Markdown. Figures are medians of whole processes run in turn; compare them with one another, not with those of
another machine.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from measure import Contender, Figure, measure

BIN = Path(sys.executable).parent
PYTHON = sys.executable
MOM = str(BIN / "mom")
PEERS = str(Path(__file__).with_name("peers.py"))
ADD = [
    *("--adapter-name", "openai", "--base-url", "https://api.openai.com"),
    *("-H", "Authorization: Bearer ${{ OPENAI_API_TOKEN }}"),
]


def configuration(adapters: int) -> str:
    """Return a configuration of that many HTTP adapters: about 310 bytes each."""
    head = (
        "apiVersion: moment.dev/atlas/v1alpha1\nkind: Atlas\nmetadata:\n  name: atlas\nspec:\n  owner: example.com\n"
        "  identityProviders:\n    auth0:\n      audience: https://api.example.com\n      issuer: https://example.com/\n"
        "      publicKey: https://example.com/.well-known/jwks.json\n  apiAdapters:\n"
    )
    items = "".join(
        "  - adapterRef:\n      apiVersion: moment.dev/adapters/v1alpha1\n      kind: HTTP\n"
        f"      name: adapter-{number:05}\n"
        for number in range(adapters)
    )
    documents = "".join(
        f"---\napiVersion: moment.dev/adapters/v1alpha1\nkind: HTTP\nmetadata:\n  name: adapter-{number:05}\nspec:\n"
        f"  baseUrl: https://api-{number}.example.com\n  headers:\n  - name: Authorization\n"
        f"    value: Bearer ${{{{ TOKEN_{number} }}}}\n"
        for number in range(adapters)
    )
    return head + items + documents


def editing(folder: Path, adapters: int, rounds: int, slow_rounds: int) -> dict[str, Figure]:
    """Time the edit on a file of that many adapters, by mom and by its peers."""
    source = folder / f"{adapters}.yml"
    source.write_text(configuration(adapters))
    work, out = folder / "work.yml", folder / "out.yml"
    contenders = [
        Contender(
            "mom add",
            [MOM, "atlas", "config", "add-http-adapter", "-f", str(work), *ADD],
            lambda: shutil.copy(source, work),
        ),
        Contender("mom validate", [MOM, "atlas", "config", "validate", str(source)], runs=max(slow_rounds, 3)),
        *(
            Contender(
                name, [PYTHON, PEERS, name, str(source), str(out)], runs=rounds if name == "yaml-edit" else slow_rounds
            )
            for name in ("yaml-edit", "PyYAML", "ruamel.yaml")
        ),
    ]
    return measure(contenders, rounds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11, help="counted runs of each command")
    parser.add_argument(
        "--slow-rounds", type=int, default=1, help="counted runs of PyYAML and ruamel.yaml on large files"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        guide, work = folder / "guide.yml", folder / "atlas.yml"
        guide.write_text(configuration(2))
        start = measure(
            [
                Contender("python -c pass", [PYTHON, "-c", "pass"]),
                Contender("mom --version", [MOM, "--version"]),
                Contender("imports", [PYTHON, "-c", "import typer, ruamel.yaml, jsonschema, rich.console"]),
                Contender(
                    "mom add",
                    [MOM, "atlas", "config", "add-http-adapter", "-f", str(work), *ADD],
                    lambda: shutil.copy(guide, work),
                ),
            ],
            options.rounds,
        )
        tables = {count: editing(folder, count, options.rounds, options.slow_rounds) for count in (1_000, 10_000)}
    print("\n### Start-up\n\n| command | median | ratio |\n|---|---:|---:|")
    bare, imports = start["python -c pass"].seconds, start["imports"].seconds
    print(f"| `python -c pass` | {bare * 1000:.0f} ms | 1.0 |")
    version = start["mom --version"].seconds
    print(f"| `mom --version` | {version * 1000:.0f} ms | {version / bare:.1f} of `python -c pass` |")
    print(f"| `python -c 'import typer, ruamel.yaml, jsonschema, rich.console'` | {imports * 1000:.0f} ms | 1.0 |")
    add = start["mom add"].seconds
    print(f"| `add-http-adapter` on a small file | {add * 1000:.0f} ms | {add / imports:.2f} of those imports |")
    print("\n### One adapter more, whole process\n")
    print("| | 1,000 adapters | 10,000 adapters | memory at 10,000 | growth |\n|---|---:|---:|---:|---:|")
    for name in tables[10_000]:
        small, large = tables[1_000][name], tables[10_000][name]
        growth = (
            (large.seconds - add) / max(small.seconds - add, 1e-9)
            if name.startswith("mom")
            else large.seconds / small.seconds
        )
        print(f"| {name} | {small.seconds:.2f} s | {large.seconds:.2f} s | {large.megabytes:.0f} MB | {growth:.1f} |")
    print("\nGrowth is the time for 10,000 over that for 1,000; for mom, the time of an edit of a small file")
    print("(start-up) is taken off both.")


if __name__ == "__main__":
    main()
