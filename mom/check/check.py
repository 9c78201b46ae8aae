"""The check itself: a request for each adapter or profile, all in parallel, each result as it comes."""

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
from mom.check.subjects import Subject
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

    def run(self, subjects: Sequence[Subject]) -> Iterator[Result]:
        """Yield the result of each of them as it comes. Raises MomError where no token can be signed."""
        ready = []
        for subject in subjects:
            adapter = subject.adapter
            if adapter.kind not in served_kinds.KINDS:
                yield _result(subject, Outcome.SKIPPED, message=f"Atlas does not serve adapters of kind {adapter.kind}")
            elif failure := self._unsendable(adapter):
                yield _result(subject, Outcome.FAILED, failure)
            else:
                ready.append(subject)
        if not ready:
            return
        listed = self._listed()
        if isinstance(listed, Failure):
            for subject in ready:
                yield _result(subject, Outcome.FAILED, listed)
            return
        waiting, results = SimpleQueue[Subject](), SimpleQueue[Result | Exception]()
        for subject in ready:
            waiting.put(subject)
        for _ in range(min(len(ready), _MOST_AT_ONCE)):
            # Daemons: after an interrupt nothing waits for a response that may be long in coming.
            Thread(target=self._work, args=(waiting, results, listed), daemon=True).start()
        for _ in ready:
            result = results.get()
            if isinstance(result, Exception):
                raise result
            yield result

    def _work(
        self, waiting: SimpleQueue[Subject], results: SimpleQueue[Result | Exception], listed: Mapping[str, str | None]
    ) -> None:
        """Check one subject after the other until there are no more."""
        while True:
            try:
                subject = waiting.get_nowait()
            except Empty:
                return
            try:
                results.put(self._checked(subject, listed))
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

    def _checked(self, subject: Subject, listed: Mapping[str, str | None]) -> Result:
        adapter = subject.adapter
        path = served_kinds.path(adapter)
        if path not in listed or listed[path] not in {None, kind_of(adapter).target(adapter)}:
            return _result(subject, Outcome.FAILED, self._other_configuration(adapter, listed.get(path)))
        request = self._request(adapter)
        if request is None:
            message = "no request is known that proves its credentials: serve `sts`, or pass --path"
            return _result(subject, Outcome.SKIPPED, message=message)
        return self._sent(subject, path, request)

    def _request(self, adapter: Adapter) -> SmokeRequest | None:
        if self.path is not None or isinstance(adapter, HttpAdapter):
            return smoke_request(adapter, self.path)
        proofs = served_kinds.kind_of(adapter).proofs(adapter)
        return next((SmokeRequest("GET", path, status=200, needs_permission=False) for path in proofs), None)

    def _sent(self, subject: Subject, path: str, request: SmokeRequest) -> Result:
        response = send(self.gateway, path + request.path, self.token(), request, timeout=self.timeout)
        stand_in = isinstance(response, Response) and STAND_IN_HEADER.lower() in response.headers
        if stand_in:
            # What an API would respond with, an echo cannot.
            request = SmokeRequest(request.method, request.path)
        failure = diagnose(response, request, variable_names([subject.adapter]), self.gateway.base)
        details: dict[str, Any] = {"request": str(request), "seconds": response.seconds}
        if isinstance(response, Response):
            details["status"] = response.status
        if failure is None and stand_in:
            details["message"] = "a stand-in responded: no API was called, and no credential was proven"
        elif failure is None and not request.proves:
            details["message"] = "reached; no smoke request is known, so no credential was proven"
            details["hint"] = "set spec.smoke.path in the adapter, or pass --path"
        return _result(subject, Outcome.FAILED if failure else Outcome.PASSED, failure, **details)

    def _other_configuration(self, adapter: Adapter, target: str | None) -> Failure:
        what = f"has {target} as {adapter.name}" if target else f"does not serve {adapter.name}"
        hint = "start it again with this configuration, or pass its own: -f FILE"
        return Failure(Stage.GATEWAY, f"the gateway {self.gateway.base} {what}", hint)


def _result(subject: Subject, outcome: Outcome, failure: Failure | None = None, **details: Any) -> Result:
    if failure is not None:
        details |= {"stage": failure.stage, "message": failure.message, "hint": failure.hint}
    target = kind_of(subject.adapter).target(subject.adapter) or ""
    return Result(subject=subject, target=target, outcome=outcome, **details)
