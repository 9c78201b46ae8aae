"""`mom atlas instances list`: the running instances of a gateway."""

from __future__ import annotations

from typing import Any

from mom.cli.gateway_list import GatewayOption, ask
from mom.cli.options import Format, FormatOption, QuietOption
from mom.cli.tables import print_table
from mom.cli.token_options import TokenFileOption
from mom.console import Console
from mom.errors import ExitStatus
from mom.gateway import INSTANCES_PATH

_COLUMNS = ("name", "owner", "APIs")


def instances_list(
    *,
    base_url: GatewayOption = None,
    token_file: TokenFileOption = None,
    form: FormatOption = Format.TEXT,
    quiet: QuietOption = False,
) -> int:
    """List the running instances of a gateway.

    With their owner, and how many APIs each serves.

    Example: mom atlas instances list
    """
    console = Console(quiet=quiet)
    gateway, instances = ask(INSTANCES_PATH, base_url, token_file)
    if form is Format.JSON:
        console.json({"gateway": gateway, "instances": instances})
    elif instances:
        print_table(console, _COLUMNS, [_row(instance) for instance in instances])
    else:
        console.status("Empty", f"{gateway} has no instances")
    return int(ExitStatus.DONE)


def _row(instance: dict[str, Any]) -> tuple[str, ...]:
    owner, apis = instance.get("owner"), instance.get("apis")
    return instance["name"], owner if isinstance(owner, str) else "-", str(apis) if isinstance(apis, int) else "-"
