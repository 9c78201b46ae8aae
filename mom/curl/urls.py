"""URL words: a path becomes a URL of the gateway, a URL of the gateway passes, any other is refused."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mom.auth.gateway import Gateway

# What the paths of a gateway start with: needed to find one that Git Bash has made a Windows path of.
_ROOTS = ("/v1/", "/v1alpha1/", "/healthz", "/healthcheck")


def complete(text: str, gateway: Gateway) -> str | None:
    """Return the URL that `text`, a URL on the command line, stands for; None where it is one of another host.

    A path is put after the base URL as it is: globs, queries and %-encodings are curl's and the API's affair. Empty
    words and `@file` (curl 8.13 reads URLs from it) are left to curl.
    """
    if text.startswith("/"):
        return gateway.base + text
    if not text or text.startswith("@") or _is_at(text, gateway):
        return text
    path = _git_bash_path(text)
    return None if path is None else gateway.base + path


def explain(text: str, gateway: Gateway) -> tuple[str, str]:
    """Return what is wrong with a URL word that `complete` does not take, and what to write instead."""
    if "://" in text:
        return (
            f"{text} is not at the gateway {gateway.origin}, and its token must not go elsewhere",
            "give the path alone; another gateway: --base-url URL; no gateway: use curl itself",
        )
    if text[1:3] in (":/", ":\\") and text[0].isalpha():
        return (
            f"{text} is a Windows path, not the path of an API",
            "Git Bash rewrites paths; keep it from that: MSYS_NO_PATHCONV=1 mom curl ...",
        )
    return (
        f"{text!r} is neither a path nor a URL of the gateway {gateway.origin}",
        f"a path starts with a slash: /{text}",
    )


def _is_at(text: str, gateway: Gateway) -> bool:
    """Whether `text` is a URL of the gateway for us and, whatever its version, for curl."""
    scheme, separator, rest = text.partition("://")
    if not separator or not scheme.isalnum():
        # curl takes a URL without a scheme for http.
        scheme, rest = "http", text
    end = min((position for position in map(rest.find, "/?#\\") if position >= 0), default=len(rest))
    user, _, address = rest[:end].rpartition("@")
    address = address.lower()
    host = f"[{gateway.host}]" if ":" in gateway.host else gateway.host
    same = address in (gateway.authority, f"{host}:{gateway.port}")
    return scheme.lower() == gateway.scheme and same and "@" not in user and rest[end : end + 1] != "\\"


def _git_bash_path(text: str) -> str | None:
    """Return the path before which Git Bash has put its own folder (`C:/Program Files/Git/v1/x`), None for others."""
    if text[1:3] == ":/" and text[0].isalpha():
        found = [position for position in map(text.find, _ROOTS) if position > 0]
        if found:
            return text[min(found) :]
    return None
