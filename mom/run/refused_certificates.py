"""Whether an API's certificate was refused although its last address failed in another way.

An API with several addresses is tried at each, and Envoy's details are about the last one only. Its statistics count
what happened at all of them; those of a cluster that APIs share do so for all of these, so nothing is concluded from
them while another API's certificate is refused.
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
    # Whether a certificate has been refused, as a failure of its own, since it last asked.
    _reported: bool = False

    def take(self, failure: Failure) -> None:
        """Know of a request that failed, whether that is reported or not."""
        self._reported = self._reported or failure.type == CERTIFICATE

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
        ambiguous, self._reported = self._reported and any(upstream.is_shared for upstream in upstreams), False
        return CERTIFICATE_ELSEWHERE if any(refused) and not ambiguous else failure

    def _has_refused(self, generation: Generation, cluster: str) -> bool:
        """Whether a cluster has refused certificates since it was asked last."""
        try:
            counts = generation.admin.numbers(rf"^cluster\.{re.escape(cluster)}\.ssl\.fail_verify_(error|san)")
        except NoResponseError:
            return False
        count = sum(counts.values())
        before, self._seen[generation.number, cluster] = self._seen.get((generation.number, cluster), 0), count
        return count > before
