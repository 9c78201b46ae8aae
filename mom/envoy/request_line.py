"""What Envoy makes of the first line of a request, and what it refuses there: no token and no route is looked at yet.

HTTP/1.1 (RFC 9112, section 3) as Envoy's parser reads it knows some methods and no others; HTTP/2 (RFC 9113, section
8.3.1) takes any token for a method, and has no response to what is malformed: the stream is reset.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mom.gateway import ErrorTypes

# How much the headers of a request may have, the first line with them.
MOST_KIB = 60
# Those of Envoy's parser (`MSEARCH` is its spelling of UPnP's `M-SEARCH`). CONNECT is for `host:port`, not for a path.
_KNOWN = (
    "ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE MSEARCH NOTIFY "
    "OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK "
    "UNLOCK UNSUBSCRIBE"
)
HTTP1_METHODS = frozenset(_KNOWN.split())
# RFC 9110, 5.6.2.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Between and behind the words of the line; Envoy takes a carriage return for one, too.
_BLANKS = " \t\r"
_NOT_ASCII = re.compile(r"[^\x21-\x7e]")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")


class RequestLine(NamedTuple):
    """The method and the target of a request, each byte as the character of that number, as Envoy matches them."""

    method: str
    target: str


class Malformed(NamedTuple):
    """Why a request is refused at its first line. status, error: of the response; 0 and empty: the stream is reset."""

    status: int
    error: str
    reason: str


def read(method: str, target: str, *, http2: bool) -> RequestLine | Malformed:
    """Return the request as Envoy reads it, or why it does not.

    target: a path with or without a query (RFC 9112, 3.2.1), or `*`; no absolute URL, of which Envoy takes the path,
    and no `host:port`.
    """
    given = RequestLine(_bytes(method), _bytes(target))
    return _over_http2(given) if http2 else _over_http1(given)


def readable(text: str) -> str:
    """Return what a message shows of a part of a `RequestLine`."""
    return text.encode("latin-1").decode("utf-8", "backslashreplace")


def _bytes(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _over_http1(given: RequestLine) -> RequestLine | Malformed:
    # RFC 9112, 2.2: line endings before the line are ignored.
    line, ended, _ = f"{given.method} {given.target}".lstrip("\r\n").partition("\n")
    words = re.split(f"[{_BLANKS}]+", line.rstrip(_BLANKS))
    method, target = words[0], words[-1]
    if len(line) > MOST_KIB << 10:
        return _too_long(431, ErrorTypes.REQUEST_HEADERS_TOO_LARGE)
    if method not in HTTP1_METHODS:
        return _refused(_unknown(method))
    if len(words) > 2:
        return _refused("blanks are percent-encoded in the path and the query: %20")
    if method == "OPTIONS" and target.startswith("*"):
        # RFC 9112, 3.2.4: about the server as a whole.
        return _refused("the request target is not a path", 404)
    if len(words) < 2 or not target.startswith("/") or method == "CONNECT":
        return _refused("the request target is not a path")
    if _NOT_ASCII.search(target):
        return _refused("control characters and non-ASCII ones are percent-encoded in the path and the query")
    if ended:
        return Malformed(426, ErrorTypes.REQUEST, "a line break in the path or the query ends the request")
    return _without_fragment(RequestLine(method, target))


def _over_http2(given: RequestLine) -> RequestLine | Malformed:
    if len(given.method) + len(given.target) > MOST_KIB << 10:
        return _too_long(0, "")
    if not _TOKEN.fullmatch(given.method):
        return Malformed(0, "", "the method is not a token")
    if given == ("OPTIONS", "*"):
        return _refused("the request target is not a path", 404)
    if not given.target.startswith("/") or given.method == "CONNECT":
        return Malformed(0, "", "the request target is not a path")
    if _CONTROL.search(given.target):
        return Malformed(0, "", "blanks and control characters are percent-encoded in the path and the query")
    return _without_fragment(given)


def _without_fragment(given: RequestLine) -> RequestLine | Malformed:
    return _refused("a number sign is in the path: write it as %23") if "#" in given.target else given


def _unknown(method: str) -> str:
    if method.upper() in HTTP1_METHODS:
        return "methods are written in capital letters: GET, not get"
    return f"Envoy knows no method {readable(method[:40])} over HTTP/1.1"


def _too_long(status: int, error: str) -> Malformed:
    return Malformed(status, error, f"the request's headers are larger than {MOST_KIB} KiB")


def _refused(reason: str, status: int = 400) -> Malformed:
    return Malformed(status, ErrorTypes.REQUEST, reason)
