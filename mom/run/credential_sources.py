"""Where the value of a variable comes from, beside the environment: a command, a file, an env file.

Each source is looked at five times a second, and never waits. What it has lost is lost: a file that is removed opens
nothing a moment later. What is only broken (a line that is not an assignment, a value that cannot be sent) leaves the
value from before in use, and is reported.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from mom.atlas.rules.variable_rules import is_sendable
from mom.errors import MomError, UnreadableError
from mom.files import read_file
from mom.run.clock import seconds_awake_or_not
from mom.run.command import CANNOT_RUN, MOST_BYTES, Printed, Running, run, without_line_ending
from mom.run.env_file import EnvFile
from mom.run.watch import Watch

TTL_SECONDS = 300.0
STALE_SECONDS = 600.0
_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS = 2.0, 60.0


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no value. reason: why, as a clause."""

    reason: str


Value = str | Missing


class CredentialSource(Protocol):
    """Gives the values of variables. label: how a message names it."""

    @property
    def label(self) -> str:
        """How a message names it."""

    @property
    def is_followed(self) -> bool:
        """Whether its values may change while it is used."""

    @property
    def revision(self) -> int:
        """How often it was read."""

    @property
    def is_stale(self) -> bool:
        """Whether its values are from before a failure."""

    def has(self, name: str) -> bool:
        """Whether it is where the variable `name` comes from."""

    def value(self, name: str) -> Value:
        """Return the value of a variable, as it was when last looked at."""

    def look(self) -> Sequence[str]:
        """Look for changes. Return what is wrong with them, a sentence each, once."""

    @property
    def is_busy(self) -> bool:
        """Whether a first value is still to come."""

    def close(self) -> None:
        """Free what it uses."""


def _objection(value: str) -> str | None:
    return None if is_sendable(value) else "contains a line ending or another control character"


@dataclass
class CommandSource:
    """The variable `name`, printed by a command. `ttl`: seconds until it is run again.

    stale: seconds from the last success after which a value is not used any more, however the command fails.
    """

    name: str
    words: tuple[str, ...]
    environ: Mapping[str, str]
    ttl: float = TTL_SECONDS
    stale: float = STALE_SECONDS
    is_followed: bool = True
    errors: str = ""
    _value: Value = field(init=False, default=Missing("has not been printed yet"))
    _succeeded: float = field(init=False, default=0.0)
    _due: float = field(init=False, default=0.0)
    _retry: float = field(init=False, default=_FIRST_RETRY_SECONDS)
    _thread: threading.Thread | None = field(init=False, default=None)
    _printed: Printed | None = field(init=False, default=None)
    _running: Running = field(init=False, default_factory=Running)
    is_stale: bool = field(init=False, default=False)
    revision: int = field(init=False, default=0)

    @property
    def label(self) -> str:
        """The option. What is in the command is not shown."""
        return f"--credential {self.name}=exec"

    @property
    def is_busy(self) -> bool:
        """Whether the first run has not ended."""
        return self._succeeded == 0.0 and self._thread is not None and self._thread.is_alive()

    def has(self, name: str) -> bool:
        """Whether it is this variable."""
        return name == self.name

    def value(self, name: str) -> Value:  # noqa: ARG002
        """Return what was printed last, as long as it may be used."""
        return self._value

    def look(self) -> list[str]:
        """Take what a run has printed; start another one that is due."""
        reports: list[str] = []
        now = seconds_awake_or_not()
        if self._thread is not None and not self._thread.is_alive():
            self._thread = None
            if self._printed is not None:
                reports += self._take(self._printed, now)
        if self._thread is None and now >= self._due:
            # A daemon: a command that hangs does not keep mom from ending.
            self._thread = threading.Thread(target=self._run, name=f"credential {self.name}", daemon=True)
            self._thread.start()
        if isinstance(self._value, str) and self._succeeded and now - self._succeeded > self.stale:
            self._value = Missing(f"is older than {self.stale:.0f} s, and its command fails")
            reports.append(f"{self.name} {self._value.reason}")
        return reports

    def _run(self) -> None:
        try:
            self._printed = run(self.words, self.environ, running=self._running)
        except Exception as error:  # noqa: BLE001  a failure as any other: what was printed before must not count again
            self._printed = Printed(reason=f"{self.words[0]} {CANNOT_RUN}: {type(error).__name__}")

    def _take(self, printed: Printed, now: float) -> list[str]:
        self.revision += 1
        self.errors = printed.errors
        wrong = printed.reason
        if wrong is None and (objection := _objection(printed.value)):
            wrong = f"{self.words[0]} has printed a value that {objection}"
        if wrong is None:
            self._value, self._succeeded, self._due = printed.value, now, now + self.ttl
            self._retry, self.is_stale = _FIRST_RETRY_SECONDS, False
            return []
        self._due = now + self._retry
        self._retry = min(2 * self._retry, _LONGEST_RETRY_SECONDS)
        if not self._succeeded:
            self._value = Missing(wrong)
            return []
        if self.is_stale:
            return []
        self.is_stale = True
        return [f"{self.name}: {wrong}; the value from before is used for {self.stale:.0f} s from its last success"]

    def close(self) -> None:
        """End a run that goes on: with mom ends what would end it in time."""
        self._running.end()


