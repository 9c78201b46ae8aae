"""The curl command for a command line of `mom curl`: arguments in; arguments and the content of pipes out. Pure."""

from __future__ import annotations

from mom.curl.curlrc import allows, given
from mom.curl.urls import SOCKETS
from mom.gateway import TOKEN_HEADER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mom.auth.base_url import Gateway
    from mom.curl.arguments import Group, Scan
    from mom.curl.curlrc import Setting

# The token gets to curl by a pipe of its own for each group, `-K` in the first group and `-H @` in the others. A pipe
# that is not there makes `-K` fail, where `-H @` of older curls would send no token; but before curl 7.70 `-K` counts
# for the first group wherever it is.

# What an argument has before the name of a pipe.
CONFIG = ""
HEADERS = "@"


class Command:
    """A curl command that lacks only its tokens.

    arguments: curl's, without its name. token_arguments: the indices of those (CONFIG or HEADERS) that lack
    the name of a pipe, each of a pipe of its own with `pipe_content(argument, token)` in it.
    """

    __slots__ = ("arguments", "token_arguments")

    def __init__(self, arguments: list[str], token_arguments: list[int]) -> None:
        """Be these `arguments`, of which `token_arguments` are indices."""
        self.arguments = arguments
        self.token_arguments = token_arguments


def pipe_content(argument: str, token: str) -> bytes:
    """Return what makes curl send `token` when it reads it after `argument`, CONFIG or HEADERS.

    The characters of `token` are those that `mom.auth.tokens.require_sendable` lets pass: nothing has to be quoted.
    """
    header = f"{TOKEN_HEADER}: {token}"
    return (f"{header}\n" if argument == HEADERS else f'header = "{header}"\n').encode("ascii")


def reads_stdin(words: Sequence[str]) -> bool:
    """Whether curl may read its stdin because of `words`: in doubt it may."""
    return any(
        word in ("-", ".") or word.endswith(("@-", "T-", "T.", "K-", "b-", "<-", ";type=-", "=-")) for word in words
    )


def signed_groups(scan: Scan, gateway: Gateway, curlrc: Sequence[Setting] = ()) -> list[Group]:
    """Return the groups that are to have a token of ours.

    They are those that send something, bring none of their own, and are not forbidden to talk to the gateway: curl
    refuses these itself. `curlrc` is what ~/.curlrc says, which counts for the first group.
    """
    return [
        group
        for group in scan.groups
        if (group.urls or group.configs)
        and not group.own_token
        and _schemes(group, gateway, curlrc if group is scan.groups[0] else ())
    ]


def build(words: Sequence[str], scan: Scan, gateway: Gateway, *, curlrc: Sequence[Setting] = ()) -> Command:
    """Return the command that runs `words` (those of `scan`, its URLs completed) with a token, pinned to `gateway`.

    `curlrc` is what ~/.curlrc says, which counts for the first group.
    """
    signed = signed_groups(scan, gateway, curlrc)
    additions: dict[int, list[str]] = {}
    ends: list[int] = []
    for group in scan.groups:
        if not group.urls and not group.configs:
            continue
        more = additions.setdefault(group.end, [])
        more += _pin(group, gateway, curlrc if group is scan.groups[0] else ())
        if group in signed:
            more += ["-K", CONFIG] if group is scan.groups[0] else ["-H", HEADERS]
            ends.append(group.end)
        if group.configs and not group.connect_to:
            before = _connect_to(gateway)
            if group.configs[0].option == 0 and words[0].startswith("-q"):
                # This `-q`, in one word with the `-K`, counts only as the first word.
                before = ["-q", *before]
            additions.setdefault(group.configs[0].option, [])[:0] = before
    arguments: list[str] = []
    token_arguments: list[int] = []
    for index in range(len(words) + 1):
        arguments += additions.get(index, ())
        if index in ends:
            token_arguments.append(len(arguments) - 1)
        arguments += words[index : index + 1]
    return Command(arguments, token_arguments)


def _connect_to(gateway: Gateway) -> list[str]:
    return ["--connect-to", f"::{gateway.endpoint}"]


def _pin(group: Group, gateway: Gateway, curlrc: Sequence[Setting]) -> list[str]:
    pin = _connect_to(gateway)
    allowed = _schemes(group, gateway, curlrc)
    if allowed:
        pin += ["--proto", f"={','.join(allowed)}"]
        redirects = [scheme for scheme in allowed if _allows(group, curlrc, "proto-redir", scheme)]
        # Forbidden redirects stay so by the user's own option: a redirect has to be allowed by both.
        pin += ["--proto-redir", f"={','.join(redirects)}"] if redirects else []
    if not group.follows:
        pin.append("--no-location")
    if gateway.scheme == "http" and not group.proxy:
        pin += ["--noproxy", "*"]
    return pin


def _schemes(group: Group, gateway: Gateway, curlrc: Sequence[Setting]) -> list[str]:
    """Return the gateway's schemes that the user does not forbid to `group`, and that are used in it."""
    schemes = [gateway.scheme, *([SOCKETS[gateway.scheme]] if group.socket else [])]
    return [scheme for scheme in schemes if _allows(group, curlrc, "proto", scheme)]


def _allows(group: Group, curlrc: Sequence[Setting], option: str, scheme: str) -> bool:
    # Of several values the last one counts.
    values = [value for name, value in given(group, curlrc) if name == option]
    return not values or allows(values[-1], scheme)
