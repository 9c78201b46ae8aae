"""What a stand-in responds: the request that an API would have received, as JSON. Pure; no credential is in it.

The variables of the configuration have dummy values, which are shown as they are. What the client itself sent may be a
credential: a header with the name of one is masked as a whole, and whatever looks like a token, anywhere.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mom.atlas.values.secrets import is_credential_header
from mom.gateway import STAND_IN_HEADER
from mom.masking import mask_tokens

DUMMY = "stand-in-for-"
# How much of a body is shown; the rest is counted.
SHOWN_BYTES = 16_384
_MASK = "***"
_DUMMIES = re.compile(rf"({DUMMY}[A-Za-z0-9_]+)")
_UNUSUAL = re.compile(r"[^\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class Received:
    """A request as the stand-in read it. `body` is its beginning, `size` the number of bytes of all of it."""

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes = b""
    size: int = 0
    trailers: Sequence[tuple[str, str]] = ()


def dummy(variable: str) -> str:
    """Return the value that a variable has instead of its own."""
    return f"{DUMMY}{variable}"


def echo(request: Received) -> str:
    """Return the JSON text: adapter, method, URL, headers in their order, and the body up to `SHOWN_BYTES`."""
    mark = STAND_IN_HEADER.lower()
    source = next((value for name, value in request.headers if name.lower() == mark), "")
    adapter, _, origin = source.partition(" ")
    fields: dict[str, object] = {
        "standIn": "No API was called. This is the request that it would have received.",
        "adapter": adapter or None,
        "method": request.method,
        "url": _masked(origin + request.target),
        "headers": [_header(name, value) for name, value in request.headers if name.lower() != mark],
        "body": _body(request),
        **({"trailers": [_header(*trailer) for trailer in request.trailers]} if request.trailers else {}),
    }
    return _text(fields)


def _header(name: str, value: str) -> dict[str, str]:
    if is_credential_header(name) and not _has_dummy(value):
        return {"name": name, "value": _MASK}
    return {"name": name, "value": _masked(value)}


def _masked(text: str) -> str:
    """Return `text` with its tokens masked, but not the dummies, which are in the place of credentials."""
    return "".join(part if part.startswith(DUMMY) else mask_tokens(part) for part in _DUMMIES.split(text))


def _has_dummy(value: str) -> bool:
    """Whether a header has a dummy in it, or in what its `Basic` value encodes (RFC 7617)."""
    scheme, _, encoded = value.partition(" ")
    if scheme.lower() != "basic":
        return DUMMY in value
    try:
        return DUMMY.encode() in base64.b64decode(encoded, validate=True)
    except ValueError:
        return DUMMY in value


def _body(request: Received) -> dict[str, object]:
    """Return its size and its beginning: as text where it is UTF-8, else in base64, which nothing could mask."""
    body: dict[str, object] = {"bytes": request.size}
    if request.size > len(request.body):
        body["shown"] = len(request.body)
    if request.body:
        text = _decoded(request.body, complete=request.size == len(request.body))
        body |= {"base64": base64.b64encode(request.body).decode()} if text is None else {"text": _masked(text)}
    return body


def _decoded(body: bytes, *, complete: bool) -> str | None:
    """Return `body` as text, None if it is not UTF-8. An incomplete one may end within a character."""
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        cut = not complete and error.end == len(body) and len(body) - error.start < 4
        return body[: error.start].decode() if cut else None


def _text(fields: dict[str, object]) -> str:
    """Return JSON with one line for each field, and for each header."""
    lines = [f"  {json.dumps(key)}: {_value(value)}" for key, value in fields.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _value(value: object) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"    {_json(item)}" for item in value) + "\n  ]"
    return _json(value)


def _json(value: object) -> str:
    """Return JSON in which a character that a terminal would obey instead of showing it is escaped."""
    text = json.dumps(value, ensure_ascii=False)
    return _UNUSUAL.sub(lambda match: match[0] if match[0].isprintable() else json.dumps(match[0])[1:-1], text)
