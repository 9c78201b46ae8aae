"""What a gateway does with the corpus, and in what two gateways differ: in responses, requests to APIs, log lines."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.envoy.http2 import Http2Request
from tests.envoy.upstream import Request
from tests.export.corpus import Gateway, Outcome, P, perform_all
from tests.run.mom_run import wait_until

_READY, _END = "/ready", "/v1/the-end"
_TOKEN = re.compile(rb"Bearer [\w-]+\.([\w-]+)\.[\w-]+")


@dataclass(frozen=True)
class Observation:
    """What came of each exchange, and the lines of the access log, without times."""

    outcomes: Mapping[str, Outcome]
    lines: Counter[str]


def observe(gateway: Gateway, log: Path, *, slow: bool = False) -> Observation:
    """Do the exchanges with a gateway that has started, and read its access log, a file that it appends to."""
    wait_until(lambda: gateway.client.send("/healthz").status == 200, "the gateway is healthy")
    ready = f"{P}/oauth2{_READY}"
    wait_until(lambda: gateway.client.send(ready, token=gateway.world.token()).status == 200, "there is a token")
    outcomes = perform_all(gateway, slow=slow)
    # Lines are written in batches, and one worker's before another's: the last is there once a later one is.
    gateway.client.send(_END)
    wait_until(lambda: any(line["path"] == _END for line in _lines(log)), "the access log is written")
    lines = (line for line in _lines(log) if line["path"] not in {_READY, ready, _END})
    return Observation(outcomes, Counter(_without_times(line) for line in lines))


def differences(here: Observation, there: Observation, paths: Collection[str] = ()) -> dict[str, str]:
    """Return in what another gateway (`there`) differs from `mom atlas run` (`here`), by the names of exchanges.

    What differs in the access log is under `access log`; lines of requests to one of `paths` may.
    """
    found = {}
    for name, outcome in there.outcomes.items():
        one, other = (list(described(each)) for each in (here.outcomes[name], outcome))
        if one != other:
            found[name] = _difference(one, other)
    missing, more = (
        sorted(line for line in each.elements() if json.loads(line)["path"] not in paths)
        for each in (here.lines - there.lines, there.lines - here.lines)
    )
    if missing or more:
        found["access log"] = _difference(missing, more)
    return found


def described(outcome: Outcome) -> Iterator[str]:
    """Yield what the client saw, and what each API got."""
    yield outcome.seen.decode("latin-1")
    for api, request in outcome.received:
        yield f"{api} got {_of_api(request)}"


def _of_api(request: Request | Http2Request) -> str:
    if isinstance(request, Http2Request):
        return repr((request.headers, request.trailers))
    headers = [(name, _TOKEN.sub(_claims, value)) for name, value in request.headers]
    return repr((request.line, headers, request.body, request.trailers))


def _claims(token: re.Match[bytes]) -> bytes:
    """Return what tells the token of an API from another, without its id and its times."""
    claims = json.loads(base64.urlsafe_b64decode(token[1] + b"=="))
    return repr({name: claims[name] for name in sorted(claims.keys() - {"iat", "exp", "jti"})}).encode()


def _difference(one: list[str], other: list[str]) -> str:
    return "\n".join(
        [*(f"- {each}" for each in one if each not in other), *(f"+ {each}" for each in other if each not in one)]
    )


def _lines(log: Path) -> list[dict[str, Any]]:
    text = log.read_text()
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines() if line.startswith("{")]


def _without_times(line: Mapping[str, Any]) -> str:
    return json.dumps({name: value for name, value in line.items() if name not in {"@timestamp", "duration_ms"}})
