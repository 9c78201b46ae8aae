"""Parts of an HTTP adapter in the words of an option: entries of `allow`, limits, a timeout, the request of a check."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from mom.errors import UsageError
from mom.yamledit.data import Data
from mom.yamledit.shape import Value

# Never pass, and are in no list.
_METHOD = r"(?!(?:TRACE|TRACK|CONNECT|DEBUG)(?:,|$))[A-Z][A-Z-]*"
_METHODS = re.compile(rf"{_METHOD}(?:,{_METHOD})*")
_PATH = re.compile(r"/(?:[!-\"$-)+->@-~]|\*(?!\*))*(?:\*\*)?")
_DURATION = re.compile(r"[1-9][0-9]{0,6}s|[1-9][0-9]{0,4}m|[1-9][0-9]{0,3}h")
_LIMIT = re.compile(r"([1-9][0-9]{0,5}|1000000)(?:/(subject|adapter))?")
_SMOKE = re.compile(r"(?:(?P<method>GET|HEAD|OPTIONS|POST) )?(?P<path>/[!-\"$-~]{0,1999})(?: (?P<status>[0-9]{3}))?")
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


def write_allow(entry: Mapping[str, object]) -> str | None:
    """Return what `--allow` says for an entry; None where it cannot say the same."""

    def words(value: object) -> list[str]:
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


def write_limit(limit: Mapping[str, object]) -> str:
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


def read_smoke(given: str | None) -> dict[str, Value] | None:
    """Return what `--smoke` describes. Raises UsageError."""
    if given is None:
        return None
    match = _SMOKE.fullmatch(given)
    if match is None or not 200 <= int(match["status"] or 200) <= 599:
        raise UsageError("--smoke: write METHOD PATH STATUS", hint="such as 'GET /v1/models 200', the path alone too")
    smoke: dict[str, Value] = {"path": match["path"]}
    if match["method"]:
        smoke = {"method": match["method"], **smoke}
    return {**smoke, "expect": int(match["status"])} if match["status"] else smoke


def write_smoke(smoke: Data) -> str | None:
    """Return what `--smoke` says for a request; None where it cannot say the same."""
    if not isinstance(smoke, dict):
        return None
    text = " ".join(str(smoke[key]) for key in ("method", "path", "expect") if key in smoke)
    try:
        return text if read_smoke(text) == smoke else None
    except UsageError:
        return None
