"""The identity providers' keys while a run goes on: read from files, fetched from URLs, judged, and dated.

A change at a provider counts at once: a set without keys, a file that is gone or broken, and a URL that responds 404 or
410 let no client in. Where there is no valid response (no network, a 500, no JWK Set), the last set is used for an hour
at most. Threads do the fetching; everything else happens in the thread of the run, which never waits for long.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mom.atlas.jwks import EMPTY, Jwks, JwksError, judge
from mom.atlas.model import Configuration, IdentityProvider
from mom.atlas.rules.catalogue import problem_of
from mom.envoy import jwt
from mom.envoy.options import KeyState
from mom.errors import MomError, UnreadableError
from mom.files import read_file
from mom.problems import Problem
from mom.run.clock import seconds_awake_or_not, timestamp
from mom.run.fetch import NotFetched, fetch
from mom.run.trust import key_files

# How often each URL is asked, how soon again after a failure or for a reload, and how long a set outlives its source.
REFRESH_SECONDS = 300.0
RETRY_SECONDS = 30.0
KEEP_SECONDS = 3600.0
# How long a start, or a reload that names a new URL, waits for it.
WAIT_SECONDS = 3.0

READY, STALE, NONE, UNAVAILABLE = "ready", "stale", "empty", "unavailable"


@dataclass
class _Entry:
    """The state of one `publicKey`. `refused`: keys of it that are not used, as last reported."""

    jwks: Jwks = EMPTY
    word: str = ""
    since: str = ""
    refused: tuple[str, ...] = ()
    asked: float | None = None
    succeeded: float | None = None
    in_progress: bool = False


@dataclass
class KeySets:
    """The key sets of one run, by `publicKey`.

    Times come from `clock`, fetched sets from `fetch`. `sleep` is called while something is waited for; it may raise.
    """

    fetch: Callable[[str, str], Jwks | NotFetched] = fetch
    clock: Callable[[], float] = seconds_awake_or_not
    sleep: Callable[[float], None] = time.sleep
    _entries: dict[str, _Entry] = field(default_factory=dict)
    _responses: queue.SimpleQueue[tuple[str, Jwks | NotFetched]] = field(default_factory=queue.SimpleQueue)
    _warnings: list[str] = field(default_factory=list)
    _ca_file: str = ""

    def read(
        self, configuration: Configuration, ca_file: str, *, strict: bool = False
    ) -> tuple[dict[str, str], dict[str, KeyState]]:
        """Return the set in use of each `publicKey` of `configuration`, and how it is.

        Files are read now. A URL that is new is asked, and waited for a few seconds. strict: raise MomError, with a
        Problem for each, for a file that cannot be used; else its provider has no keys.
        """
        self._ca_file = ca_file
        files = key_files(configuration)
        problems = [
            problem for provider in configuration.identity_providers if (problem := self._file(provider, files))
        ]
        if problems and strict:
            raise MomError("cannot use the keys of an identity provider", problems=problems)
        names = {provider.public_key for provider in configuration.identity_providers}
        self._wait_for({name for name in names if jwt.is_url(name)})
        return self.current(configuration)

    def current(self, configuration: Configuration) -> tuple[dict[str, str], dict[str, KeyState]]:
        """Return what the last `read` of `configuration` returned, with what has been fetched since."""
        names = [provider.public_key for provider in configuration.identity_providers]
        entries = {name: self._entries[name] for name in names}
        states = {name: KeyState(entry.word, entry.since) for name, entry in entries.items()}
        return {name: entry.jwks.text for name, entry in entries.items()}, states

    def poll(self) -> None:
        """Take what has been fetched, drop what is too old, and ask the URLs that are due."""
        self._take_all()
        now = self.clock()
        for url, entry in self._entries.items():
            if not jwt.is_url(url):
                continue
            if entry.jwks.count and now - (entry.succeeded or 0) > KEEP_SECONDS:
                minutes = KEEP_SECONDS / 60
                self._set(url, EMPTY, UNAVAILABLE, f"not fetched for {minutes:.0f} minutes: {_OUT}")
            every = REFRESH_SECONDS if entry.word in {READY, NONE} else RETRY_SECONDS
            if entry.asked is None or now - entry.asked >= every:
                self._ask(url)

    def refresh(self) -> None:
        """Ask all URLs again, each at most every `RETRY_SECONDS`; nothing is waited for."""
        for url, entry in self._entries.items():
            if jwt.is_url(url) and entry.asked is not None and self.clock() - entry.asked >= RETRY_SECONDS:
                self._ask(url)

    def keep_only(self, configurations: Iterable[Configuration]) -> None:
        """Forget what none of `configurations` names: its URL is not asked any more."""
        named = {provider.public_key for each in configurations for provider in each.identity_providers}
        self._entries = {name: entry for name, entry in self._entries.items() if name in named}

    def take_warnings(self) -> list[str]:
        """Return what has gone wrong since the last call, a sentence each."""
        warnings, self._warnings = self._warnings, []
        return warnings

    # -- files

    def _file(self, provider: IdentityProvider, files: Mapping[str, Path]) -> Problem | None:
        name = provider.public_key
        if name not in files:
            return None
        judged = EMPTY
        hint = 'write the public keys there, {"keys": [...]}; mom auth jwks prints yours'
        try:
            judged = judge(read_file(files[name]))
            reason = None
            if judged.refused:
                reason = f"cannot be used: {'; '.join(judged.refused)}"
                hint = "remove that key, and have its owner sign with another"
        except UnreadableError as error:
            reason = f"cannot be read: {error.reason}"
        except JwksError as error:
            reason = str(error)
        if reason is None:
            self._set(name, judged, *_state(judged))
            return None
        self._set(name, EMPTY, UNAVAILABLE, f"{reason}: {_OUT}")
        message = f"the keys of {provider.name}: {name} {reason}"
        return problem_of(provider.place, "public-key", message, hint=hint)

    # -- URLs

    def _wait_for(self, urls: set[str]) -> None:
        for url in urls:
            if url not in self._entries:
                self._entries[url] = _Entry()
                self._ask(url)
        until = time.monotonic() + WAIT_SECONDS
        while any(self._entries[url].word == "" for url in urls) and time.monotonic() < until:
            self.sleep(0.01)
            self._take_all()
        for url in urls:
            if self._entries[url].word == "":
                self._set(url, EMPTY, UNAVAILABLE, f"no response in {WAIT_SECONDS:.0f} s: {_OUT} until then")

    def _ask(self, url: str) -> None:
        entry = self._entries[url]
        if entry.in_progress:
            return
        entry.in_progress, entry.asked = True, self.clock()
        # A daemon: a name server that does not respond cannot keep mom from ending.
        threading.Thread(target=self._fetch, args=(url, self._ca_file), daemon=True, name="key set").start()

    def _fetch(self, url: str, ca_file: str) -> None:
        try:
            response = self.fetch(url, ca_file)
        except Exception as error:  # noqa: BLE001  a thread that dies would leave the URL in progress for ever
            response = NotFetched(f"{type(error).__name__}: {error}")
        self._responses.put((url, response))

    def _take_all(self) -> None:
        while not self._responses.empty():
            self._take(*self._responses.get())

    def _take(self, url: str, response: Jwks | NotFetched) -> None:
        entry = self._entries.get(url)
        if entry is None:
            return
        entry.in_progress = False
        if isinstance(response, Jwks):
            entry.succeeded = entry.asked
            self._set(url, response, *_state(response))
        elif response.gone:
            self._set(url, EMPTY, UNAVAILABLE, f"{response.reason}: {_OUT}")
        elif not entry.jwks.count:
            # There is nothing to lose: no set yet, one without keys, or one that is gone or grew too old.
            self._set(url, entry.jwks, entry.word or UNAVAILABLE, f"{response.reason}: {_OUT}")
        else:
            minutes = KEEP_SECONDS / 60
            self._set(
                url, entry.jwks, STALE, f"{response.reason}: using the last known keys, {minutes:.0f} minutes at most"
            )

    def _set(self, name: str, jwks: Jwks, word: str, reason: str | None = None) -> None:
        """Note a state; warn where it is not the one before, or where other keys are refused."""
        entry = self._entries.setdefault(name, _Entry())
        if entry.word != word:
            entry.since = timestamp()
            if reason:
                self._warnings.append(f"keys at {name}: {reason}")
        if jwks.refused and jwks.refused != entry.refused:
            self._warnings += [f"keys at {name}: {reason}; this key is not used" for reason in jwks.refused]
        entry.jwks, entry.word, entry.refused = jwks, word, jwks.refused


_OUT = "its tokens are rejected"


def _state(judged: Jwks) -> tuple[str, str | None]:
    if judged.count:
        return READY, None
    return NONE, f"no usable key in the set: {_OUT}"
