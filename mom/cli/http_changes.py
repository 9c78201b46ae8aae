"""What the options of `mom atlas config set` change in an HTTP adapter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, NamedTuple

import typer

from mom.atlas.adapters.http import basic_auth_of
from mom.atlas.adapters.http_words import read_allow, read_limit, read_smoke, read_timeout
from mom.atlas.edit.bounds import BOUNDS, Bounds
from mom.atlas.edit.change import HttpChanges
from mom.atlas.edit.settings import Settings
from mom.atlas.values.headers import check_header_name
from mom.cli import http_adapter
from mom.cli.http_access import REMOVED_BOUNDS
from mom.cli.http_credentials import OAuth2Options, read_basic_auth, read_oauth2_parts, read_proxy, read_query
from mom.errors import UsageError
from mom.yamledit.shape import Value

RemoveHeader = Annotated[
    list[str] | None,
    typer.Option("--remove-header", metavar="NAME", help="A header that Atlas no longer sets. Repeatable."),
]
RemoveQuery = Annotated[
    list[str] | None,
    typer.Option("--remove-query", metavar="NAME", help="A parameter that Atlas no longer sets. Repeatable."),
]
Unset = Annotated[
    list[str] | None,
    typer.Option(
        "--unset",
        metavar="KEY",
        help="What goes as a whole: basicAuth, oauth2, tls, http2, proxy or smoke. Repeatable.",
    ),
]
_UNSET = ("basicAuth", "oauth2", "tls", "http2", "proxy", "smoke")
_TLS = ("caFile", "certFile", "keyFile")


class Pairs(NamedTuple):
    """Headers and parameters of the query, to be set and to be taken out, as the options have them."""

    headers: Sequence[str]
    removed: Sequence[str]
    query: Sequence[str]
    removed_query: Sequence[str]


class Others(NamedTuple):
    """The other settings, as the options have them. tls: files of the authorities, the certificate and its key."""

    basic_auth: str | None
    oauth2: tuple[str | None, str | None, str | None, Sequence[str], Sequence[str]]
    tls: tuple[str | None, str | None, str | None]
    proxy: str | None
    http2: bool
    smoke: str | None
    unset: Sequence[str]


def read_changes(
    base_url: str | None,
    pairs: Pairs,
    others: Others,
    entries: tuple[Sequence[str], Sequence[str]],
    bounds: tuple[Bounds, Sequence[bool]],
    *,
    allow_literal_secret: bool,
) -> HttpChanges:
    """Return what is to be changed. entries: of `allow`, to add and to take out; bounds: to set and to take out.

    Raises UsageError for a value that cannot be used, MomError for a credential that is written out.
    """
    headers = http_adapter.read_headers(pairs.headers, allow_literal_secret=allow_literal_secret)
    query = read_query(pairs.query, allow_literal_secret=allow_literal_secret)
    changes = HttpChanges(
        http_adapter.read_base_url(base_url) if base_url is not None else None,
        headers,
        _removed("header", pairs.removed, headers, "-H", str.lower),
        read_allow(entries[0]),
        read_allow(entries[1], option="--remove-allow"),
        _bounds(*bounds),
        query,
        _removed("parameter", pairs.removed_query, query, "--query", str),
        _settings(others, allow_literal_secret=allow_literal_secret),
    )
    if changes.allow and changes.removed_allow:
        raise UsageError("--allow and --remove-allow exclude each other", hint="add the new entry first, then remove")
    if changes == HttpChanges():
        raise UsageError("nothing to change", hint="pass what is to be changed, such as --base-url or -H")
    return changes


def _removed(
    what: str, names: Sequence[str], given: Sequence[tuple[str, str]], option: str, folded: Callable[[str], str]
) -> tuple[str, ...]:
    """Return the names to take out, each once. Raises UsageError for one that is not a name, or also set."""
    wanted = {folded(name) for name, _ in given}
    for name in names:
        if what == "header" and (wrong := check_header_name(name)):
            raise UsageError(f"--remove-header: {wrong}")
        if folded(name) in wanted:
            raise UsageError(
                f"the {what} {name} is both set and removed",
                hint=f"pass {option} or --remove-{'header' if what == 'header' else 'query'}",
            )
    return tuple({folded(name): name for name in names}.values())


def _bounds(given: Bounds, removed: Sequence[bool]) -> Bounds:
    """Return the bounds with those to take out. Raises UsageError for one that is also set."""
    keys = tuple(key for key, wanted in zip(BOUNDS, removed, strict=True) if wanted)
    for key in keys:
        if key in given.values():
            raise UsageError(f"`{key}` is both set and removed", hint=f"leave out {REMOVED_BOUNDS[key]}")
    return given._replace(removed=keys)


def read_bounds(limit: str | None, timeout: str | None, retries: int | None) -> Bounds:
    """Return the bounds that the options describe. Raises UsageError."""
    return Bounds(read_limit(limit), read_timeout(timeout), retries)


def _settings(others: Others, *, allow_literal_secret: bool) -> Settings:
    for key in others.unset:
        if key not in _UNSET:
            raise UsageError(f"--unset: `{key}` is not a key that goes as a whole", hint=f"one of {', '.join(_UNSET)}")
    values: dict[str, Value | None] = {
        "basicAuth": _basic_auth(others.basic_auth, allow_literal_secret=allow_literal_secret),
        "oauth2": read_oauth2_parts(OAuth2Options(*others.oauth2)) or None,
        "tls": _tls(others.tls),
        "http2": "prior-knowledge" if others.http2 else None,
        "proxy": read_proxy(others.proxy),
        "smoke": read_smoke(others.smoke),
    }
    given = {key: value for key, value in values.items() if value is not None}
    for key in others.unset:
        if key in given:
            raise UsageError(f"`{key}` is both set and removed", hint=f"leave out --unset {key}")
    return Settings(tuple(given.items()), tuple(dict.fromkeys(others.unset)))


def _basic_auth(text: str | None, *, allow_literal_secret: bool) -> Value | None:
    if text is None:
        return None
    return basic_auth_of(*read_basic_auth(text, allow_literal_secret=allow_literal_secret))


def _tls(files: Sequence[str | None]) -> Value | None:
    given = {key: name for key, name in zip(_TLS, files, strict=True) if name is not None}
    # An empty name takes the file out.
    http_adapter.refuse_unusable_files(filter(None, given.values()))
    return given or None