@dataclass
class FileSource:
    """The variable `name`, whose value is what is in a file, but for one line ending at its end."""

    name: str
    path: Path
    label: str
    is_followed: bool = True
    is_stale: bool = field(init=False, default=False)
    revision: int = field(init=False, default=0)
    is_busy: bool = field(init=False, default=False)
    _value: Value = field(init=False, default=Missing("has not been read yet"))
    _watch: Watch | None = field(init=False, default=None)

    def has(self, name: str) -> bool:
        """Whether it is this variable."""
        return name == self.name

    def value(self, name: str) -> Value:  # noqa: ARG002
        """Return what was in the file when it last rested."""
        return self._value

    def look(self) -> list[str]:
        """Read the file if it has changed, and rests."""
        if self._watch is None:
            self._watch = Watch([self.path])
        elif not self._watch.poll():
            return []
        return self._read()

    def _read(self) -> list[str]:
        self.revision += 1
        try:
            value = without_line_ending(read_file(self.path, MOST_BYTES + 2).decode(errors="surrogateescape"))
        except UnreadableError as error:
            self._value = Missing(f"{self.path}: {error.reason}")
            self.is_stale = False
            return []
        if not value.strip():
            self._value, self.is_stale = Missing(f"{self.path} is empty"), False
        elif wrong := _objection(value):
            if isinstance(self._value, Missing):
                self._value = Missing(f"{self.path} {wrong}")
            else:
                self.is_stale = True
                return [f"{self.name}: {self.path} {wrong}; the value from before is used"]
        else:
            self._value, self.is_stale = value, False
        return []

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class EnvFileSource:
    """The variables of `--env-file`."""

    file: EnvFile
    is_stale: bool = field(init=False, default=False)
    revision: int = field(init=False, default=0)
    is_busy: bool = field(init=False, default=False)
    _values: dict[str, str] = field(init=False, default_factory=dict)
    _gone: str | None = field(init=False, default=None)
    _watch: Watch | None = field(init=False, default=None)

    @property
    def label(self) -> str:
        """The option."""
        return f"--env-file {self.file.path}"

    @property
    def is_followed(self) -> bool:
        """A pipe is read once."""
        return self.file.is_followed

    @property
    def values(self) -> Mapping[str, str]:
        """All of its variables."""
        return self._values

    def has(self, name: str) -> bool:
        """Whether it has had a line for this variable when last looked at."""
        return name in self._values

    def value(self, name: str) -> Value:
        """Return the value of a variable."""
        if self._gone is not None:
            return Missing(self._gone)
        value = self._values.get(name)
        if value is None:
            return Missing(f"is not in {self.file.path}")
        return value if value.strip() else Missing(f"is empty in {self.file.path}")

    def read(self) -> None:
        """Read it for the first time. Raises MomError."""
        if self._watch is None:
            self._watch = Watch([self.file.path] if self.is_followed else [])
        self._values = dict(self.file.read())

    def look(self) -> list[str]:
        """Read it again if it has changed, and rests. Raises MomError where it cannot be read or parsed."""
        if self._watch is None:
            self.read()
            return []
        if not self._watch.poll():
            return []
        self.revision += 1
        if not self.file.path.exists():
            self._gone = f"cannot be read: {self.file.path} was removed"
            return []
        before = self._values
        now = dict(self.file.read())
        self._gone = None
        broken = [name for name, value in now.items() if _objection(value) and not _objection(before.get(name, "\n"))]
        self._values = {**now, **{name: before[name] for name in broken}}
        self.is_stale = bool(broken)
        if broken:
            names = ", ".join(broken)
            message = f"{self.file.path}: the value of {names} contains a line ending or another control character"
            raise MomError(message)
        return []

    def close(self) -> None:
        """Nothing is open."""
