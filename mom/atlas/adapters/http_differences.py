"""How an HTTP adapter differs: a document from what was asked for, and an adapter from what it was before."""

from __future__ import annotations

from mom.atlas.adapters.http import HttpAdapter, HttpAdapterSpec
from mom.atlas.adapters.http_credentials import BasicAuth, Parameter
from mom.atlas.adapters.http_oauth2 import OAuth2
from mom.atlas.adapters.other_content import OtherContent
from mom.atlas.ownership import OwnDocument
from mom.atlas.policy import rules_of
from mom.atlas.values.secrets import literal_secret
from mom.problems import Problem
from mom.yamledit.data import Data
from mom.yamledit.nodes import Node, Sequence, get, text_of
from mom.yamledit.scalars import described
from mom.yamledit.source import Source

_NOT_SECRET = ("http2", "allow", "limits", "timeout", "retries", "smoke")
_COMPARED_WHOLE = ("basicAuth", "query", "oauth2", "tls", "proxy", *_NOT_SECRET)


def from_what_was_asked(asked: HttpAdapterSpec, source: Source, existing: OwnDocument, data: Data) -> list[Problem]:
    """Return one problem per place where a document is not what was asked for; headers may be in any order."""
    other = OtherContent(source, existing, data)
    if other.spec.get("baseUrl") != asked.base_url:
        other.add(get(other.node, "baseUrl"), "spec.baseUrl", f"the base URL is not {asked.base_url}")
    wanted = {name.lower(): (name, value) for name, value in asked.headers}
    listed = other.spec.get("headers")
    nodes = get(other.node, "headers")
    header_nodes = nodes.items if isinstance(nodes, Sequence) else ()
    for number, header in enumerate(listed if isinstance(listed, list) else []):
        where = header_nodes[number] if number < len(header_nodes) else None
        _compare_header(other, header, where, f"spec.headers[{number}]", wanted)
    for name, _ in wanted.values():
        other.add(nodes, "spec.headers", f"the header {name} is missing")
    _compare_credentials(other, asked)
    other.add_unasked("baseUrl", "headers", *_COMPARED_WHOLE)
    return other.problems


def _compare_header(
    other: OtherContent, header: Data, where: Node | None, path: str, wanted: dict[str, tuple[str, str]]
) -> None:
    """Add how a header of the file differs from the one in `wanted`, which it takes out of it."""
    given, value = (header.get("name"), header.get("value")) if isinstance(header, dict) else ("", None)
    name = given if isinstance(given, str) else text_of(get(where, "name")) or ""
    # A credential is not repeated, neither the one in the file nor the one that was asked for.
    secret = literal_secret(name, str(value)) is not None
    asked = wanted.pop(name.lower(), None)
    if asked is None:
        other.add(where, path, f"the header {name or '(unnamed)'} was not asked for", secret=secret)
        return
    if not isinstance(given, str):
        other.add(get(where, "name") or where, f"{path}.name", f"the name of a header is {described(given)}: quote it")
    if value != asked[1]:
        node = get(where, "value") or where
        shown = "the one asked for" if literal_secret(*asked) else asked[1]
        message = f"the value of {name} is not {shown}"
        if not isinstance(value, str) and value is not None and not secret:
            quote = ": quote it" if text_of(node) == asked[1] else f", not {shown}"
            message = f"the value of {name} is {described(value)}{quote}"
        other.add(node, f"{path}.value", message, secret=secret)


def _compare_credentials(other: OtherContent, asked: HttpAdapterSpec) -> None:
    """Add that a setting beside the base URL and the headers is not what was asked for. None is repeated."""
    spec = asked.spec()
    for key in _COMPARED_WHOLE:
        if other.spec.get(key) != spec.get(key):
            difference = "was not asked for" if key not in spec else "is not what was asked for"
            secret = key not in _NOT_SECRET
            other.add(get(other.node, key), f"spec.{key}", f"`{key}` {difference}", secret=secret)


def in_words(old: HttpAdapter, new: HttpAdapter) -> list[str]:
    """Return `base URL`, and the header that differs, or `headers` where several do or their order does."""
    parts = ["base URL"] if old.base_url != new.base_url else []
    before, after = ({header.name: header.value for header in adapter.headers} for adapter in (old, new))
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if names or list(before) != list(after):
        parts.append(f"header {names[0]}" if len(names) == 1 else "headers")
    if _without_place(old.basic_auth) != _without_place(new.basic_auth):
        parts.append("basicAuth")
    if [*map(_without_place, old.query)] != [*map(_without_place, new.query)]:
        parts.append("query")
    if _without_place(old.oauth2) != _without_place(new.oauth2):
        parts.append("oauth2")
    if old.proxy != new.proxy:
        parts.append("proxy")
    if old.http2 != new.http2:
        parts.append("HTTP/2")
    if old.tls != new.tls:
        parts.append("TLS")
    if rules_of(old.allow) != rules_of(new.allow):
        parts.append("allow")
    others = ("limits", "timeout", "retries")
    return [*parts, *(key for key in others if getattr(old, key) != getattr(new, key))]


def _without_place(credential: BasicAuth | Parameter | OAuth2 | None) -> tuple[object, ...]:
    return () if credential is None else credential[:-1]
