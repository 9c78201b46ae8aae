"""Whether the tokens that Envoy fetches for APIs (OAuth2) are there, as far as its statistics tell.

Of each adapter they count the responses of its token endpoint, and of all together the tokens. So it is known when one
was fetched, and when that failed; not what is in it, nor when it expires: Envoy renews it before that, and a token that
could not be renewed is `stale` until it has expired, from when the requests get a 503.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from mom.atlas.adapters.http import HTTP, HttpAdapter
from mom.envoy import oauth2
from mom.envoy.listener import OAUTH2_FILE
from mom.envoy.options import CredentialState
from mom.run.clock import timestamp
from mom.run.credentials import READY, STALE, UNAVAILABLE
from mom.run.generation import Generation

# A state is a fact of seconds, and each look asks Envoy.
_SECONDS = 1.0


@dataclass
class TokenStates:
    """The state of each adapter's token, by the adapter's kind and name."""

    states: dict[tuple[str, str], CredentialState] = field(default_factory=dict)
    _counted: dict[str, int] = field(default_factory=dict)
    _of: tuple[int, str] | None = None
    _next: float = 0.0
    _warned: set[str] = field(default_factory=set)

    def look(self, generation: Generation) -> list[str]:
        """Look for tokens that were fetched, and that could not be. Return sentences to warn with, each once.

        Raises NoResponseError.
        """
        # Of a plan the same at each look: among 10,000 adapters they are not looked for five times a second.
        adapters = generation.plan.with_tokens
        if not adapters or not generation.plan.options.tokens_apart:
            self.states.clear()
            return []
        self._begin(generation, adapters)
        if time.monotonic() < self._next:
            return []
        self._next = time.monotonic() + _SECONDS
        return list(self._count(generation, adapters))

    def _begin(self, generation: Generation, adapters: Iterable[HttpAdapter]) -> None:
        """Take all tokens for absent where Envoy is another, or fetches all of them again."""
        now = generation.number, generation.files[OAUTH2_FILE].version
        if now == self._of:
            return
        self._of, self._next = now, 0.0
        self.states.clear()
        since_now = CredentialState(UNAVAILABLE, timestamp())
        self.states.update({(HTTP.kind, adapter.name): since_now for adapter in adapters})
        self._warned.clear()

    def _count(self, generation: Generation, adapters: Iterable[HttpAdapter]) -> Iterable[str]:
        tokens = f"http.{generation.stat_prefix}.credential_injector.oauth2.token_fetched"
        prefixes = {adapter.name: oauth2.statistics(adapter, generation.plan.options) for adapter in adapters}
        names = "|".join(map(re.escape, (tokens, *(f"{prefix}.upstream_rq_" for prefix in prefixes.values()))))
        # A `#` would end the request's target.
        seen = generation.admin.numbers(f"^({names})(completed|2xx|)".replace(r"\#", "."))
        new = {name: value - self._counted.get(name, 0) for name, value in seen.items()}
        self._counted = seen
        # A response that was taken for a success by its status may have no token in it.
        has_tokens = new.get(tokens, 0) > 0
        for adapter in adapters:
            prefix = prefixes[adapter.name]
            good, all_of_them = new.get(f"{prefix}.upstream_rq_2xx", 0), new.get(f"{prefix}.upstream_rq_completed", 0)
            if good and has_tokens:
                self._set(adapter.name, READY)
                self._warned.discard(adapter.name)
            elif all_of_them:
                yield from self._failed(adapter)

    def _failed(self, adapter: HttpAdapter) -> Iterable[str]:
        assert adapter.oauth2 is not None
        had = self.states[HTTP.kind, adapter.name].word != UNAVAILABLE
        self._set(adapter.name, STALE if had else UNAVAILABLE)
        if adapter.name not in self._warned:
            self._warned.add(adapter.name)
            what = "the last one is used until it expires" if had else "requests get a 503"
            yield f"{adapter.name}: no token from {adapter.oauth2.token_url}; {what}"

    def _set(self, name: str, word: str) -> None:
        if self.states[HTTP.kind, name].word != word:
            self.states[HTTP.kind, name] = CredentialState(word, timestamp())
