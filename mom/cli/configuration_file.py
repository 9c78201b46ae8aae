"""Which configuration a command reads where none is named: `$MOM_CONFIG`, else the nearest atlas.yml or atlas.yaml.

The search goes from the current folder up to the root of its repository, the folder that has a `.git`, and no further:
a file in a home folder or in `/` must not configure what is below by accident. Outside a repository only the current
folder counts.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from mom.atlas.beginning import with_beginning
from mom.console import Console
from mom.errors import MomError, UnreadableError, UsageError
from mom.files import IS_FOLDER, read_file, reason_of
from mom.shell import quote
from mom.streams import STDIN, read_stdin
from mom.yamledit.source import MAX_BYTES, Source, decode

VARIABLE = "MOM_CONFIG"
NAMES = ("atlas.yml", "atlas.yaml")


class ConfigurationFile(NamedTuple):
    """A configuration that a command works on: `path`, relative to the current folder where it was searched for.

    `given`: the user named it, by `-f` or as an argument. `reason` is a clause that says why it is this one.
    """

    path: str
    reason: str = "given on the command line"
    given: bool = True
    in_parent: bool = False

    @property
    def is_stdin(self) -> bool:
        """Whether it is standard input."""
        return self.given and self.path == "-"

    @property
    def option(self) -> str:
        """What names the file in a command line of a message: nothing where the command finds it by itself."""
        if not self.given:
            return ""
        return " -f FILE" if self.is_stdin else f" -f {quote(self.path)}"


def configuration_file(given: str | None, *, quiet: bool = False, verbose: bool = False) -> ConfigurationFile:
    """Return the file that `-f` gives, else the one that is found; one of a parent folder is named on stderr.

    Raises UsageError where two could be meant, UnreadableError where there is none.
    """
    file = ConfigurationFile(given) if given is not None else locate(os.environ)
    if verbose or file.in_parent:
        Console(quiet=quiet).status("Using", f"{file.path}, {file.reason}" if verbose else file.path)
    return file


def read_source(file: ConfigurationFile) -> Source:
    """Return the text of the file, of stdin for `-`. Raises MomError where it cannot be read or is not text."""
    if file.is_stdin:
        return decode(read_stdin(MAX_BYTES), STDIN)
    try:
        return decode(read_file(file.path, MAX_BYTES, pipes=file.given), file.path)
    except UnreadableError as error:
        if error.reason == IS_FOLDER:
            error.hint = "name a file in it, or - for standard input"
        raise with_beginning(error) from None


def locate(environ: Mapping[str, str]) -> ConfigurationFile:
    """Return the configuration for the current folder.

    Raises UsageError where a folder has both names, UnreadableError where there is no configuration.
    """
    if named := environ.get(VARIABLE):
        if named == "-":
            raise UsageError(f"{VARIABLE} is `-`, and standard input is not a file", hint="pass -f - instead")
        return ConfigurationFile(named, reason=f"named by {VARIABLE}", given=False)
    try:
        here = Path.cwd()
    except OSError as error:
        raise MomError(f"cannot find the current folder: {reason_of(error)}", hint="cd to another one") from None
    for folder in _searched(here):
        names = [name for name in NAMES if _is_file(folder / name)]
        path = "/".join([*[".."] * len(here.relative_to(folder).parts), *names[:1]])
        if len(names) > 1:
            both = f"this folder has both {NAMES[0]} and {NAMES[1]}" if folder == here else f"{folder} has both"
            raise UsageError(both, hint=f"pass one of them: -f {path}")
        if names:
            reason = "in this folder" if folder == here else f"in the parent folder {folder}"
            return ConfigurationFile(path, reason=reason, given=False, in_parent=folder != here)
    raise with_beginning(UnreadableError(NAMES[0], "there is no such file", missing=True))


def _searched(here: Path) -> Iterator[Path]:
    """Yield the folders from `here` up to the root of its repository."""
    folders = [here, *here.parents]
    roots = [number for number, folder in enumerate(folders) if os.path.lexists(folder / ".git")]
    yield from folders[: roots[0] + 1 if roots else 1]


def _is_file(path: Path) -> bool:
    # A link that leads nowhere counts: it is reported as what it is, not passed over for a file further up.
    return os.path.lexists(path) and not path.is_dir()
