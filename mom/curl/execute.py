"""`mom curl`: replaces itself by curl (execve(2)): exit status, signals, terminal, stdin and streams are curl's own.

Everything that costs milliseconds is imported where it is needed: this runs on every call.
"""

from __future__ import annotations

import os
import sys

from mom.curl import arguments, command, urls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import IO

    from mom.auth.base_url import Gateway
    from mom.curl.arguments import Scan
    from mom.curl.command import Command

    # Gives the base URL of each HTTP adapter that is configured here, by name.
    Adapters = Callable[[], Mapping[str, str]]
    # Runs a command with an environment: like `os.execvpe` it does not return, or it returns an exit status.
    Execute = Callable[[str, list[str], dict[str, str]], int]


def main(
    argv: list[str],
    *,
    environ: Mapping[str, str] | None = None,
    execute: Execute | None = None,
    adapters: Adapters = dict,
    stdout: IO[str] | None = None,
    stderr: IO[str] | None = None,
) -> int:
    """Run curl with `argv`, the words after `mom curl`; return an exit status where curl did not take over.

    Without arguments for curl it shows mom's help and returns 2, as other commands do that lack what they need.
    `adapters` is asked only for a hint. The environment, the function that starts curl, and the streams of mom's own
    messages can be passed in.
    """
    environ = os.environ if environ is None else environ
    stdout = sys.stdout if stdout is None else stdout
    try:
        result = _help() if argv == ["--help"] else _run(argv, environ, execute or exec_curl, adapters)
        if result is None:
            (sys.stderr if stderr is None else stderr).write(_help())
            return 2
        if isinstance(result, int):
            return result
        _write(stdout, result)
    except BrokenPipeError:
        # The reader of the help has gone.
        from mom.streams import silence

        silence(stdout)
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - the boundary of `mom curl`: that of mom.cli comes too late
        return _failed(error, environ, sys.stderr if stderr is None else stderr)
    return 0


def _write(stdout: IO[str], text: str) -> None:
    """Write `text` with the bytes that it came from: an argument may not be UTF-8."""
    if hasattr(stdout, "buffer"):
        stdout.buffer.write(os.fsencode(text))
    else:
        stdout.write(text)
    stdout.flush()


def _help() -> str:
    from mom.curl.help import HELP

    return HELP


def _failed(error: Exception, environ: Mapping[str, str], stderr: IO[str]) -> int:
    """Report in one line why curl did not run, and return the exit status for it."""
    from mom.errors import ExitStatus, MomError, not_importable
    from mom.streams import lost_output, visible, write_message

    if isinstance(error, OSError) and (lost := lost_output(error)):
        error = lost
    elif isinstance(error, ImportError):
        error = not_importable(error)
    if isinstance(error, MomError):
        message, hint = error.message, error.hint
    elif environ.get("MOM_DEBUG"):
        raise error
    else:
        message = f"internal error: {type(error).__name__}: {error}"
        hint = "this is a bug in mom; MOM_DEBUG=1 shows where"
    for kind, text in (("error", message), ("hint", hint)):
        if text:
            write_message(stderr, f"{kind}: {visible(text)}\n")
    missing = isinstance(error, MomError) and error.exit_status is ExitStatus.COMMAND_MISSING
    return int(ExitStatus.COMMAND_MISSING if missing else ExitStatus.NOT_STARTED)


def _run(argv: list[str], environ: Mapping[str, str], execute: Execute, adapters: Adapters) -> int | str | None:
    """Run curl and return its exit status, or the text to print instead; None if there is nothing for curl to do."""
    scan = arguments.scan(argv, lambda: _installed_options(environ), lambda: _curl_version(environ))
    own = scan.own
    if not scan.words:
        return None
    sends = any(group.urls or group.configs for group in scan.groups)
    if scan.is_informational or not sends:
        return _plain(scan.words, scan, environ, execute)
    from mom.auth.base_url import resolve_gateway

    gateway = resolve_gateway(own.get("base-url"), environ)
    authenticated = not scan.ambiguous and "mom-no-auth" not in own
    words = _resolve_urls(scan, gateway, adapters if authenticated else None)
    if not authenticated:
        return _plain(words, scan, environ, execute)
    from mom.curl import curlrc, lifetime

    first = curlrc.check_curlrc(_curlrc_paths(scan, environ), scan, gateway)
    curlrc.check_configs(scan, words, gateway, copy="mom-print" not in own)
    signed = command.signed_groups(scan, gateway, first)
    if signed and gateway.scheme == "http" and not gateway.loopback and "mom-insecure-http" not in own:
        from mom.errors import MomError

        raise MomError(
            f"refusing to send the token to {gateway.origin}: plain http to another host",
            hint="use https, or allow it for this call: --mom-insecure-http",
        )
    from mom.auth.sources import resolve_token_source

    source = resolve_token_source(own.get("mom-token-file"), environ)
    ttl = lifetime.seconds(scan, first)
    if "mom-print" in own:
        from mom.curl import printed

        return printed.signed(command.build(words, scan, gateway, curlrc=first), source, gateway, ttl=ttl)
    token = source.token(gateway, ttl=ttl) if signed else ""
    return _with_pipes(command.build(words, scan, gateway, curlrc=first), token, environ, execute)


