"""What a base URL and the location of keys may be. A check returns None where the text is fine, else an `Objection`."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from mom.atlas.values.characters import CONTROL
from mom.atlas.values.objection import Objection
from mom.gateway import is_this_machine
from mom.masking import mask_tokens, token_shape

_WHERE_KEYS = "write the https URL of the issuer's JWKS, or the path of a file that has them"
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*\Z")
_DOT_SEGMENT = re.compile(r"(?:^|/)(?:\.|%2e){1,2}(?:/|\Z)", re.IGNORECASE)


def check_base_url(text: str) -> Objection | None:
    """Return what is wrong with an adapter's base URL: it must be an absolute http or https URL that names a host.

    No user name (credentials go into headers), no query and no fragment (a caller's path is appended to it).
    """
    if not text:
        return Objection("the base URL is empty", "write one such as https://api.example.com")
    if "${{" in text:
        return Objection(
            "environment references do not work in a base URL",
            "write the URL itself (references work in header values)",
        )
    if text != text.strip() or re.search(r"\s", text):
        return Objection("the base URL contains white space", "remove it, or write %20 inside a path")
    if CONTROL.search(text):
        return Objection("the base URL contains a control character", "remove it")
    if len(text) > 2000:
        return Objection(f"the base URL has {len(text)} characters", "shorten it: at most 2000")
    if "\\" in text:
        return Objection("the base URL contains a backslash", "write `/`")
    return _check_url_parts(text)


def _check_url_parts(text: str) -> Objection | None:
    scheme, colon, rest = text.partition("://")
    if not colon:
        return _without_scheme(text)
    if scheme.lower() not in {"http", "https"}:
        return Objection(f"the scheme `{_short(scheme)}` is not served", "a base URL starts with https:// or http://")
    try:
        parts = urlsplit(text)
    except ValueError:
        return Objection(
            "the host in `[` `]` is not an IPv6 address", "write one such as [2001:db8::1], or the name of the host"
        )
    if "@" in parts.netloc:
        # Not repeated: what is before the @ is a credential.
        return Objection("the base URL contains a user name or password", "remove it: credentials belong in a header")
    if not parts.netloc:
        return Objection("the base URL has no host", f"write {scheme}://{_without_credentials(rest)}")
    if "?" in rest or "#" in rest:
        mark = min((rest.index(mark), mark) for mark in "?#" if mark in rest)[1]
        part = "query (`?`)" if mark == "?" else "fragment (`#`)"
        return Objection(f"the base URL has a {part}", "remove it: a caller's path and query are appended to the URL")
    if (secret := secret_in_path(text)) is not None:
        return Objection(
            f"the base URL's path seems to contain {secret}",
            "remove it: a base URL is public, and references work in header values only",
        )
    if _DOT_SEGMENT.search(parts.path):
        return Objection("the path of the base URL has a segment `.` or `..`", "write the path that is meant")
    if not parts.path.isascii():
        return Objection("the path of the base URL is not ASCII", "write them percent-encoded")
    return _check_host(parts)


def _without_scheme(text: str) -> Objection:
    if text.lower().startswith(("http:", "https:")):
        scheme, _, rest = text.partition(":")
        return Objection(
            f"the base URL has no `//` after `{scheme}:`", f"write {scheme}://{_without_credentials(rest)}"
        )
    if "@" in text:
        # Not repeated: what is before the @ is a credential.
        return Objection(
            "the base URL is not absolute, and has a user name",
            "write https:// and the host; credentials belong in headers",
        )
    shown = _without_credentials(text)
    return Objection(f"the base URL `{shown}` is not absolute", f"write https://{shown}")


def _without_credentials(rest: str) -> str:
    """Return what follows a URL's scheme without what may be a credential: user name, query, fragment, tokens."""
    host = re.split(r"[?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    return mask_tokens(host.lstrip("/")) or "api.example.com"


def _check_host(parts: SplitResult) -> Objection | None:
    host = parts.hostname
    if not host:
        return Objection("the base URL has no host", "write one such as https://api.example.com")
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0 or (port is None and parts.netloc.endswith(":")):
        return Objection(
            "the port of the base URL is not a number from 1 to 65535", "write such a number, or remove the `:`"
        )
    if "[" in parts.netloc:
        return (
            None
            if _is_ipv6(host)
            else Objection(f"`[{host}]` is not an IPv6 address", "write one such as [2001:db8::1]")
        )
    if not host.isascii():
        return Objection(f"the host `{host}` is not ASCII", f"write {_punycode(host)}")
    if len(host) > 253:
        return Objection(f"the name of the host has {len(host)} characters", "shorten it: at most 253")
    if host.endswith(".") and _HOST.match(host[:-1]):
        return Objection(f"the host `{host}` ends in a dot", f"write {host[:-1]}")
    if not _HOST.match(host):
        return Objection(
            f"`{host}` is not a host name", "a host has labels of letters, digits, `-` and `_`, joined by dots"
        )
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


# What the best-known APIs' documentation shows whole: their endpoints, which callers write themselves.
_ENDPOINT = re.compile(
    r"(?:/v\d+[a-z0-9]*)?(/(?:chat/completions|completions|embeddings|responses|messages|images/generations|audio/speech"
    r"|models|moderations|chat\.postMessage))/?\Z"
)


def endpoint(url: str) -> str | None:
    """Return the end of a base URL that is one endpoint of an API (`/v1/chat/completions`), None where it is none."""
    match = _ENDPOINT.search(urlsplit(url).path)
    return match.group().rstrip("/") if match else None


def secret_in_path(url: str) -> str | None:
    """Return what credential the path of a URL looks like it has, None where it has none. It is never repeated."""
    path = url.partition("://")[2].partition("/")[2]
    return token_shape(f"/{path}")


def is_plain_http(url: str) -> bool:
    """Whether what is sent to `url`, one that `check_base_url` accepts, crosses a network in clear text."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not is_this_machine(parts.hostname or "")


def check_public_key(text: str) -> Objection | None:
    """Return what is wrong with where an identity provider's keys are: who can change them can make tokens.

    An https URL, an http URL of this machine, or the path of a file.
    """
    if not text.strip():
        return Objection("the location of the keys is empty", _WHERE_KEYS)
    if "-----BEGIN" in text:
        return Objection("a PEM key is not a JWK Set", f"convert it to a JWK Set; {_WHERE_KEYS}")
    if text.lstrip().startswith("{"):
        return Objection("the keys themselves are written here", f"put them into a file; {_WHERE_KEYS}")
    if re.match(r"<.*>\Z", text.strip()):
        return Objection("`<` and `>` around the URL are part of it", "remove them")
    if CONTROL.search(text):
        return Objection(
            "the location of the keys contains a control character",
            "remove it; in double quotes a backslash begins an escape, in single quotes not",
        )
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text):
        return None
    if (parts := _parts(text)) is None:
        return Objection("this is not a URL", _WHERE_KEYS)
    if parts.scheme not in {"http", "https"}:
        return Objection(f"keys are not read over `{parts.scheme}`", _WHERE_KEYS)
    if not parts.hostname:
        return Objection("the URL of the keys has no host", _WHERE_KEYS)
    if "@" in parts.netloc:
        return Objection("the URL of the keys contains a user name or password", "remove it: keys are public")
    if parts.scheme == "http" and not is_this_machine(parts.hostname):
        return Objection("keys over plain http: anyone on the way can replace them", "write an https URL")
    return None


def check_token_url(text: str) -> Objection | None:
    """Return what is wrong with the URL of a token endpoint, to which a client secret is sent (RFC 6749, 3.2).

    An https URL, or an http URL of this machine, without a user name and a fragment.
    """
    where = "write https://HOST/PATH"
    if "${{" in text:
        return Objection("environment references do not work in a token URL", "write the URL itself")
    if CONTROL.search(text) or not text.isascii() or " " in text:
        return Objection("a token URL has no blanks and no characters outside ASCII", where)
    if (parts := _parts(text)) is None:
        return Objection("this is not a URL", where)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return Objection("a token URL starts with https:// and names a host", where)
    if "@" in parts.netloc or "#" in text:
        return Objection("a token URL has no user name and no fragment", "remove it")
    if parts.scheme == "http" and not is_this_machine(parts.hostname):
        return Objection("the client secret would be sent over plain http", "write an https URL")
    return None


def check_proxy(text: str) -> Objection | None:
    """Return what is wrong with the proxy of an adapter: `none`, or a URL by plain http with a host and a port."""
    where = "write none or http://HOST:PORT"
    if text == "none":
        return None
    if "${{" in text:
        return Objection("environment references do not work in the URL of a proxy", where)
    if (parts := _parts(text)) is None:
        return Objection("this is not the URL of a proxy", where)
    if "@" in parts.netloc:
        hint = "use a proxy of this machine that authenticates (cntlm, px)"
        return Objection("Envoy cannot authenticate to a proxy, and this one has a user name", hint)
    if parts.scheme != "http" or not parts.hostname or parts.path not in {"", "/"} or parts.query or parts.fragment:
        return Objection("only proxies by http are supported", where)
    return None


def _parts(text: str) -> SplitResult | None:
    """Return the parts of a URL, None where its brackets have no IPv6 address or its port is not a number to 65535."""
    try:
        parts = urlsplit(text)
        _ = parts.hostname, parts.port
    except ValueError:
        return None
    return parts


def _short(text: str) -> str:
    return text if len(text) <= 20 else f"{text[:20]}…"
