"""URL words: a path becomes a URL of the gateway, a URL of the gateway passes, any other is refused."""

from __future__ import annotations

from mom.gateway import APIS_PATH, ATLAS_PREFIX, DEFAULT_PORTS, HEALTH_PATHS, HTTP_PREFIX, LOOPBACK_NAMES, authority

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from mom.auth.base_url import Gateway

# What the paths of a gateway start with.
_ROOTS = ("/v1/", ATLAS_PREFIX, *HEALTH_PATHS)
# The scheme of a web socket at a gateway with the scheme (RFC 6455, section 3); curl has it since 8.11.
SOCKETS = {"http": "ws", "https": "wss"}


def resolve_url(text: str, gateway: Gateway) -> str | None:
    """Return the URL that `text`, a URL on the command line, stands for; None where it is one of another host.

    A path is put after the base URL as it is: globs, queries and %-encodings are curl's and the API's to read. Empty
    words and `@file` (curl 8.13 reads URLs from it) are left to curl.
    """
    if text.startswith("/"):
        return gateway.base + text
    if not text or text.startswith("@"):
        return text
    return _at_gateway(text, gateway)


def url_error(text: str, gateway: Gateway, adapters: Mapping[str, str]) -> tuple[str, str]:
    """Return what is wrong with a URL word that `resolve_url` does not take, and what to write instead.

    `adapters` has the base URL of each HTTP adapter that is configured here, by name; empty where none is known.
    """
    if "://" in text:
        path = _path_of_api(text, adapters)
        return (
            f"{text} is outside the gateway {gateway.origin}; the token is only sent there",
            f"the gateway has this API at {path}"
            if path
            else "pass a path (/v1/…), choose the gateway with --base-url, or use plain curl",
        )
    message = f"{text!r} is neither a path nor a URL of the gateway {gateway.origin}"
    if f"/{text}".startswith(_ROOTS):
        return message, f"a path starts with a slash: /{text}"
    name = _first_segment(text)
    if name in adapters:
        return message, f"the path of that API at the gateway: {HTTP_PREFIX}{text}"
    path = _path_of_api(f"https://{text}", adapters) or _path_of_api(f"http://{text}", adapters)
    if path:
        return message, f"the gateway has this API at {path}"
    return message, f"paths are {HTTP_PREFIX}ADAPTER/PATH; the adapters: mom curl {APIS_PATH}"


def _path_of_api(url: str, adapters: Mapping[str, str]) -> str | None:
    """Return the path at which an adapter serves `url`, None where none of `adapters` has such a base URL."""
    for name, base_url in adapters.items():
        base = base_url.rstrip("/")
        rest = url[len(base) :]
        if base and url[: len(base)].lower() == base.lower() and rest[:1] in ("", "/", "?", "#"):
            return f"{HTTP_PREFIX}{name}{rest or '/'}"
    return None


def _first_segment(text: str) -> str:
    return text[: min((position for position in map(text.find, "/?#") if position >= 0), default=len(text))]


def _at_gateway(text: str, gateway: Gateway) -> str | None:
    """Return `text` where it is a URL of the gateway for us and, whatever its version, for curl; else None.

    Another name of this machine becomes the gateway's own, for which a token is good.
    """
    scheme, separator, rest = text.partition("://")
    if not separator or not scheme.isalnum():
        # curl takes a URL without a scheme for http.
        scheme, separator, rest = "http", "", text
    if scheme.lower() not in (gateway.scheme, SOCKETS[gateway.scheme]):
        return None
    end = min((position for position in map(rest.find, "/?#\\") if position >= 0), default=len(rest))
    user, at, address = rest[:end].rpartition("@")
    address = address.lower()
    if "@" in user or rest[end : end + 1] == "\\":
        return None
    if address in (gateway.authority, gateway.endpoint):
        return text
    if gateway.host not in LOOPBACK_NAMES or address not in _names_of_this_machine(gateway):
        return None
    return (f"{scheme}://" if separator else "") + user + at + gateway.authority + rest[end:]


def _names_of_this_machine(gateway: Gateway) -> set[str]:
    ports = {gateway.port, None} if gateway.port == DEFAULT_PORTS[gateway.scheme] else {gateway.port}
    return {authority(host, port) for host in LOOPBACK_NAMES for port in ports}
