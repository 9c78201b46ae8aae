"""`--mom-print`: the command as a line for every POSIX shell and for fish, without a secret in it. Text in, text out.

Where these shells differ, the line keeps to what they share: no process substitution, no here-document, no `$(…)`, and
quotes that all of them read alike. The command that prints the token writes into a pipe, of which `sed` makes an option
for curl: no argument of any process has the token. Where curl's stdin is the user's, or more than one group of options
needs the token, `sh` is asked to give curl further descriptors; the user's arguments stay outside of its script.
"""

from __future__ import annotations

from mom.curl import command
from mom.gateway import TOKEN_HEADER, TOKEN_SECONDS
from mom.shell import join, quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mom.auth.base_url import Gateway
    from mom.auth.sources import TokenSource
    from mom.curl.command import Command

# A POSIX shell may know no descriptor above 9; one of them has the user's stdin.
_FIRST, _STDIN = 3, 9


def signed(built: Command, source: TokenSource, gateway: Gateway, *, ttl: int = TOKEN_SECONDS) -> str:
    """Return the line that does what `built` does with the token of `source`, signed for `ttl` seconds.

    Raises UsageError for more groups than there are descriptors.
    """
    if not built.token_arguments:
        return plain(built.arguments)
    source_command = source.shell(gateway, ttl=ttl)
    if len(built.token_arguments) == 1 and not command.reads_stdin(built.arguments):
        (index,) = built.token_arguments
        arguments = [*built.arguments]
        arguments[index] += "-"
        script = quote(_script(built.arguments[index]))
        return f"{source_command} | sed {script} | {plain(arguments)}"
    return _with_descriptors(built, source_command)


def plain(arguments: Sequence[str]) -> str:
    """Return curl's command line with `arguments`."""
    return join(["curl", *arguments]) + "\n"


def _script(argument: str) -> str:
    """Return the sed script that makes of a token what curl reads after `argument`."""
    # No blanks, so that neither curl nor a shell needs quotes in it.
    return f"s/^/{'' if argument == command.HEADERS else 'header='}{TOKEN_HEADER}:/"


def _with_descriptors(built: Command, source_command: str) -> str:
    """Return a line in which `sh` gives curl a descriptor for each token, and leaves its stdin alone."""
    if len(built.token_arguments) > _STDIN - _FIRST:
        from mom.errors import UsageError

        raise UsageError(
            f"--mom-print: cannot print {len(built.token_arguments)} groups of options: a shell has descriptors for 6",
            hint="print fewer --next groups at once",
        )
    arguments = [*built.arguments]
    last = _FIRST + len(built.token_arguments) - 1
    script = f'curl "$@" {last}<&0 <&{_STDIN} {_STDIN}<&-'
    for number, index in reversed(list(enumerate(built.token_arguments, _FIRST))):
        if number != last:
            script = f"{{ {script}; }} {number}<&0"
        script = f"{source_command} | sed {_script(built.arguments[index])} | {script}"
        arguments[index] += f"/dev/fd/{number}"
    return join(["sh", "-c", f"exec {_STDIN}<&0; {script}", "curl", *arguments]) + "\n"
