"""Who may do what with an HTTP adapter, as options say it: entries of `allow`, limits, a timeout and retries."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import typer

from mom.errors import UsageError
from mom.yamledit.shape import Value

Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="'METHODS PATHS CLAIMS'",
        help="Requests that may pass: 'GET,HEAD /models /files/** groups=ai', any part. Repeatable: any suffices.",
    ),
]
Limit = Annotated[
    str | None,
    typer.Option("--limit", metavar="N[/adapter]", help="Requests a minute of each caller; /adapter: of all together."),
]
Timeout = Annotated[
    str | None, typer.Option("--timeout", metavar="DURATION", help="How long a whole response may take, such as 30s.")
]
Retries = Annotated[
    int | None,
    typer.Option("--retries", metavar="N", min=0, max=10, help="How often a repeatable request is sent again."),
]
RemoveAllow = Annotated[
    list[str] | None,
    typer.Option(
        "--remove-allow",
        metavar="'METHODS PATHS CLAIMS'",
        help="An entry that goes, in the words of --allow. With the last one, every request may pass. Repeatable.",
    ),
]
RemoveLimit = Annotated[bool, typer.Option("--remove-limit", help="Any number of requests.")]
RemoveTimeout = Annotated[bool, typer.Option("--remove-timeout", help="The timeout of the run.")]
RemoveRetries = Annotated[bool, typer.Option("--remove-retries", help="Send no request again.")]
# By key of `spec`, the option of `set` that takes it out.
REMOVED_BOUNDS = {"limits": "--remove-limit", "timeout": "--remove-timeout", "retries": "--remove-retries"}
# Never pass, and are in no list.
_METHOD = r"(?!(?:TRACE|TRACK|CONNECT|DEBUG)(?:,|$))[A-Z][A-Z-]*"
_METHODS = re.compile(rf"{_METHOD}(?:,{_METHOD})*")
_PATH = re.compile(r"/(?:[!-\"$-)+->@-~]|\*(?!\*))*(?:\*\*)?")
_DURATION = re.compile(r"[1-9][0-9]{0,6}s|[1-9][0-9]{0,4}m|[1-9][0-9]{0,3}h")
_LIMIT = re.compile(r"([1-9][0-9]{0,5}|1000000)(?:/(subject|adapter))?")
_FORM = "write METHODS PATHS CLAIMS, such as 'GET,HEAD /models groups=platform'"


def read_allow(given: Sequence[str], *, option: str = "--allow") -> tuple[dict[str, Value], ...]:
    """Return the entries that each option describes. Raises UsageError for a word that is not part of one."""
    return tuple(_entry(text, option) for text in given)


def _entry(text: str, option: str) -> dict[str, Value]:
    methods: list[Value] = []
    paths: list[Value] = []
    claims: dict[str, list[Value]] = {}
    for word in text.split():
        if _METHODS.fullmatch(word):
            methods += word.split(",")
        elif word.startswith("/"):
            if not _PATH.fullmatch(word):
                raise UsageError(f"{option}: `{word}` is not a path", hint="no query, and `**` only at its end")
            paths.append(word)
        else:
            name, value = _claim(word, option)
            claims.setdefault(name, []).append(value)
    if not (methods or paths or claims):
        raise UsageError(f"{option}: the entry is empty", hint=_FORM)
    entry: dict[str, Value] = {}
    if methods:
        entry["methods"] = methods
    if paths:
        entry["paths"] = paths
    if claims:
        entry["claims"] = {name: values[0] if len(values) == 1 else values for name, values in claims.items()}
    return entry


def _claim(word: str, option: str) -> tuple[str, str]:
    from mom.atlas.policy import claim_path

    name, sign, value = word.rpartition("=")
    if not sign or not value or claim_path(name) is None:
        hint = "methods have capital letters, paths begin with `/`, claims are NAME=VALUE"
        raise UsageError(f"{option}: `{word}` is neither methods nor a path nor a claim", hint=hint)
    return name, value


def write_allow(entry: dict[str, Value]) -> str | None:
    """Return what `--allow` says for an entry; None where it cannot say the same."""

    def words(value: Value) -> list[str]:
        return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]

    methods, paths, claims = entry.get("methods", ()), entry.get("paths", ()), entry.get("claims", {})
    if not isinstance(claims, dict):
        return None
    claimed = [f"{name}={each}" for name, value in claims.items() for each in words(value)]
    text = " ".join([*([",".join(words(methods))] if methods else []), *words(paths), *claimed])
    try:
        return text if read_allow([text]) == (entry,) else None
    except UsageError:
        return None


def write_limit(limit: dict[str, Value]) -> str:
    """Return what `--limit` says for a limit."""
    return "/".join(str(limit[key]) for key in ("requestsPerMinute", "per") if key in limit)


def read_limit(given: str | None) -> dict[str, Value] | None:
    """Return what `--limit` describes. Raises UsageError."""
    if given is None:
        return None
    match = _LIMIT.fullmatch(given)
    if match is None:
        raise UsageError(f"--limit: `{given}` is not a number of requests", hint="such as 60, or 600/adapter")
    return {"requestsPerMinute": int(match.group(1)), **({"per": match.group(2)} if match.group(2) else {})}


def read_timeout(given: str | None) -> str | None:
    """Return what `--timeout` says. Raises UsageError where it is not a duration."""
    if given is not None and not _DURATION.fullmatch(given):
        raise UsageError(f"--timeout: `{given}` is not a duration", hint="such as 30s, 5m or 1h")
    return given
