"""Options of commands that send or print an access token: for which gateway, whose token, which adapters it opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mom.errors import UsageError
from mom.gateway import ADAPTERS_PREFIX, DEFAULT_BASE_URL

if TYPE_CHECKING:
    from mom.auth.sources import TokenSource

BaseUrlOption = Annotated[
    str | None,
    typer.Option("--base-url", metavar="URL", help=f"The gateway. Default: $MOM_BASE_URL, else {DEFAULT_BASE_URL}."),
]
TokenFileOption = Annotated[str | None, typer.Option("--token-file", metavar="FILE", help="Use the token in a file.")]


def _adapter_names(incomplete: str) -> list[str]:
    from mom.cli.completion import adapter_names

    return adapter_names(incomplete)


# Which adapters a token opens.
AdaptersOption = Annotated[
    list[str] | None,
    typer.Option(
        "--adapter",
        metavar="NAME",
        help="A token for this adapter alone: its name, or its path, as /v1/apis/aws. Repeatable.",
        autocompletion=_adapter_names,
        show_default=False,
    ),
]


def checked_adapters(names: list[str] | None) -> tuple[str, ...]:
    """Return the adapters that a token opens, all if none is named. Raises UsageError for what names none.

    An adapter of another kind than HTTP is given by its path.
    """
    from mom.atlas.values.names import check_adapter_name

    for name in names or ():
        if name.startswith("/"):
            if not name.startswith(ADAPTERS_PREFIX) or "?" in name:
                raise UsageError(f"--adapter {name!r} is not the path of an adapter", hint="such as /v1/apis/aws")
        elif wrong := check_adapter_name(name):
            raise UsageError(f"--adapter {name!r}: {wrong.message}", hint=wrong.hint)
    return tuple(names or ())


def require_own_key(source: TokenSource, option: str) -> None:
    """Raise UsageError where the token is not one that this user's key signs, to which alone `option` applies."""
    if not source.signs:
        raise UsageError(
            f"{option} applies to tokens that your own key signs, not to the one in {source.place}",
            hint=f"leave out {option}, or {source.without}",
        )
