"""Whose token is sent: the sources of a token, as objects, in their fixed order.

1. a file (`mom curl --mom-token-file FILE`, `mom auth … --token-file FILE`), 2. the variable MOM_TOKEN, 3. this user's
own key, which signs for the gateway at hand and is created on first use. The first that is present wins, and when it is
unusable (a missing file, an empty variable) that is an error: sending another identity's token instead would be worse
than sending none.
"""

from __future__ import annotations

import os

from mom.auth.tokens import DEFAULT_TTL, mint, narrowed, require_sendable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from mom.auth.base_url import Gateway
    from mom.auth.status import Status

    class TokenSource(Protocol):
        """Where the token comes from.

        kind: a name for it. place: the file, or the variable's name. signs: whether it signs a new token for each
        gateway, with a chosen life. without: what to type to use another source.
        """

        @property
        def kind(self) -> str: ...
        @property
        def place(self) -> str: ...
        @property
        def signs(self) -> bool: ...
        @property
        def without(self) -> str: ...

        def token(self, gateway: Gateway, *, ttl: int = ..., adapters: Sequence[str] = ...) -> str:
            """Return the token for `gateway`; a source that signs gives it a life of `ttl` seconds.

            adapters: those that the token opens, all if empty; only a source that signs narrows a token.

            Raises MomError where the source is unusable, naming it and never showing its content.
            """

        def describe(self, gateway: Gateway, *, now: float | None = None) -> Status:
            """Return whose token would be sent to `gateway`, and why, without creating a key. Raises as `token`."""

        def shell(self, gateway: Gateway, *, ttl: int = ...) -> str:
            """Return a shell command, without a secret in it, that prints the token and a line ending."""


TOKEN_VARIABLE = "MOM_TOKEN"  # noqa: S105 - the name of a variable


def resolve_token_source(token_file: str | None, environ: Mapping[str, str]) -> TokenSource:
    """Return the source that wins; whether it is usable is seen when it is used. Raises MomError without a home."""
    if token_file is not None:
        return FileSource(token_file, environ)
    if TOKEN_VARIABLE in environ:
        return VariableSource(environ)
    from mom.auth.store import home

    return OwnKeySource(home(environ))


class FileSource:
    """A token in a file, from an identity provider or a mounted secret."""

    kind = "token file"
    signs = False
    without = "leave out the token file"

    def __init__(self, path: str, environ: Mapping[str, str]) -> None:
        """Take the file's path; `environ` says where this user's own keys are, for the description."""
        self.place = path
        self._environ = environ

    def token(self, gateway: Gateway, *, ttl: int = DEFAULT_TTL, adapters: Sequence[str] = ()) -> str:
        """Return the file's content without blanks around it. See `TokenSource`."""
        del gateway, ttl, adapters
        return require_sendable(_read(self.place), self.place)

    def describe(self, gateway: Gateway, *, now: float | None = None) -> Status:
        """Return what the token in the file says. See `TokenSource`."""
        from mom.auth.status import of_token

        place = os.path.abspath(self.place)
        return of_token(self, gateway, self._environ, place=place, reason="a token file was given", now=now)

    def shell(self, gateway: Gateway, *, ttl: int = DEFAULT_TTL) -> str:
        """Return a command that prints the file's content. See `TokenSource`."""
        del gateway, ttl
        from mom.shell import quote

        return f"tr -d {quote('[:space:]')} < {quote(self.place)}"


class VariableSource:
    """A token in the variable MOM_TOKEN."""

    kind = "variable"
    place = TOKEN_VARIABLE
    signs = False
    without = f"unset {TOKEN_VARIABLE}"

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Take the environment that has the variable."""
        self._environ = environ

    def token(self, gateway: Gateway, *, ttl: int = DEFAULT_TTL, adapters: Sequence[str] = ()) -> str:
        """Return the variable's value. See `TokenSource`."""
        del gateway, ttl, adapters
        return require_sendable(self._environ[TOKEN_VARIABLE], TOKEN_VARIABLE)

    def describe(self, gateway: Gateway, *, now: float | None = None) -> Status:
        """Return what the token in the variable says. See `TokenSource`."""
        from mom.auth.status import of_token

        reason = f"{TOKEN_VARIABLE} is set, and no token file was given"
        return of_token(self, gateway, self._environ, place=TOKEN_VARIABLE, reason=reason, now=now)

    def shell(self, gateway: Gateway, *, ttl: int = DEFAULT_TTL) -> str:
        """Return a command that prints the variable. See `TokenSource`."""
        del gateway, ttl
        return f"printenv {TOKEN_VARIABLE}"


class OwnKeySource:
    """Tokens that this user's own key signs, one for each call."""

    kind = "local key"
    signs = True
    without = "set MOM_TOKEN, or give a token file"

    def __init__(self, home: str) -> None:
        """Take the folder in which the key is stored."""
        self._home = home

    @property
    def place(self) -> str:
        """The key file, whether it exists or not."""
        from mom.auth.keys import key_file

        return key_file(self._home)

    def token(self, gateway: Gateway, *, ttl: int = DEFAULT_TTL, adapters: Sequence[str] = ()) -> str:
        """Return a new token for `gateway`; the key is created on first use. See `TokenSource`."""
        from mom.auth.keys import ensure

        return mint(ensure(self._home), narrowed(gateway.origin, adapters), ttl=ttl)

    def describe(self, gateway: Gateway, *, now: float | None = None) -> Status:
        """Return which key would sign. See `TokenSource`."""
        from mom.auth.status import of_own_key

        reason = f"no token file was given and {TOKEN_VARIABLE} is not set"
        return of_own_key(self, gateway, self._home, reason=reason, now=now)

    def shell(self, gateway: Gateway, *, ttl: int = DEFAULT_TTL) -> str:
        """Return the `mom auth token` that signs the same. See `TokenSource`."""
        from mom.shell import join

        words = ["mom", "auth", "token", "--base-url", gateway.origin]
        words += ["--ttl", str(ttl)] if ttl != DEFAULT_TTL else []
        return join(words)


def _read(path: str) -> str:
    """Return the file's text without blanks around it. Its mode is its owner's affair: clusters mount them 0644."""
    from mom.files import read_file

    # More than a token may have, so that one that is too long is reported as that; a pipe may be a shell's `<(…)`.
    data = read_file(path, pipes=True)
    try:
        return data.decode("utf-8").strip()
    except UnicodeDecodeError:
        from mom.errors import MomError

        raise MomError(f"the token file {path} does not contain a token: it is not text") from None
