"""`mom curl` on Windows: no /dev/fd, and an `exec` that loses the exit status, so curl is a child of ours there."""

from __future__ import annotations

from mom.curl import command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mom.curl.arguments import Scan
    from mom.curl.command import Command


def channel(scan: Scan, version: tuple[int, ...]) -> str:
    """Return how the token gets to a curl of `version`: by `--variable` (curl 8.3), else by stdin where it is free.

    Raises MomError where it is not: several groups, or an argument that reads stdin.
    """
    if version >= (8, 3):
        return command.VARIABLE
    if len(scan.groups) > 1 or command.reads_stdin(scan.words):
        from mom.errors import MomError

        shown = ".".join(map(str, version)) or "of an unknown version"
        raise MomError(
            f"curl {shown} takes the token on stdin, which this command line needs itself",
            hint="install curl 8.3 or later: winget install cURL.cURL",
        )
    return command.STDIN


def run(built: Command, token: str, environ: dict[str, str]) -> int:
    """Run the command with the token and return curl's exit status."""
    if built.environment:
        environ = {**environ, command.ENVIRONMENT: token}
    content = command.content(command.CONFIG, token) if built.standard_input else None
    return start("curl", ["curl", *built.arguments], environ, content)


def start(file: str, words: list[str], environ: dict[str, str], standard_input: bytes | None = None) -> int:
    """Run `file` with the arguments `words` (its name first) and return its exit status; it has our terminal."""
    import subprocess

    try:
        child = subprocess.Popen(
            [file, *words[1:]], env=environ, stdin=None if standard_input is None else subprocess.PIPE
        )
    except OSError as error:
        from mom.curl.failures import not_started

        raise not_started(error) from None
    with child:
        if child.stdin is not None and standard_input is not None:
            child.stdin.write(standard_input)
            child.stdin.close()
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                # The console sent it to curl, too: how curl ends is the answer.
                continue
