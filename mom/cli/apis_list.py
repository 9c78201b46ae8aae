"""`mom atlas apis list`: the APIs that a gateway serves, or that a configuration names."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mom.atlas.adapters import kind_of
from mom.atlas.load import load
from mom.cli.configuration_file import ConfigurationFile, read_source
from mom.cli.gateway_list import GatewayOption, ask
from mom.cli.options import Format, FormatOption, QuietOption
from mom.cli.tables import print_table
from mom.cli.token_options import TokenFileOption
from mom.console import Console
from mom.envoy import adapters
from mom.errors import ExitStatus, UsageError
from mom.gateway import APIS_PATH

_COLUMNS = ("kind", "name", "base URL", "instance")
_CREDENTIAL = "credential"

ListedFile = Annotated[
    str | None,
    typer.Option("--file", "-f", metavar="FILE", help="List this configuration, and ask no gateway; - for stdin."),
]


def apis_list(
    *,
    base_url: GatewayOption = None,
    file: ListedFile = None,
    token_file: TokenFileOption = None,
    form: FormatOption = Format.TEXT,
    quiet: QuietOption = False,
) -> int:
    """List the APIs of a gateway, or of a configuration.

    Without -f it asks the gateway, with a signed request.

    Example: mom atlas apis list -u http://127.0.0.1:8082
    """
    console = Console(quiet=quiet)
    if file is None:
        gateway, apis = ask(APIS_PATH, base_url, token_file, instead=", or list a file: -f atlas.yml")
        of = {"gateway": gateway}
    elif base_url is not None or token_file is not None:
        hint = "pass either -f, or -u and --token-file"
        raise UsageError("-f lists a configuration, and no gateway is asked", hint=hint)
    else:
        apis = _configured(file)
        of = {"file": file}
    if form is Format.JSON:
        console.json({**of, "apis": apis})
    elif apis:
        _print(console, apis)
    else:
        console.status("Empty", f"{next(iter(of.values()))} serves no API")
    for api in apis:
        if api.get("path") is None:
            console.say(f"not served: {api['name']} ({api['kind']})")
    return int(ExitStatus.DONE)


def _configured(file: str) -> list[dict[str, Any]]:
    """Return the adapters of a configuration in the form of a gateway's list; `path` is None where none is served."""
    configuration = load(read_source(ConfigurationFile(file)))
    return [
        {
            "kind": adapter.kind,
            "name": adapter.name,
            "baseUrl": kind_of(adapter).target(adapter) or None,
            "path": f"{adapters.path(adapter)}/" if adapter.kind in adapters.KINDS else None,
            "instance": configuration.name,
        }
        for adapter in configuration.adapters
    ]


def _print(console: Console, apis: list[dict[str, Any]]) -> None:
    """Print the table; how the credential of each API is has a column where the gateway reports it."""
    states = [_state(api) for api in apis]
    keys = ("kind", "name", "baseUrl", "instance")
    rows = [[_text(api, key) for key in keys] for api in apis]
    if any(states):
        rows = [[*row, state or "-"] for row, state in zip(rows, states, strict=True)]
    print_table(console, (*_COLUMNS, *((_CREDENTIAL,) if any(states) else ())), rows)


def _state(api: dict[str, Any]) -> str:
    """Return the state of an API's credential in a word, empty where the gateway reports none."""
    credential = api.get(_CREDENTIAL)
    return _text(credential, "state") if isinstance(credential, dict) else ""


def _text(api: dict[str, Any], key: str) -> str:
    value = api.get(key)
    return value if isinstance(value, str) and value else "-"
