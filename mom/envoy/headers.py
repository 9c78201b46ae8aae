"""The headers that Atlas sets on a request to an API, and those it never lets through.

Credentials are never in the configuration that Envoy reads: a `${{ NAME }}` becomes `%ENVIRONMENT(NAME)%`, which Envoy
replaces from its own environment when it loads the route (Envoy: "Access log command operators", which custom headers
share). Everything else is literal, and a `%` in it is doubled, since Envoy would otherwise run it as a command.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from mom.atlas.adapters.http import Header
from mom.atlas.references import Reference, names, scan
from mom.atlas.values.headers import check_control_characters, check_header_name, check_references, refused_header
from mom.atlas.values.objection import Objection
from mom.envoy.claims import EXPIRY
from mom.envoy.messages import Json
from mom.gateway import ERROR_HEADER, STAND_IN_HEADER, TOKEN_HEADER

# What the filter that verifies tokens needs, or leaves: the router removes it, behind that.
TOKEN_REMOVED = (TOKEN_HEADER.lower(), EXPIRY)
# From the client to the API: the access token, and what Atlas leaves of it for itself; what belongs to the gateway's
# origin (a cookie of one API must not reach another); what names the client's page or address, or another host or path
# than those of the request (some servers take `x-original-url` for the path, and would leave the base path); and
# hop-by-hop settings of an HTTP/2 upgrade.
REQUEST_REMOVED = (
    *TOKEN_REMOVED,
    "cookie",
    "origin",
    "referer",
    "proxy-authorization",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
    "x-forwarded-prefix",
    "x-forwarded-scheme",
    "x-forwarded-server",
    "x-original-url",
    "x-rewrite-url",
    "x-envoy-external-address",
    "forwarded",
    "x-real-ip",
    "http2-settings",
)
# From the API to the client: what speaks for the whole origin, which all APIs share here. Cookies; what would lead
# clients past Atlas (`alt-svc`), open it to web pages (CORS, `timing-allow-origin`), send reports about it elsewhere,
# clear its storage, widen a service worker, pin its certificates, set what a browser sends to it or stores for it;
# `refresh`, a redirect that nothing rewrites; and only Atlas itself may say that a response is Atlas's or a
# stand-in's, or ask for credentials of a proxy.
RESPONSE_REMOVED = (
    "set-cookie",
    "set-cookie2",
    "alt-svc",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-private-network",
    "access-control-expose-headers",
    "access-control-max-age",
    "timing-allow-origin",
    "strict-transport-security",
    "clear-site-data",
    "nel",
    "report-to",
    "reporting-endpoints",
    "expect-ct",
    "public-key-pins",
    "public-key-pins-report-only",
    "origin-agent-cluster",
    "service-worker-allowed",
    "accept-ch",
    "critical-ch",
    "set-login",
    "sec-session-registration",
    "use-as-dictionary",
    "refresh",
    "proxy-authenticate",
    "proxy-authentication-info",
    ERROR_HEADER.lower(),
    STAND_IN_HEADER.lower(),
)
# Envoy refuses longer literals in a header to add (config.core.v3.HeaderValue).
MAX_LITERAL = 16_384


def check(header: Header) -> tuple[str, Objection] | None:
    """Return the rule that a configured header breaks, and how; None where it can be sent.

    Envoy would accept all but a literal that is too long and a `Host` from a variable.
    """
    if objection := check_header_name(header.name):
        return "header-name", objection
    if objection := check_control_characters(header.value):
        return "header-value", objection
    if objection := check_references(header.value):
        return "environment-reference", objection
    if header.name.lower() == "expect" and (objection := refused_header(header.name)):
        return "header-name", objection
    if len(format_string(header.value).encode()) > MAX_LITERAL:
        return "header-value", Objection(f"the value is longer than {MAX_LITERAL} bytes", "shorten it")
    if is_host(header) and (not header.value.strip() or names(header.value)):
        return "header-value", Objection("`Host` must be a fixed name", "write the host in `baseUrl`")
    return None


def vary(name: str) -> Json:
    """Return what adds `name` to the `Vary` of a response of an API.

    A shared cache must not serve one client's response to another (RFC 9110, 12.5.5).
    """
    return {"header": {"key": "vary", "value": name}, "append_action": "APPEND_IF_EXISTS_OR_ADD"}


def is_host(header: Header) -> bool:
    """Whether it is the header that Envoy sets in another way (`host_rewrite_literal`)."""
    return header.name.lower() == "host"


def format_string(value: str, secrets: Container[str] = ()) -> str:
    """Return a header value as Envoy's format string: references as commands, everything else literal.

    secrets: the variables that are secrets of Envoy (`mom.envoy.secrets`). The others are in its environment.
    """
    return "".join(
        f"%{'SECRET' if part.name in secrets else 'ENVIRONMENT'}({part.name})%"
        if isinstance(part, Reference)
        else str(part).replace("%", "%%")
        for part in scan(value)
    )


def to_add(headers: Iterable[Header]) -> list[Json]:
    """Return `request_headers_to_add` for an adapter's headers, each of which replaces all that the client sent.

    `keep_empty_value`: without it an empty value makes Envoy skip the header and let the client's own through.
    """
    return [
        {
            "header": {"key": header.name, "value": format_string(header.value)},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            "keep_empty_value": True,
        }
        for header in headers
        if not is_host(header)
    ]
