"""The identity providers' keys while a run goes on: read from files, fetched from URLs, judged, and dated.

What a provider says counts at once: a set without keys, a file that is gone or broken, and a URL that answers 404 or
410 let no client in. Where a provider says nothing (no network, a 500, no JWK Set), the last set is used for an hour at
most. Threads do the fetching; everything else happens in the thread of the run, which never waits for long.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mom.atlas.jwks import EMPTY, Jwks, JwksError, judge
from mom.atlas.model import Configuration, IdentityProvider
from mom.atlas.rules.catalogue import problem_of
from mom.envoy import jwt
from mom.envoy.options import KeyState
from mom.errors import MomError, UnreadableError
from mom.files import read_file
from mom.problems import Problem
from mom.run.fetch import NotFetched, fetch
from mom.run.trust import key_files

# How often each URL is asked, how soon again after a failure or for a reload, and how long a set outlives its source.
REFRESH_SECONDS = 300.0
RETRY_SECONDS = 30.0
KEEP_SECONDS = 3600.0
# How long a start, or a reload that names a new URL, waits for it.
WAIT_SECONDS = 3.0

READY, STALE, NONE, UNAVAILABLE = "ready", "stale", "empty", "unavailable"


def _clock() -> float:
    """Return seconds that go on while the machine sleeps: keys grow old then, too."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass
class _Held:
    """What is known of one `publicKey`. `refused`: keys of it that are not used, as last reported."""

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
    clock: Callable[[], float] = _clock
    sleep: Callable[[float], None] = time.sleep
    _held: dict[str, _Held] = field(default_factory=dict)
    _answers: queue.SimpleQueue[tuple[str, Jwks | NotFetched]] = field(default_factory=queue.SimpleQueue)
    _news: list[str] = field(default_factory=list)
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
        problems = [problem for one in configuration.identity_providers if (problem := self._file(one, files))]
        if problems and strict:
            raise MomError("the keys of an identity provider cannot be used", problems=problems)
        self._wait_for({one.public_key for one in configuration.identity_providers if jwt.is_url(one.public_key)})
        return self.held(configuration)

    def held(self, configuration: Configuration) -> tuple[dict[str, str], dict[str, KeyState]]:
        """Return what the last `read` of `configuration` returned, with what has been fetched since."""
        found = {one.public_key: self._held[one.public_key] for one in configuration.identity_providers}
        states = {name: KeyState(held.word, held.since) for name, held in found.items()}
        return {name: held.jwks.text for name, held in found.items()}, states

    def poll(self) -> None:
        """Take what has been fetched, drop what is too old, and ask the URLs that are due."""
        self._take_all()
        now = self.clock()
        for url, held in self._held.items():
            if not jwt.is_url(url):
                continue
            if held.jwks.count and now - (held.succeeded or 0) > KEEP_SECONDS:
                minutes = KEEP_SECONDS / 60
                self._set(url, EMPTY, UNAVAILABLE, f"could not be fetched for {minutes:.0f} minutes: {_OUT}")
            every = REFRESH_SECONDS if held.word in {READY, NONE} else RETRY_SECONDS
            if held.asked is None or now - held.asked >= every:
                self._ask(url)

    def refresh(self) -> None:
        """Ask all URLs again, each at most every `RETRY_SECONDS`; nothing is waited for."""
        for url, held in self._held.items():
            if jwt.is_url(url) and held.asked is not None and self.clock() - held.asked >= RETRY_SECONDS:
                self._ask(url)

    def keep_only(self, configurations: Iterable[Configuration]) -> None:
        """Forget what none of `configurations` names: its URL is not asked any more."""
        named = {one.public_key for each in configurations for one in each.identity_providers}
        self._held = {name: held for name, held in self._held.items() if name in named}

    def news(self) -> list[str]:
        """Return what has gone wrong since the last time, a sentence each."""
        found, self._news = self._news, []
        return found

    # -- files

    def _file(self, provider: IdentityProvider, files: Mapping[str, Path]) -> Problem | None:
        name = provider.public_key
        if name not in files:
            return None
        judged = EMPTY
        hint = 'write the public keys there, {"keys": [...]}; mom auth jwks prints those of your own key'
        try:
            judged = judge(read_file(files[name]))
            reason = None
            if judged.refused:
                reason = f"cannot be used: {'; '.join(judged.refused)}"
                hint = "take that key out of the file, and have its owner sign with another"
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
            if url not in self._held:
                self._held[url] = _Held()
                self._ask(url)
        until = time.monotonic() + WAIT_SECONDS
        while any(self._held[url].word == "" for url in urls) and time.monotonic() < until:
            self.sleep(0.01)
            self._take_all()
        for url in urls:
            if self._held[url].word == "":
                self._set(
                    url, EMPTY, UNAVAILABLE, f"no response in {WAIT_SECONDS:.0f} seconds: {_OUT} until it is there"
                )

    def _ask(self, url: str) -> None:
        held = self._held[url]
        if held.in_progress:
            return
        held.in_progress, held.asked = True, self.clock()
        # A daemon: a name server that does not answer cannot keep mom from ending.
        threading.Thread(target=self._fetch, args=(url, self._ca_file), daemon=True, name="key set").start()

    def _fetch(self, url: str, ca_file: str) -> None:
        try:
            found = self.fetch(url, ca_file)
        except Exception as error:  # noqa: BLE001  a thread that dies would leave the URL in progress for ever
            found = NotFetched(f"{type(error).__name__}: {error}")
        self._answers.put((url, found))

    def _take_all(self) -> None:
        while not self._answers.empty():
            self._take(*self._answers.get())

    def _take(self, url: str, found: Jwks | NotFetched) -> None:
        held = self._held.get(url)
        if held is None:
            return
        held.in_progress = False
        if isinstance(found, Jwks):
            held.succeeded = held.asked
            self._set(url, found, *_state(found))
        elif found.gone:
            self._set(url, EMPTY, UNAVAILABLE, f"{found.reason}: {_OUT}")
        elif not held.jwks.count:
            # There is nothing to lose: no set yet, one without keys, or one that is gone or grew too old.
            self._set(url, held.jwks, held.word or UNAVAILABLE, f"{found.reason}: {_OUT}")
        else:
            minutes = KEEP_SECONDS / 60
            self._set(
                url, held.jwks, STALE, f"{found.reason}: the last known keys are used, {minutes:.0f} minutes at most"
            )

    def _set(self, name: str, jwks: Jwks, word: str, reason: str | None = None) -> None:
        """Note a state; it is news where it is another one than before, or where other keys are refused."""
        held = self._held.setdefault(name, _Held())
        if held.word != word:
            held.since = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            if reason:
                self._news.append(f"identity provider's keys: {name}: {reason}")
        if jwks.refused and jwks.refused != held.refused:
            self._news += [f"identity provider's keys: {name}: {one}; this key is not used" for one in jwks.refused]
        held.jwks, held.word, held.refused = jwks, word, jwks.refused


_OUT = "tokens of this provider are refused"


def _state(judged: Jwks) -> tuple[str, str | None]:
    if judged.count:
        return READY, None
    return NONE, f"the set has no key that can be used: {_OUT}"
