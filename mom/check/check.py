"""The check itself: a request for each adapter, all in parallel, each result as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from mom.atlas.adapters import kind_of
from mom.atlas.adapters.http import HttpAdapter
from mom.atlas.model import Adapter
from mom.atlas.rules.variable_rules import variable_names
from mom.auth.base_url import Gateway
from mom.check.credentials import missing, unlikely
from mom.check.diagnosis import diagnose
from mom.check.exchange import Response, send
from mom.check.listing import listed
from mom.check.result import Failure, Outcome, Result, Stage
from mom.check.smoke import SmokeRequest, smoke_request
from mom.envoy import adapters as served_kinds
from mom.gateway import APIS_PATH, STAND_IN_HEADER
from mom.run.credentials import Credentials

_MOST_AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What to check, and how.

    gateway: where the requests go; token: signs for it. credentials: where the values of variables come from, None
    where the gateway has its own. path: the request's path in the place of each adapter's own.
    send_anyway: credentials are sent whatever their form. stand_in: an echo is in the place of every API.
    """

    gateway: Gateway
    token: Callable[[], str]
    timeout: float
    credentials: Credentials | None = None
    path: str | None = None
    send_anyway: bool = False
    stand_in: bool = False

    def run(self, adapters: Sequence[Adapter]) -> Iterator[Result]:
        """Yield the result of each adapter as it comes. Raises MomError where no token can be signed."""
        ready = []
        for adapter in adapters:
            if adapter.kind not in served_kinds.KINDS:
                yield _result(adapter, Outcome.SKIPPED, message=f"Atlas does not serve adapters of kind {adapter.kind}")
            elif failure := self._unsendable(adapter):
                yield _result(adapter, Outcome.FAILED, failure)
            else:
                ready.append(adapter)
        if not ready:
            return
        listed = self._listed()
        if isinstance(listed, Failure):
            for adapter in ready:
                yield _result(adapter, Outcome.FAILED, listed)
            return
        waiting, results = SimpleQueue[Adapter](), SimpleQueue[Result | Exception]()
        for adapter in ready:
            waiting.put(adapter)
        for _ in range(min(len(ready), _MOST_AT_ONCE)):
            # Daemons: after an interrupt nothing waits for a response that may be long in coming.
            Thread(target=self._work, args=(waiting, results, listed), daemon=True).start()
        for _ in ready:
            result = results.get()
            if isinstance(result, Exception):
                raise result
            yield result

    def _work(
        self, waiting: SimpleQueue[Adapter], results: SimpleQueue[Result | Exception], listed: Mapping[str, str | None]
    ) -> None:
        """Check one adapter after the other until there are no more."""
        while True:
            try:
                adapter = waiting.get_nowait()
            except Empty:
                return
            try:
                results.put(self._checked(adapter, listed))
            except Exception as error:  # noqa: BLE001 - raised again where the results are read
                results.put(error)

    def _unsendable(self, adapter: Adapter) -> Failure | None:
        if self.credentials is None or self.stand_in:
            return None
        failure = missing(adapter, self.credentials)
        if failure is None and not self.send_anyway:
            failure = unlikely(adapter, self.credentials)
        return failure

    def _listed(self) -> Mapping[str, str | None] | Failure:
        """Return the target of each adapter that the gateway serves, by its path; or why it says nothing."""
        apis = listed(self.gateway, APIS_PATH, self.token(), timeout=self.timeout)
        return apis if isinstance(apis, Failure) else {api["path"].rstrip("/"): api.get("baseUrl") for api in apis}

    def _checked(self, adapter: Adapter, listed: Mapping[str, str | None]) -> Result:
        path = served_kinds.path(adapter)
        if path not in listed or listed[path] not in {None, kind_of(adapter).target(adapter)}:
            return _result(adapter, Outcome.FAILED, self._other_configuration(adapter, listed.get(path)))
        requests = self._requests(adapter)
        if not requests:
            message = "no request is known that proves its credentials: serve `sts`, or pass --path"
            return _result(adapter, Outcome.SKIPPED, message=message)
        results = (self._sent(adapter, path, request) for request in requests)
        # The first that fails; else the last.
        result = next(results)
        while result.outcome is Outcome.PASSED and (following := next(results, None)) is not None:
            result = following
        return result

    def _requests(self, adapter: Adapter) -> list[SmokeRequest]:
        if self.path is not None or isinstance(adapter, HttpAdapter):
            return [smoke_request(adapter, self.path)]
        return [SmokeRequest("GET", path, status=200) for path in served_kinds.kind_of(adapter).proofs(adapter)]

    def _sent(self, adapter: Adapter, path: str, request: SmokeRequest) -> Result:
        response = send(self.gateway, path + request.path, self.token(), request, timeout=self.timeout)
        stand_in = isinstance(response, Response) and STAND_IN_HEADER.lower() in response.headers
        if stand_in:
            # What an API would respond with, an echo cannot.
            request = SmokeRequest(request.method, request.path)
        failure = diagnose(response, request, variable_names([adapter]), self.gateway.base)
        details: dict[str, Any] = {"request": str(request), "seconds": response.seconds}
        if isinstance(response, Response):
            details["status"] = response.status
        if failure is None and stand_in:
            details["message"] = "a stand-in responded: no API was called, and no credential was proven"
        elif failure is None and not request.proves:
            details["message"] = "reached; no smoke request is known, so no credential was proven"
            details["hint"] = "set spec.smoke.path in the adapter, or pass --path"
        return _result(adapter, Outcome.FAILED if failure else Outcome.PASSED, failure, **details)

    def _other_configuration(self, adapter: Adapter, target: str | None) -> Failure:
        what = f"has {target} as {adapter.name}" if target else f"does not serve {adapter.name}"
        hint = "start it again with this configuration, or pass its own: -f FILE"
        return Failure(Stage.GATEWAY, f"the gateway {self.gateway.base} {what}", hint)


def _result(adapter: Adapter, outcome: Outcome, failure: Failure | None = None, **details: Any) -> Result:
    if failure is not None:
        details |= {"stage": failure.stage, "message": failure.message, "hint": failure.hint}
    target = kind_of(adapter).target(adapter) or ""
    return Result(
        adapter=adapter.name, kind=adapter.kind, target=target, place=adapter.place, outcome=outcome, **details
    )
