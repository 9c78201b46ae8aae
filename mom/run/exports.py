"""Whether a collector takes what is exported to it: what it does not take is lost, and nothing else would say so."""

from __future__ import annotations

import time
from collections.abc import Iterator

from mom.envoy.options import Otlp
from mom.envoy.otlp import cluster_name
from mom.run.generation import Generation

_LOOK_SECONDS = 5.0
# The same problem is not reported more often.
_REPORT_SECONDS = 300.0
# Ends of the names of Envoy's counters: responses that are not a success, and connections that failed.
_FAILED = ("upstream_rq_4xx", "upstream_rq_5xx", "upstream_cx_connect_fail")


class Exports:
    """The exports of a run."""

    def __init__(self, otlp: Otlp | None) -> None:
        """Look at nothing yet."""
        signals = {} if otlp is None else {"logs": otlp.logs, "metrics": otlp.metrics}
        self._collectors = {signal: collector for signal, collector in signals.items() if collector is not None}
        self._seen: dict[str, tuple[int, int]] = {}
        self._next_look = 0.0
        self._next_report: dict[str, float] = {}

    def problems(self, current: Generation) -> Iterator[str]:
        """Yield what to report, if exports have failed since the last time. Raises NoResponseError."""
        now = time.monotonic()
        if not self._collectors or now < self._next_look:
            return
        self._next_look = now + _LOOK_SECONDS
        for signal, collector in self._collectors.items():
            name = cluster_name(signal).replace(" ", "%20")
            numbers = current.admin.numbers(rf"^cluster\.{name}\.({'|'.join(_FAILED)})")
            failed = sum(numbers.values())
            generation, before = self._seen.get(signal, (current.number, 0))
            self._seen[signal] = current.number, failed
            if failed > (before if generation == current.number else 0) and now >= self._next_report.get(signal, 0.0):
                self._next_report[signal] = now + _REPORT_SECONDS
                what = "access log records" if signal == "logs" else "metrics"
                yield f"{what} are lost: {collector.host}:{collector.port} does not take them"
