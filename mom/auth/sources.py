"""Whose token is sent: the sources of a token in their fixed order.

1. `--mom-token-file FILE` (of `mom curl`), 2. the variable MOM_TOKEN, 3. this user's own key, which signs for the
gateway at hand and is made at first need. The first that is there wins, and when it is broken (a file that is missing,
a variable that is empty) that is an error: sending another identity's token instead would be worse than sending none.
"""

from __future__ import annotations

import os

from mom.auth.tokens import DEFAULT_TTL, check, mint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from mom.auth.base_url import Gateway

TOKEN_FILE = "token file"  # noqa: S105 - a kind of source
VARIABLE = "variable"
LOCAL_KEY = "local key"

TOKEN_VARIABLE = "MOM_TOKEN"  # noqa: S105 - the name of a variable


class Source:
    """Where the token comes from. kind: one of the three above. place: the file, or the variable's name."""

    __slots__ = ("kind", "place")

    def __init__(self, kind: str, place: str) -> None:
        """Keep both."""
        self.kind = kind
        self.place = place


def resolve_token_source(token_file: str | None, environ: Mapping[str, str]) -> Source:
    """Return the source that wins; whether it is whole is seen when it is used."""
    if token_file is not None:
        return Source(TOKEN_FILE, token_file)
    if TOKEN_VARIABLE in environ:
        return Source(VARIABLE, TOKEN_VARIABLE)
    from mom.auth.keys import key_file
    from mom.auth.store import home

    return Source(LOCAL_KEY, key_file(home(environ)))


def token(
    source: Source,
    gateway: Gateway,
    environ: Mapping[str, str],
    *,
    ttl: int = DEFAULT_TTL,
    now: float | None = None,
) -> str:
    """Return the token that `source` gives for `gateway`; the local key signs a new one that lives `ttl` seconds.

    Raises MomError where the source is broken, naming it and never showing what it holds.
    """
    if source.kind == TOKEN_FILE:
        return check(_read(source.place), source.place)
    if source.kind == VARIABLE:
        return check(environ[TOKEN_VARIABLE], TOKEN_VARIABLE)
    from mom.auth.keys import ensure
    from mom.auth.store import home

    return mint(ensure(home(environ)), gateway.origin, ttl=ttl, now=now)


def _read(path: str) -> str:
    """Return the file's text without blanks around it. Its mode is its owner's affair: clusters mount them 0644."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        with os.fdopen(descriptor, "rb") as stream:
            # A little more than a token may be, so that one that is too long is seen to be.
            return stream.read(65_536).decode("utf-8").strip()
    except OSError as error:
        from mom.files import unreadable

        raise unreadable(f"the token file {path}", error) from None
    except UnicodeDecodeError:
        from mom.errors import MomError

        raise MomError(f"the token file {path} does not hold a token: it is not text") from None
