"""Whether an API's certificate was refused although its last address failed in another way.

An API with several addresses is tried at each, and Envoy's details are about the last one only. Its statistics count
what happened at all of them. Those of a cluster that APIs share do so for all of these, so nothing is concluded from
them if another API has failed too since they were read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mom.envoy import adapters
from mom.envoy.failures import CERTIFICATE, CERTIFICATE_ELSEWHERE, CONNECTION, Failure
from mom.run.admin import NoResponseError
from mom.run.generation import Generation


@dataclass
class RefusedCertificates:
    """Knows how many certificates had been refused when it last asked, for each cluster of each generation."""

    _seen: dict[tuple[int, str], int] = field(default_factory=dict)
    # The adapters that may have raised the numbers since these were last read.
    _failed: set[str] = field(default_factory=set)
    _has_read: bool = False

    def take(self, adapter: str, failure: Failure) -> None:
        """Know of a request to `adapter` that failed, whether that is reported or not."""
        if failure.type in (CERTIFICATE, CONNECTION):
            self._failed.add(adapter)

    def conclude(self) -> None:
        """Begin anew if the numbers were read: all that is due has been refined."""
        if self._has_read:
            self._failed.clear()
            self._has_read = False

    def refine(self, generation: Generation, adapter: str, failure: Failure) -> Failure:
        """Return `failure`, or that the certificate was refused at another address. Asks Envoy where necessary."""
        if failure.type != CONNECTION:
            return failure
        upstreams = {
            upstream
            for served in adapters.served(generation.plan.configuration)
            if served.name == adapter
            for upstream in adapters.kind_of(served).upstreams(served)
            if upstream.origin.scheme == "https" and not upstream.origin.is_ip
        }
        refused = [self._has_refused(generation, upstream.stat_name) for upstream in sorted(upstreams)]
        self._has_read = True
        is_ambiguous = any(upstream.is_shared for upstream in upstreams) and bool(self._failed - {adapter})
        return CERTIFICATE_ELSEWHERE if any(refused) and not is_ambiguous else failure

    def _has_refused(self, generation: Generation, cluster: str) -> bool:
        """Whether a cluster has refused certificates since it was asked last."""
        try:
            counts = generation.admin.numbers(rf"^cluster\.{re.escape(cluster)}\.ssl\.fail_verify_(error|san)")
        except NoResponseError:
            return False
        count = sum(counts.values())
        before, self._seen[generation.number, cluster] = self._seen.get((generation.number, cluster), 0), count
        return count > before
