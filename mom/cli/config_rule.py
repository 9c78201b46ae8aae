"""`mom atlas config rule`: what a rule, or an error type of the gateway, means and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mom.cli.options import Format, FormatOption
from mom.console import Console
from mom.errors import ExitStatus, UsageError
from mom.problems import Severity

if TYPE_CHECKING:
    from mom.atlas.rules.catalogue import Rule
    from mom.atlas.rules.error_types import ErrorType


def _ids() -> list[str]:
    from mom.atlas.rules.catalogue import RULES
    from mom.atlas.rules.error_types import ERROR_TYPES

    return [*RULES, *ERROR_TYPES]


def rule(
    rule_id: Annotated[
        str | None,
        typer.Argument(
            metavar="[ID]",
            help="A rule (duplicate-key) or an error type of the gateway (API_NoMatchingInstanceError). Default: all.",
            show_default=False,
            autocompletion=_ids,
        ),
    ] = None,
    form: FormatOption = Format.TEXT,
) -> int:
    """Explain a rule or an error type, or list them all.

    The ids are those in brackets behind a message of mom, and in the header
    Atlas-Error of a response.

    Example: mom atlas config rule plain-http
    """
    from mom.atlas.rules.catalogue import RULES
    from mom.atlas.rules.error_types import ERROR_TYPES
    from mom.atlas.suggestions import closest

    console = Console()
    if rule_id is None:
        _list(console, form)
    elif (known := RULES.get(rule_id)) is not None:
        _show(console, form, _rule_json(known), _rule_text(known))
    elif (error_type := ERROR_TYPES.get(rule_id)) is not None:
        _show(console, form, _error_json(error_type), _error_text(error_type))
    else:
        meant = closest(rule_id, _ids())
        hint = f"did you mean `{meant}`?" if meant else "list all: mom atlas config rule"
        raise UsageError(f"there is no rule or error type `{rule_id}`", hint=hint)
    return int(ExitStatus.DONE)


def _show(console: Console, form: Format, report: Mapping[str, Any], text: str) -> None:
    if form is Format.JSON:
        console.json(report)
    else:
        console.data(text)


def _list(console: Console, form: Format) -> None:
    from mom.atlas.rules.catalogue import GROUPS, RULES
    from mom.atlas.rules.error_types import ERROR_TYPES

    if form is Format.JSON:
        rules = [_rule_json(known) for known in RULES.values()]
        console.json({"rules": rules, "errorTypes": [_error_json(known) for known in ERROR_TYPES.values()]})
        return
    width = max(map(len, RULES))
    for title, group in GROUPS.items():
        lines = [f"  {known.id:{width}}  {known.severity:7}  {known.words}" for known in group]
        console.data("\n".join([title, *lines, "", ""]))
    width = max(map(len, ERROR_TYPES))
    lines = [f"  {known.id:{width}}  {known.status or '-':>3}  {known.words}" for known in ERROR_TYPES.values()]
    console.data("\n".join(["Error types of the gateway", *lines, ""]))


def _rule_json(known: Rule) -> dict[str, Any]:
    return {
        "id": known.id,
        "severity": known.severity.value,
        "words": known.words,
        "hint": known.hint,
        "explanation": known.explanation,
    }


def _error_json(known: ErrorType) -> dict[str, Any]:
    return {
        "id": known.id,
        "status": known.status or None,
        "words": known.words,
        "hint": known.hint,
        "explanation": known.explanation,
    }


def _rule_text(known: Rule) -> str:
    lines = [f"{known.id} ({known.severity})", "", known.words, known.explanation, "", f"hint: {known.hint}"]
    if known.severity is not Severity.ERROR:
        lines.append(f"silence: # mom: ignore[{known.id}] REASON, on the line or on the line above")
    return "\n".join([*lines, ""])


def _error_text(known: ErrorType) -> str:
    status = f"status {known.status}" if known.status else "status of the API"
    return "\n".join([f"{known.id} ({status})", "", known.words, known.explanation, "", f"hint: {known.hint}", ""])
