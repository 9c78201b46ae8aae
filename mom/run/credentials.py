"""Where the variables of a run come from, and their values now.

| order | source | followed | where Envoy finds the value |
|---|---|---|---|
| 1 | `--credential NAME=exec:COMMAND`, `--credential NAME=file:PATH` | yes | a file on memory |
| 2 | `--credentials-dir DIR`, `$CREDENTIALS_DIRECTORY` | yes | a file on memory |
| 3 | the environment | no | its environment |
| 4 | `--env-file FILE` | yes, unless it is a pipe | a file on memory |

The source of a variable is chosen when it is first needed, and stays: a file that is removed does not have an older
value from elsewhere come back. Where there is no file system in memory, all values are in Envoy's environment, and a
change of one starts a new process.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from mom.atlas.model import Adapter
from mom.atlas.rules.catalogue import problem_of
from mom.atlas.rules.variable_rules import Environment, Use, is_sendable, names_in, uses, variable_problem
from mom.envoy.options import CredentialState
from mom.errors import MomError
from mom.masking import mask_tokens
from mom.problems import Problem
from mom.run.clock import timestamp
from mom.run.command import CANNOT_RUN
from mom.run.credential_sources import CommandSource, CredentialSource, EnvFileSource, FileSource, Missing, Value
from mom.run.watch import Watch

READY, STALE, UNAVAILABLE = "ready", "stale", "unavailable"
# The worst state of an adapter's variables is that of the adapter.
_ORDER = (READY, STALE, UNAVAILABLE)


class News(NamedTuple):
    """What a look has found. changed: variables with another value, or none. errors: what could not be read.

    has_states: whether the state of a variable is another. has_read: whether anything was read again.
    """

    changed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    errors: tuple[MomError, ...] = ()
    has_states: bool = False
    has_read: bool = False


class _Settled(NamedTuple):
    """A value that stays as it is until its source is read again; `revision` is that of the source."""

    value: str
    source: CredentialSource | None
    revision: int

    @property
    def is_outdated(self) -> bool:
        """Whether it may be another now. That of a command grows too old without being read."""
        return self.source is not None and (
            self.source.revision != self.revision or isinstance(self.source, CommandSource)
        )


@dataclass
class Credentials:
    """The sources of a run. given: those of `--credential`. folders: each with how a message names it.

    keeps_going: whether a run starts without a value for each variable. on_memory: whether values may change without a
    new process. shows_errors: whether what a failed command has written to standard error is reported. sleep: called
    while a first value is waited for; it may raise.
    """

    environ: Mapping[str, str]
    given: Sequence[CommandSource | FileSource] = ()
    folders: Sequence[tuple[str, Path]] = ()
    env_file: EnvFileSource | None = None
    keeps_going: bool = False
    on_memory: bool = False
    shows_errors: bool = False
    sleep: Callable[[float], None] = time.sleep
    _has_begun: bool = field(init=False, default=False)
    # The source of each variable that was needed so far; None is the environment.
    _chosen: dict[str, CredentialSource | None] = field(init=False, default_factory=dict)
    _found: dict[str, Path | str] = field(init=False, default_factory=dict)
    _last: dict[str, Value] = field(init=False, default_factory=dict)
    _states: dict[str, CredentialState] = field(init=False, default_factory=dict)
    # Of the variables that were needed last.
    _settled: dict[str, _Settled] = field(init=False, default_factory=dict)
    _had: set[str] = field(init=False, default_factory=set)
    _revision: int = field(init=False, default=0)
    _folder_watch: Watch = field(init=False, default_factory=lambda: Watch([]))

    def begin(self) -> None:
        """Read the env file, and wait for the first run of each command. Raises MomError for an unreadable env file."""
        if self._has_begun:
            return
        if self.env_file is not None:
            self.env_file.read()
        for source in self.given:
            source.look()
        while any(source.is_busy for source in self.given):
            self.sleep(0.02)
        for source in self.given:
            source.look()
        self._folder_watch.add(folder for _, folder in self.folders)
        self._has_begun = True

    def find(self, name: str, at: Path | str) -> None:
        """Have a variable come from a file, or have a value, unless an option says where it comes from; "": neither."""
        if at == self._found.get(name, ""):
            return
        self._found[name] = at
        self._chosen.pop(name, None)
        self._settled.pop(name, None)
        if isinstance(at, str):
            self.environ = {**self.environ, name: at}

    def source(self, name: str) -> CredentialSource | None:
        """Return where a variable comes from, None for the environment."""
        if name not in self._chosen:
            source = self._choose(name)
            if source is None and name not in self.environ:
                # Nowhere yet. Where it may still come from decides; the choice is not kept.
                return self._perhaps(name)
            if source is not None and source not in (*self.given, self.env_file):
                source.look()
            self._chosen[name] = source
        return self._chosen[name]

    def _choose(self, name: str) -> CredentialSource | None:
        for source in self.given:
            if source.has(name):
                return source
        for label, folder in self.folders:
            if os.path.exists(folder / name):  # noqa: PTH110  Path.exists raises where permission is denied
                return FileSource(name, folder / name, label)
        if isinstance(found := self._found.get(name), Path):
            return FileSource(name, found, str(found))
        if name in self.environ:
            return None
        return self.env_file if self.env_file is not None and self.env_file.has(name) else None

    def _perhaps(self, name: str) -> CredentialSource | None:
        if not self.keeps_going:
            return None
        source: CredentialSource | None = self.env_file
        if source is None and self.folders:
            label, folder = self.folders[0]
            source = FileSource(name, folder / name, label)
            source.look()
        if source is not None:
            self._chosen[name] = source
        return source

    def value(self, name: str) -> Value:
        """Return the value of a variable as it is now."""
        source = self.source(name)
        if source is not None:
            return source.value(name)
        value = self.environ.get(name)
        return Missing("is not set") if value is None else value

    def problem(self, use: Use) -> Problem | None:
        """Return why a variable cannot be used where it is named, None where it can."""
        source = self.source(use.name)
        if source is None or source is self.env_file:
            in_file = self.env_file.values if self.env_file is not None else None
            file = str(self.env_file.file.path) if self.env_file is not None else ""
            environment = Environment(self.environ if source is None else {}, in_file, file)
            if problem := variable_problem(use, environment):
                return problem
        value = self.value(use.name)
        if isinstance(value, Missing):
            label = "" if source is None else f"{source.label}: "
            message = f"the variable {use.name} has no value ({use.words}): {label}{value.reason}"
            return problem_of(use.setting.place, "unset-variable", message, hint=_hint(use.name, source, value.reason))
        return None

    def values(self, adapters: Iterable[Adapter]) -> tuple[dict[str, str], frozenset[str]]:
        """Return the variables that `adapters` name with their values, and those whose values Envoy finds in files.

        One without a value is among these: its adapters respond with 503. Raises MomError with a Problem at each
        setting that names an unset, empty or unsendable one, but for those that had a value before in this run.
        """
        self.begin()
        given: dict[str, str] = {}
        secrets: dict[str, None] = {}
        settled: dict[str, _Settled] = {}
        unusable: dict[str, None] = {}
        for adapter in adapters:
            for name in names_in(adapter):
                if name in given or name in secrets or name in unusable:
                    continue
                known = self._settled.get(name)
                if known is None or known.is_outdated:
                    known = self._settle(name, adapter)
                if known is None:
                    (secrets if self.keeps_going or name in self._had else unusable)[name] = None
                    continue
                settled[name] = known
                given[name] = known.value
                if known.source is not None and known.source.is_followed and self.on_memory:
                    secrets[name] = None
        if unusable:
            count = "1 environment variable is" if len(unusable) == 1 else f"{len(unusable)} environment variables are"
            message = f"{count} missing or unusable: {', '.join(unusable)}"
            problems = [problem for use in uses(adapters) if use.name in unusable and (problem := self.problem(use))]
            raise MomError(message, hint="without credentials: mom atlas run --stand-in", problems=problems)
        self._had.update(given)
        news = {name for name in (*given, *secrets) if self._settled.get(name) is not settled.get(name, self)}
        self._remember(news, news.intersection(given))
        self._settled = settled
        self._revision = sum(source.revision for source in self._all())
        return given, frozenset(secrets)

    def _settle(self, name: str, adapter: Adapter) -> _Settled | None:
        """Return the value of a variable that an adapter names, None where it cannot be used."""
        source, value = self.source(name), self.value(name)
        is_checked = source is not None and source is not self.env_file
        if not (isinstance(value, str) and (is_checked or (value.strip() and is_sendable(value)))):
            use = next(use for use in uses([adapter]) if use.name == name)
            if self.problem(use):
                return None
        return _Settled(str(value), source, 0 if source is None else source.revision)

    def states(self, adapters: Iterable[Adapter]) -> dict[tuple[str, str], CredentialState]:
        """Return the state of each adapter's credential, by kind and name; none for an adapter without variables."""
        states: dict[tuple[str, str], CredentialState] = {}
        for adapter in adapters:
            if known := [self._states[name] for name in names_in(adapter) if name in self._states]:
                states[adapter.kind, adapter.name] = max(known, key=_rank) if len(known) > 1 else known[0]
        return states

    def look(self) -> News:
        """Look at every source for what is new."""
        warnings: list[str] = []
        errors: list[MomError] = []
        sources = self._all()
        for source in sources:
            try:
                warnings += source.look()
            except MomError as error:
                errors.append(error)
        if warnings and self.shows_errors:
            warnings += self.errors_of_commands()
        revision = sum(source.revision for source in sources)
        has_read = revision != self._revision or self._folder_watch.poll()
        self._revision = revision
        if not (has_read or warnings or errors):
            # Another value comes only of a source that was read, or with the warning that one has grown too old. So no
            # look at each variable is needed, five times a second.
            return News()
        names = [name for name in self._last if self._chosen.get(name) is not None]
        changed = [name for name in names if self.value(name) != self._last[name]]
        lost: dict[str, str] = {}
        for name in changed:
            value = self.value(name)
            if isinstance(value, Missing) and not isinstance(self._last[name], Missing):
                lost[name] = f"{name} {value.reason}: adapters that need it respond with 503"
        warnings = [*(each for each in warnings if each.partition(" ")[0] not in lost), *lost.values()]
        usable = {name for name in names if not isinstance(self.value(name), Missing)}
        has_states = self._remember(set(names), usable)
        return News(tuple(changed), tuple(warnings), tuple(errors), has_states, has_read)

    def unavailable(self, adapters: Iterable[Adapter]) -> dict[str, str]:
        """Return why each adapter without a credential has none, by its name."""
        reasons: dict[str, str] = {}
        for adapter in adapters:
            for name in names_in(adapter):
                if name in self._last and self._states[name].word == UNAVAILABLE:
                    value = self.value(name)
                    reason = value.reason if isinstance(value, Missing) else "cannot be sent"
                    reasons.setdefault(adapter.name, f"{name} {reason}")
        return reasons

    @property
    def files(self) -> list[Path]:
        """The files with values that options name, as far as they are followed."""
        paths = [source.path for source in self.given if isinstance(source, FileSource)]
        if self.env_file is not None and self.env_file.is_followed:
            paths.insert(0, self.env_file.file.path)
        return paths

    def _all(self) -> list[CredentialSource]:
        """Return every source that is in use, or may be."""
        chosen = [source for source in self._chosen.values() if source is not None]
        own = [] if self.env_file is None else [self.env_file]
        return list({id(source): source for source in (*self.given, *chosen, *own)}.values())

    def errors_of_commands(self) -> list[str]:
        """Return what commands have written to standard error in their last runs, masked, a line each."""
        commands = [source for source in self.given if isinstance(source, CommandSource)]
        values = [value for source in commands if isinstance(value := source.value(source.name), str)]
        lines = [f"{source.name}: {line}" for source in commands for line in source.errors.splitlines() if line.strip()]
        return [mask_tokens(_without(line, values)) for line in lines]

    def is_followed(self, name: str) -> bool:
        """Whether the value of a variable may change in this run."""
        source = self.source(name)
        return source is not None and source.is_followed

    def close(self) -> None:
        """Free what the sources use."""
        for source in self.given:
            source.close()

    def _remember(self, known: set[str], usable: set[str]) -> bool:
        """Store values and states of `known` variables. Return whether a state is another."""
        before = dict(self._states)
        now = timestamp()
        for name in known:
            self._last[name] = self.value(name)
            source = self._chosen.get(name)
            word = UNAVAILABLE if name not in usable else STALE if source is not None and source.is_stale else READY
            if name not in self._states or self._states[name].word != word:
                self._states[name] = CredentialState(word, now)
        return before != self._states


def worst(
    values: Mapping[tuple[str, str], CredentialState], tokens: Mapping[tuple[str, str], CredentialState]
) -> dict[tuple[str, str], CredentialState]:
    """Return the state of each adapter: of the values of its variables, and of its token; the worse one of both."""
    states = dict(values)
    for key, state in tokens.items():
        if key not in states or _rank(state) >= _rank(states[key]):
            states[key] = state
    return states


def _without(text: str, values: Iterable[str]) -> str:
    for value in values:
        text = text.replace(value, "***")
    return text


def _rank(state: CredentialState) -> int:
    return _ORDER.index(state.word)


def _hint(name: str, source: CredentialSource | None, reason: str) -> str | None:
    if source is None:
        return None
    if not source.label.startswith("--credential "):
        return f"write {name}"
    if source.label.endswith("=exec") and CANNOT_RUN in reason:
        # It has written nothing.
        return "name a program that is on the PATH, or its path"
    if source.label.endswith("=exec"):
        return "rerun with -v to see what the command writes to standard error"
    return "write the value into that file, alone on one line"
