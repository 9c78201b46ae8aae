"""Let Envoy check a whole configuration before anything running is touched."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from mom.errors import MomError
from mom.run import variables
from mom.run.directory import write
from mom.run.generation import Settings
from mom.run.outcome import UnavailableError
from mom.run.plan import Plan
from mom.run.process import Command, Process
from mom.run.waiting import Waiting

_SECONDS = 60.0


def rejected(settings: Settings) -> MomError:
    """Return the error for a configuration that Envoy rejects."""
    hint = None if settings.debug else "rerun with --debug to see its log"
    return MomError("Envoy rejected the configuration", hint=hint)


@contextlib.contextmanager
def validating(
    plan: Plan, settings: Settings, waiting: Waiting, quote: Callable[[str], None]
) -> Iterator[Callable[[], None]]:
    """Have Envoy check `plan`; yield what waits for its verdict, and returns if it accepts the plan.

    That raises MomError if it does not, UnavailableError if it could not be asked, Stopped if a signal comes first. Its
    objections may contain literals of the configuration: `quote` gets each line redacted.
    """
    file = settings.directory.path / "validate.json"
    write(file, plan.static_text)
    command = [settings.binary.path, "--mode", "validate", "-c", str(file), "-l", "error"]
    given = {**plan.secrets, **plan.variables}
    process = Process(Command(command, variables.environment(given, settings.environ)))
    until = time.monotonic() + _SECONDS

    def accepted() -> None:
        while (status := process.status()) is None:
            if time.monotonic() > until:
                raise UnavailableError(f"Envoy did not finish checking the configuration in {_SECONDS:.0f} s")
            waiting.sleep(0.01)
        process.read_log(lambda line: quote(plan.redaction(line)))
        if status:
            raise rejected(settings)

    try:
        yield accepted
    finally:
        process.end()
        process.close()
