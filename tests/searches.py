"""How long the random searches are: short in `make test`, long in `make proof`, which sets MOM_EXAMPLES."""

from __future__ import annotations

import os

EXAMPLES = int(os.environ.get("MOM_EXAMPLES", "0"))
# Files with slips for each test that compares parsers, edits and checks on them: 20 to 200 a second and processor.
# MOM_EXAMPLES=100000 is a search for a night.
SLIPS = EXAMPLES or 2_000


def examples(short: int, long: int | None = None) -> int:
    """Return how many examples to take: `short`, or in a long search `long`, without which MOM_EXAMPLES says it."""
    return (long or EXAMPLES) if EXAMPLES else short
