"""`--credential` and its like, read: which command or file gives the value of which variable."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from mom.atlas.references import NAME, Reference, objection
from mom.errors import UsageError
from mom.run.credential_sources import (
    STALE_SECONDS,
    TTL_SECONDS,
    CommandSource,
    EnvFileSource,
    FileSource,
)
from mom.run.credentials import Credentials
from mom.run.env_file import EnvFile

# systemd sets it for a service with LoadCredential= (systemd.exec(5)).
DIRECTORY_VARIABLE = "CREDENTIALS_DIRECTORY"
_FORM = "NAME=exec:COMMAND or NAME=file:PATH"
_DURATION = re.compile(r"(\d{1,7})(s|m|h)?\Z")
_SECONDS = {None: 1, "s": 1, "m": 60, "h": 3_600}


def read_credentials(
    environ: Mapping[str, str],
    given: Sequence[str] = (),
    folder: str | None = None,
    env_file: str | None = None,
    *,
    keeps_going: bool = False,
) -> Credentials:
    """Return where variables come from: `--credential`, `--credentials-dir`, `--env-file`; nothing is read or run yet.

    Raises UsageError for an option of another form, for a variable that is given twice, and for what is not a folder.
    """
    sources: dict[str, CommandSource | FileSource] = {}
    for text in given:
        source = read_credential(text, environ)
        if source.name in sources:
            raise UsageError(f"--credential: {source.name} is given twice", hint="remove one of them")
        sources[source.name] = source
    folders = []
    if folder is not None:
        folders.append(("--credentials-dir", _folder(folder)))
    elif environ.get(DIRECTORY_VARIABLE):
        path = Path(environ[DIRECTORY_VARIABLE])
        if os.path.isdir(path):  # noqa: PTH112  Path.is_dir raises where permission is denied
            folders.append((f"${DIRECTORY_VARIABLE}", path))
    return Credentials(
        # A copy: os.environ encodes a name and decodes a value each time it is asked, of ten thousand several times.
        dict(environ),
        tuple(sources.values()),
        tuple(folders),
        EnvFileSource(EnvFile(Path(env_file))) if env_file else None,
        keeps_going=keeps_going,
    )


def read_credential(text: str, environ: Mapping[str, str]) -> CommandSource | FileSource:
    """Return the source that the value of one `--credential` describes. Raises UsageError; no value is repeated."""
    name, equals, rest = text.partition("=")
    if not equals or NAME.match(name) is None:
        shown = f"`{name}` is not a name of a variable" if equals and len(name) <= 40 else "no variable is named"
        raise UsageError(f"--credential: {shown}", hint=f"write {_FORM}")
    if wrong := objection(Reference(name, 0, len(name))):
        raise UsageError(f"--credential: {wrong.message}", hint=wrong.hint)
    settings, colon, what = rest.partition(":")
    kind, *pairs = settings.split(",")
    if not colon or kind not in {"exec", "file"}:
        raise UsageError(f"--credential {name}: neither a command nor a file is given", hint=f"write {_FORM}")
    if kind == "file":
        if pairs:
            raise UsageError(f"--credential {name}: a file has no {pairs[0].partition('=')[0]}", hint=f"write {_FORM}")
        if not what:
            raise UsageError(f"--credential {name}: the name of the file is missing", hint=f"write {_FORM}")
        return FileSource(name, _path(what), f"--credential {name}=file")
    return _command(name, pairs, what, environ)


def _command(name: str, pairs: Sequence[str], line: str, environ: Mapping[str, str]) -> CommandSource:
    try:
        words = tuple(shlex.split(line))
    except ValueError as error:
        raise UsageError(f"--credential {name}: the command has {str(error).lower()}", hint="close the quote") from None
    if not words:
        raise UsageError(f"--credential {name}: the command is missing", hint=f"write {_FORM}")
    times: dict[str, float] = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        if key not in {"ttl", "stale"}:
            hint = "write exec,ttl=5m,stale=10m:COMMAND"
            raise UsageError(f"--credential {name}: `{key}` is neither `ttl` nor `stale`", hint=hint)
        times[key] = _duration(name, key, value)
    ttl = times.get("ttl", TTL_SECONDS)
    stale = times.get("stale", max(STALE_SECONDS, 2 * ttl))
    if stale <= ttl:
        message = f"--credential {name}: stale ({stale:.0f} s) must be longer than ttl ({ttl:.0f} s)"
        raise UsageError(message, hint="else each value would be out of date before the command runs again")
    return CommandSource(name, words, environ, ttl=ttl, stale=stale)


def _duration(name: str, key: str, text: str) -> float:
    match = _DURATION.match(text)
    if match is None or int(match[1]) == 0:
        raise UsageError(f"--credential {name}: `{key}` is not a duration", hint="write 30s, 5m or 1h")
    return float(int(match[1]) * _SECONDS[match[2]])


def _folder(text: str) -> Path:
    path = _path(text)
    if not os.path.isdir(path):  # noqa: PTH112  Path.is_dir raises where permission is denied
        raise UsageError(f"--credentials-dir {text}: it is not a folder", hint="name a folder with a file per variable")
    return path


def _path(text: str) -> Path:
    # Path.expanduser raises for a user that is unknown; a shell, too, leaves such a word as it is.
    return Path(os.path.expanduser(text))  # noqa: PTH111
