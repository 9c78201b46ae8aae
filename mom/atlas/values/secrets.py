"""Credentials in plain text, which a configuration in git must never contain. Pure; no value is ever repeated."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from mom.atlas.references import Reference, scan
from mom.atlas.values.objection import Objection
from mom.masking import token_shape

# Headers that carry a credential, by whole name or by the name's last word.
_CREDENTIAL_NAMES = frozenset({"authorization", "proxy-authorization", "cookie", "apikey", "x-apikey"})
_CREDENTIAL_WORDS = frozenset(
    {"auth", "authorization", "apikey", "credential", "credentials", "jwt", "key", "pass", "passwd", "password"}
    | {"secret", "token"}
)
# Names that end in such a word and say something public.
_PUBLIC_NAMES = frozenset({"idempotency-key", "x-idempotency-key", "surrogate-key", "sec-websocket-key", "x-cache-key"})


def is_credential_header(name: str) -> bool:
    """Whether a header of that name carries a credential: `Authorization`, `X-Api-Key`, `Private-Token`, …"""
    lower = name.lower()
    if lower in _PUBLIC_NAMES:
        return False
    return lower in _CREDENTIAL_NAMES or re.split(r"[^a-z0-9]+", lower)[-1] in _CREDENTIAL_WORDS


def literal_secret(header_name: str, value: str) -> str | None:
    """Return why a header's value is a credential in plain text, or None where it is not.

    Either a part of it outside its environment references looks like a known token, or the header is one that carries
    a credential and its value refers to no environment variable. The reason never repeats the value.
    """
    if reason := known_token(value):
        return reason
    if is_credential_header(header_name) and value.strip() and not _refers(value):
        return f"plain-text credential for `{header_name}`"
    return None


def plain_parameter(name: str, value: str) -> str | None:
    """Return why the value of a query parameter is a credential in plain text, None where it is not."""
    # As a header of that name would be: `key`, `api_key`, `access_token`.
    header = f"x-{name}".replace("_", "-")
    reason = literal_secret(header, value)
    return None if reason is None else reason.replace(header, name)


def unencoded_basic(header_name: str, value: str) -> Objection | None:
    """Return why a header's `Basic` credentials cannot be right (RFC 7617: the base64 of `user:password`), or None."""
    match = re.match(r"""["']?basic[ \t]+(.*)""", value, re.IGNORECASE | re.DOTALL)
    if not is_credential_header(header_name) or match is None:
        return None
    parts = scan(match[1])
    references = [part for part in parts if isinstance(part, Reference)]
    if not references or (len(references) == 1 and not any(isinstance(part, str) and ":" in part for part in parts)):
        return None
    return Objection(
        "`Basic` needs the base64 of `user:password` (RFC 7617)",
        "store $(printf %s 'user:password' | base64) in one variable, and write Basic ${{ THAT_VARIABLE }}",
    )


def literal_credential(what: str, value: str) -> str | None:
    """Return why the value of a field that is always a credential (`secretAccessKey`) is plain text, or None."""
    if reason := known_token(value):
        return reason
    return f"plain-text credential for `{what}`" if value.strip() and not _refers(value) else None


def literal_password(url: str) -> str | None:
    """Return why the password in a connection URL is plain text, or None where it has none or a reference."""
    if reason := known_token(url):
        return reason
    # A reference may contain what a URL may not; as a word it is one character of no meaning to a URL.
    plain = "".join(part if isinstance(part, str) else "\ufffd" for part in scan(url))
    try:
        parts = urlsplit(plain)
        password = parts.password
    except ValueError:
        return None
    if password is None and (inside := re.search(r"[?&]password=([^&]*)", parts.query and f"?{parts.query}")):
        password = inside.group(1)
    return "plain-text password in this URL" if password and "\ufffd" not in password else None


def known_token(value: str) -> str | None:
    """Return what known token a part of `value` outside its environment references looks like, or None."""
    for part in scan(value):
        if isinstance(part, Reference):
            continue
        text = part if isinstance(part, str) else value[part.start : part.end]
        if shape := token_shape(text):
            return f"the value looks like {shape}"
    return None


def suggested_reference(name: str, value: str = "") -> str:
    """Return what to write instead of a literal credential in the header or field `name`.

    A leading scheme word (`Bearer`, `Basic`, `token`) is kept: it is public, and the API needs it.
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    variable = re.sub(r"[^A-Za-z0-9]+", "_", words).strip("_").upper() or "TOKEN"
    if not re.match(r"[A-Z_]", variable):
        variable = f"_{variable}"
    if variable in {"AUTHORIZATION", "PROXY_AUTHORIZATION"}:
        variable = "API_TOKEN"
    scheme = re.match(r"""["']?(Bearer|Basic|Token|token|bearer|basic)\s""", value)
    return f"{scheme.group(1)} ${{{{ {variable} }}}}" if scheme else f"${{{{ {variable} }}}}"


def _refers(value: str) -> bool:
    return any(isinstance(part, Reference) for part in scan(value))
