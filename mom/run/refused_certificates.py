"""Whether an API's certificate was refused although its last address failed in another way.

An API with several addresses is tried at each, and Envoy's details tell of the last one only. Its statistics count what
happened at all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mom.envoy import clusters
from mom.envoy.failures import CERTIFICATE_ELSEWHERE, CONNECTION, Failure
from mom.envoy.origins import split
from mom.run.admin import NoAnswerError
from mom.run.generation import Generation


@dataclass
class RefusedCertificates:
    """Knows how many certificates had been refused when it was asked last, for each cluster of each generation."""

    _seen: dict[tuple[int, str], int] = field(default_factory=dict)

    def explain(self, generation: Generation, adapter: str, failure: Failure) -> Failure:
        """Return `failure`, or that the certificate was refused at another address. It asks Envoy, where it must."""
        urls = {one.name: one.base_url for one in generation.plan.configuration.http_adapters}
        if failure.type != CONNECTION or adapter not in urls:
            return failure
        origin, _ = split(urls[adapter])
        if origin.scheme != "https" or origin.is_ip:
            return failure
        cluster = clusters.stat_name(origin)
        try:
            found = generation.admin.numbers(rf"^cluster\.{re.escape(cluster)}\.ssl\.fail_verify_(error|san)")
        except NoAnswerError:
            return failure
        count = sum(found.values())
        before, self._seen[generation.number, cluster] = self._seen.get((generation.number, cluster), 0), count
        return CERTIFICATE_ELSEWHERE if count > before else failure
