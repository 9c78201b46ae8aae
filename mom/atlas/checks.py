"""What a name, a base URL or a header may be: pure functions, shared by `validate` and the commands that write.

Each returns None where the text is fine, else one sentence: what is wrong with it and what to write instead.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from mom.atlas.references import objection, scan
from mom.gateway import is_this_machine

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
# RFC 9110, section 5.6.2: what a field name is made of.
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
# RFC 9110, section 5.5: a field value has no control characters but the tab. C1 controls are not text either.
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*\Z")
_DOT_SEGMENT = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|\Z)", re.IGNORECASE)

# A proxy makes these itself: they frame a message (RFC 9112, section 6) or speak of one connection only (RFC 9110,
# section 7.6.1). Set from outside they break requests, or smuggle a second one in.
OWNED_BY_THE_PROXY = frozenset(
    {
        "connection",
        "content-length",
        "http2-settings",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def check_adapter_name(text: str) -> str | None:
    """Return what is wrong with an adapter's name, which becomes a segment of a URL's path."""
    if not text:
        return "the name is empty: a name has 1 to 253 letters, digits, `.`, `_` or `-`"
    if len(text) > 253:
        return f"the name has {len(text)} characters: 253 are the most"
    if _NAME.match(text):
        return None
    if not re.match(r"[A-Za-z0-9]", text) and _NAME.match("a" + text):
        return f"the name `{text}` must start with a letter or a digit"
    strange = next((character for character in text if not re.match(r"[A-Za-z0-9._-]", character)), text[0])
    return f"the name holds {_show(strange)}: a name has only letters (A-Z, a-z), digits, `.`, `_` and `-`"


def check_base_url(text: str) -> str | None:
    """Return what is wrong with an adapter's base URL: it must be an absolute http or https URL that names a host.

    No user name (credentials go into headers), no query and no fragment (a caller's path is appended to it).
    """
    if not text:
        return "the base URL is empty: write one such as https://api.example.com"
    if text != text.strip() or re.search(r"\s", text):
        return "the base URL holds white space: leave it out, or write %20 inside a path"
    if _CONTROL.search(text):
        return "the base URL holds a control character: leave it out"
    if len(text) > 2000:
        return f"the base URL has {len(text)} characters: 2000 are the most"
    if "${{" in text:
        return "a base URL holds no environment references: write the host itself (references work in header values)"
    if "\\" in text:
        return "the base URL holds a backslash: write `/`"
    return _check_url_parts(text)


def _check_url_parts(text: str) -> str | None:
    scheme, colon, rest = text.partition("://")
    if not colon:
        return _without_scheme(text)
    if scheme.lower() not in {"http", "https"}:
        return f"the scheme `{scheme}` is not served: a base URL starts with https:// or http://"
    try:
        parts = urlsplit(text)
    except ValueError:
        return "the host in `[` `]` is not an IPv6 address"
    if "@" in parts.netloc:
        # Not repeated: what stands before the @ is a credential.
        return "the base URL holds a user name or password: leave it out, credentials go into a header"
    if not parts.netloc:
        return f"the base URL names no host: write {scheme}://{rest.lstrip('/') or 'api.example.com'}"
    if "?" in rest or "#" in rest:
        mark = min((rest.index(mark), mark) for mark in "?#" if mark in rest)[1]
        part = "query (`?`)" if mark == "?" else "fragment (`#`)"
        return f"the base URL has a {part}: leave it out, a caller's path and query are appended to the URL"
    if _DOT_SEGMENT.search(parts.path):
        return "the path of the base URL has a segment `.` or `..`: write the path that is meant"
    if not parts.path.isascii():
        return "the path of the base URL holds characters outside ASCII: write them percent-encoded"
    return _check_host(parts)


def _without_scheme(text: str) -> str:
    if text.lower().startswith(("http:", "https:")):
        scheme, _, rest = text.partition(":")
        return f"the base URL lacks `//` after `{scheme}:`: write {scheme}://{rest.lstrip('/') or 'api.example.com'}"
    if "@" in text:
        # Not repeated: what stands before the @ is a credential.
        return (
            "the base URL is not absolute, and names a user: write https:// and the host, credentials go into headers"
        )
    return f"the base URL `{text}` is not absolute: write https://{text.lstrip('/') or 'api.example.com'}"


def _check_host(parts: SplitResult) -> str | None:
    host = parts.hostname
    if not host:
        return "the base URL names no host: write one such as https://api.example.com"
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0 or (port is None and parts.netloc.endswith(":")):
        return "the port of the base URL is not a number from 1 to 65535"
    if "[" in parts.netloc:
        return None if _is_ipv6(host) else f"`[{host}]` is not an IPv6 address"
    if not host.isascii():
        return f"the host `{host}` is not ASCII: write {_punycode(host)}"
    if len(host) > 253:
        return f"the name of the host has {len(host)} characters: 253 are the most"
    if host.endswith(".") and _HOST.match(host[:-1]):
        return f"the host `{host}` ends in a dot: write {host[:-1]}"
    if not _HOST.match(host):
        return f"`{host}` is not the name of a host: labels of letters, digits, `-` and `_`, joined by dots"
    return None


def _punycode(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return "its `xn--` form"


def _is_ipv6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return "%" not in host


def is_plain_http(url: str) -> bool:
    """Whether what is sent to `url`, one that `check_base_url` accepts, crosses a network in clear text."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_this_machine(parts.hostname or "")


def check_public_key(text: str) -> str | None:
    """Return what is wrong with where an identity provider's keys are: who can change them can make tokens.

    An https URL, an http URL of this machine, or the path of a file.
    """
    if not text.strip():
        return "the location of the keys is empty: write the https URL of a JWKS, or the path of a file"
    if _CONTROL.search(text):
        return "the location of the keys holds a control character: leave it out"
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        return None
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "this is not a URL: write the https URL of a JWKS, or the path of a file"
    if parts.scheme not in {"http", "https"}:
        return f"keys are not read over `{parts.scheme}`: write an https URL, or the path of a file"
    if not host:
        return "the URL of the keys names no host"
    if "@" in parts.netloc:
        return "the URL of the keys holds a user name or password: leave it out, keys are public"
    if parts.scheme == "http" and not is_this_machine(host):
        return "the keys would be read over plain http, where anyone on the way can replace them: write an https URL"
    return None


def check_header_name(text: str) -> str | None:
    """Return what is wrong with a header's name: it must be a token (RFC 9110) that is not the proxy's own to set."""
    if not text:
        return "the header's name is empty"
    if not _TOKEN.match(text):
        strange = next(character for character in text if not _TOKEN.match(character))
        return f"the header name holds {_show(strange)}: it has letters, digits and !#$%&'*+-.^_`|~ only (RFC 9110)"
    if text.lower() in OWNED_BY_THE_PROXY:
        return f"`{text}` belongs to the connection, and the proxy sets it: leave it out"
    return None


def check_control_characters(text: str) -> str | None:
    """Return what is wrong where a header's value holds a control character other than the tab (RFC 9110, 5.5)."""
    if found := _CONTROL.search(text):
        what = "a line end" if found.group() in "\r\n" else "a control character"
        return f"the value holds {what} ({_show(found.group())}): a header is one line of text"
    return None


def check_header_value(text: str) -> str | None:
    """Return what is wrong with a header's value: control characters, or an unusable environment reference."""
    if reason := check_control_characters(text):
        return reason
    return next((reason for part in scan(text) if (reason := objection(part))), None)


def _show(character: str) -> str:
    """Name a character so that it can be recognised, also where it cannot be seen."""
    if character == " ":
        return "a space"
    return f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}"