def _curlrc_paths(scan: Scan, environ: Mapping[str, str]) -> list[str]:
    """Return the files that curl reads before its command line."""
    from mom.curl.curlrc_path import curlrc_paths

    def version() -> tuple[int, ...]:
        return _curl_version(environ)

    first = scan.words[0]
    paths = curlrc_paths(environ, version)
    # Before curl 7.75, -q has to be alone. Before 7.81, an empty name for -K is that of .curlrc.
    left_out = first in ("-q", "--disable") or (first.startswith("-q") and paths and version() >= (7, 75))
    named = any(not config.path for group in scan.groups for config in group.configs)
    return [] if left_out and not named else paths


def _resolve_urls(scan: Scan, gateway: Gateway, adapters: Adapters | None) -> list[str]:
    """Return the words of `scan` with its paths made URLs of `gateway`.

    Raises UsageError for another host, with a hint from `adapters`; without these, where no token is sent, nothing is
    refused.
    """
    words = list(scan.words)
    for url in scan.urls:
        resolved = urls.resolve_url(url.text, gateway)
        if resolved is not None:
            words[url.index] = url.before + resolved
        elif adapters is not None and not (url.expands and url.text.startswith("{{")):
            from mom.errors import UsageError

            message, hint = urls.url_error(url.text, gateway, adapters())
            raise UsageError(message, hint=hint)
    return words


def _plain(words: list[str], scan: Scan, environ: Mapping[str, str], execute: Execute) -> int | str:
    """Run curl as it is, without a token and so without a pin, or return that command as text."""
    if "mom-print" in scan.own:
        from mom.curl import printed

        return printed.plain(words)
    return execute("curl", ["curl", *words], _environment(environ))


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of curl, without the token."""
    from mom.auth.sources import TOKEN_VARIABLE

    return {name: value for name, value in environ.items() if name != TOKEN_VARIABLE}


def _with_pipes(built: Command, token: str, environ: Mapping[str, str], execute: Execute) -> int:
    """Write the token into a pipe for each group, and run curl."""
    words = ["curl", *built.arguments]
    for index in built.token_arguments:
        content = command.pipe_content(built.arguments[index], token)
        try:
            reader, writer = os.pipe()
            # A pipe takes 64 KiB, but less where the kernel is short of them: fail then, rather than wait for ever.
            os.set_blocking(writer, False)
            written = os.write(writer, content)
            os.close(writer)
            os.set_inheritable(reader, True)
        except OSError as error:
            from mom.errors import MomError
            from mom.files import reason_of

            raise MomError(
                f"cannot create a pipe for the token: {reason_of(error)}", hint="use fewer --next groups"
            ) from None
        name = f"/dev/fd/{reader}"
        if written != len(content) or not os.path.exists(name):
            from mom.errors import MomError

            raise MomError(f"cannot pass the token to curl: there is no {name}", hint="is /dev/fd mounted?")
        words[index + 1] += name
    return execute("curl", words, _environment(environ))


def exec_curl(file: str, words: list[str], environ: dict[str, str]) -> int:
    """Replace this process by `file` of the PATH, run with the arguments `words`, its name first. Raises MomError."""
    try:
        # `signal` without its enums, which take 4 ms: a module of CPython's own, for which type checkers have no stub.
        import _signal as signal  # type: ignore[import-not-found]
    except ImportError:
        import signal

    # Python ignores these two, and exec would hand that on to curl.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execvpe(file, words, environ)  # noqa: S606 - no shell is wanted
    except OSError as error:
        from mom.curl.failures import not_started

        raise not_started(error) from None


def _installed_options(environ: Mapping[str, str]) -> dict[str, bool]:
    from mom.curl.installed import installed_options

    return installed_options(_environment(environ))


def _curl_version(environ: Mapping[str, str]) -> tuple[int, ...]:
    from mom.curl.installed import curl_version

    return curl_version(_environment(environ))
