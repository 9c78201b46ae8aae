"""`mom atlas config integrations`: the catalog as a table, or one entry in full."""

from __future__ import annotations

import dataclasses
import os
import textwrap
from collections.abc import Iterable, Iterator
from typing import Annotated, Any

import typer

from mom.atlas.references import names
from mom.auth.base_url import resolve_gateway
from mom.catalog import loader, snippets
from mom.catalog.integration import Integration, OptionalHeader, Placeholder
from mom.cli.config_add import complete
from mom.cli.options import Format, FormatOption
from mom.cli.tables import print_table
from mom.console import Console
from mom.errors import ExitStatus


def integrations(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One API, in full.", autocompletion=complete)
    ] = None,
    *,
    form: FormatOption = Format.TEXT,
) -> int:
    """List the APIs that the catalog knows.

    With NAME: what to create and where, how it is added and tested, and calls to paste.

    Example:
      mom atlas config integrations openai
    """
    console = Console()
    if name is None:
        _list(console, form)
    elif form is Format.JSON:
        console.json(_whole(loader.get(name)))
    else:
        console.data("\n".join(_page(loader.get(name), console)) + "\n")
    return int(ExitStatus.DONE)


def _list(console: Console, form: Format) -> None:
    entries = loader.all_integrations()
    if form is Format.JSON:
        console.json([_brief(entry) for entry in entries])
        return
    rows = [(entry.name, entry.title, ", ".join(_needed(entry))) for entry in entries]
    print_table(console, ("name", "api", "variables"), rows)


def _needed(entry: Integration) -> list[str]:
    """Return the variables that the entry's credentials need, without those of optional headers."""
    required = {name for text in entry.required_texts for name in names(text)}
    return [each.name for each in entry.variables if each.name in required]


def _brief(entry: Integration) -> dict[str, Any]:
    return {
        "name": entry.name,
        "title": entry.title,
        "baseUrl": entry.base_url,
        "placeholders": [each.name for each in entry.placeholders],
        "variables": _needed(entry),
        "docs": entry.docs,
    }


def _whole(entry: Integration) -> dict[str, Any]:
    """Return all that is known of an entry, in the words of its file, with the commands and calls of its page."""
    call = snippets.smoke_call(entry, gateway=_gateway())
    data = {_camel(key): _plain(value) for key, value in dataclasses.asdict(entry).items()}
    commands = {"add": snippets.command_line(_add_words(entry)), "test": snippets.mom_curl(call)}
    calls = {"curl": snippets.curl(call), "python": snippets.python(call), "javascript": snippets.javascript(call)}
    return {**data, "commands": commands, "snippets": calls}


def _plain(value: Any) -> Any:
    """Return values of dataclasses as JSON has them: keys as in the file, and none without a value."""
    if isinstance(value, dict):
        return {_camel(key): _plain(each) for key, each in value.items() if each is not None and each != ()}
    return [_plain(each) for each in value] if isinstance(value, tuple | list) else value


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _add_words(entry: Integration) -> list[str]:
    """Return the command that adds the entry, with an example for each placeholder that has to be given."""
    words = ["mom", "atlas", "config", "add", entry.name]
    for placeholder in entry.placeholders:
        if placeholder.default is None:
            words += ["--set", f"{placeholder.name}={placeholder.example}"]
    return words


def _gateway() -> str:
    """Return the gateway that `mom curl` would send to. Raises UsageError where `MOM_BASE_URL` is not one."""
    return resolve_gateway(None, os.environ).base


def _page(entry: Integration, console: Console) -> Iterator[str]:
    """Yield the lines of an entry's page: prose fits 80 columns, what is pasted stays as it is."""
    call = snippets.smoke_call(entry, gateway=_gateway())
    sections: list[tuple[str, Iterable[str]]] = [
        ("Create", _credentials(entry)),
        ("Add", snippets.command_line(_add_words(entry)).split("\n")),
        ("Placeholders (--set)", _prose(map(_placeholder, entry.placeholders))),
        ("Optional headers (--with)", _prose(map(_optional, entry.optional_headers))),
        (
            "Test",
            [*snippets.mom_curl(call).split("\n"), *_prose([_expected(entry)])],
        ),
        ("Notes", _prose(entry.notes)),
        ("curl", snippets.curl(call).split("\n")),
        ("Python", snippets.python(call).split("\n")),
        ("JavaScript, in a canvas", snippets.javascript(call).split("\n")),
        *(
            (f"{library.package} ({library.language})", program.split("\n"))
            for library in entry.sdks
            if (program := snippets.sdk(library, call))
        ),
        ("Base URL of client libraries", _libraries(entry, call)),
    ]
    yield f"{entry.title}: {entry.base_url}"
    yield f"  {entry.docs}"
    for title, lines in sections:
        if shown := list(lines):
            yield ""
            yield console.bold(f"{title}:")
            yield from (f"  {line}" if line else "" for line in shown)


def _prose(sentences: Iterable[str]) -> Iterator[str]:
    for sentence in sentences:
        yield from textwrap.wrap(sentence, 76, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _credentials(entry: Integration) -> Iterator[str]:
    needed = _needed(entry)
    for variable in entry.variables:
        form = f" ({variable.form})" if variable.form else ""
        optional = "" if variable.name in needed else ", if wanted"
        yield from _prose([f"{variable.name}{optional}: {variable.what}{form}"])
        yield f"  {variable.obtain}"


def _optional(header: OptionalHeader) -> str:
    return f"{header.key}: {header.name}, {header.meaning}"


def _placeholder(placeholder: Placeholder) -> str:
    if placeholder.choices:
        return f"{placeholder.name}: {placeholder.meaning}: {', '.join(placeholder.choices)}"
    default = f"default: {placeholder.default}" if placeholder.default else f"such as {placeholder.example}"
    return f"{placeholder.name}: {placeholder.meaning}; {default}"


def _expected(entry: Integration) -> str:
    proof = entry.smoke.proof
    if proof is None:
        return f"A valid credential gets status {entry.smoke.status}."
    value = "a value" if proof.equals is None else str(proof.equals).lower()
    return f"A valid credential gets status {entry.smoke.status} and, in the body, {value} at {proof.at}."


def _libraries(entry: Integration, call: snippets.Call) -> Iterator[str]:
    """Yield how each client library is pointed at the gateway."""
    for library in entry.sdks:
        settings = " or ".join(filter(None, (library.base_url_variable, library.base_url_argument)))
        yield f"{library.package} ({library.language})"
        yield f"  {settings}: {snippets.base_url(library, call)}"
