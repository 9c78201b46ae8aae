"""One Envoy process with the directory it watches: what it was started with, and how it is told of changes.

A change of routes, upstreams or the listener goes through files. A changed variable does not: a process keeps the
environment it was started with, so the next generation takes over the listening socket (Envoy: "Hot restart") while
this one ends the requests it has.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mom.envoy import bootstrap, listener, routes
from mom.envoy.options import Listen
from mom.envoy.translate import translate
from mom.run import variables
from mom.run.admin import Admin
from mom.run.binary import Binary
from mom.run.directory import write
from mom.run.plan import Plan
from mom.run.process import Command, Process

# How long requests may go on in a process whose successor serves, or on a listener that has changed.
DRAIN_SECONDS = 600
REQUESTS = f"http.{listener.STAT_PREFIX}.downstream_rq_active"
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  where Linux has POSIX shared memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How Envoy runs. base_id: see `base_id`, None if no successor may take over. debug: whether it says more."""

    binary: Binary
    directory: Path
    environ: Mapping[str, str]
    concurrency: int
    base_id: int | None
    debug: bool = False

    @property
    def log_level(self) -> str:
        """Never `debug`: at that level Envoy logs headers."""
        return "info" if self.debug else "warning"


class Generation:
    """A running Envoy. `number` is its epoch in the terms of hot restart; `version` counts its configurations."""

    def __init__(self, number: int, plan: Plan, settings: Settings) -> None:
        """Write its files and start it. It may not serve for a while, or end at once."""
        self.number = number
        self.plan = plan
        self.version = 0
        self.variables = dict(plan.variables)
        self.directory = settings.directory / str(number)
        self.directory.mkdir(mode=0o700)
        socket = str(self.directory / "admin")
        self.admin = Admin(socket)
        # A successor closes the admin interface of its predecessor.
        self.answers = True
        self.put(plan)
        file = self.directory / "bootstrap.json"
        write(file, bootstrap.dumps(bootstrap.dynamic(str(self.directory), plan.options, admin_socket=socket)))
        environment = variables.environment(plan.variables, settings.environ)
        arguments = [settings.binary.path, "-c", str(file), *_arguments(number, settings)]
        self.process = Process(Command(arguments, environment, stdout=plan.options.access_log == "-"))

    def put(self, plan: Plan) -> None:
        """Write the files of `plan`, which Envoy reads at once, in the order that keeps every reference good."""
        self.version += 1
        source = listener.rds(bootstrap.file_source(str(self.directory), "rds"))
        resources = translate(plan.configuration, plan.options, route_source=source)
        for name, content in bootstrap.discovery(resources, str(self.version)).items():
            write(self.directory / f"{name}.json", bootstrap.dumps(content))
        self.plan = plan

    def has_taken(self) -> bool:
        """Whether the last `put` is in force, keys of identity providers fetched. Raises OSError without an answer."""
        found = self.admin.versions()
        names = ("cluster_manager.cds", f"http.{listener.STAT_PREFIX}.rds.{routes.NAME}", "listener_manager.lds")
        if any(found.get(f"{name}.version_text") != str(self.version) for name in names):
            return False
        return self.admin.number("listener_manager.total_listeners_warming") == 0

    def rejections(self) -> int:
        """Return how many of its files it has refused so far."""
        return self.admin.numbers("update_rejected")

    def can_serve(self, plan: Plan) -> bool:
        """Whether the environment it was started with has all variables of `plan`, with their values."""
        return all(self.variables.get(name) == value for name, value in plan.variables.items())


def base_id(listen: Listen) -> int | None:
    """Return what names the shared memory of an Atlas, the same for each run of this user at one address.

    None where no successor could take over: it is measured on Linux, and needs POSIX shared memory.

    A run that was killed leaves it behind; the next one at the same address takes it over.
    """
    if sys.platform != "linux" or not os.access(_SHARED_MEMORY, os.W_OK | os.X_OK):
        return None
    digest = hashlib.sha256(f"{os.getuid()} {listen}".encode()).digest()
    # Envoy multiplies by ten and wants 32 bits.
    return int.from_bytes(digest[:4], "big") % 400_000_000


def remove_shared_memory(base_id: int) -> None:
    """Remove what Envoy leaves behind in shared memory: two locks, no data."""
    with contextlib.suppress(OSError):
        (_SHARED_MEMORY / f"envoy_shared_memory_{base_id * 10}").unlink()


def _arguments(number: int, settings: Settings) -> list[str]:
    return [
        *("--concurrency", str(settings.concurrency)),
        *("-l", settings.log_level),
        # This component warns of deprecated fields and nothing else, four lines for each upstream that has a name.
        *("--component-log-level", "misc:error"),
        *("--drain-time-s", str(DRAIN_SECONDS), "--drain-strategy", "immediate"),
        # The default keeps lines of the access log for ten seconds.
        *("--file-flush-interval-msec", "250"),
        *_hot_restart(number, settings),
    ]


def _hot_restart(number: int, settings: Settings) -> list[str]:
    if settings.base_id is None:
        # Else a second Envoy on the machine ends: they would share a socket named after the base id.
        return ["--disable-hot-restart"]
    return [
        *("--base-id", str(settings.base_id), "--restart-epoch", str(number)),
        # In the private directory instead of the name space that all users of the machine share.
        *("--socket-path", str(settings.directory / "hot-restart"), "--socket-mode", "600"),
        *("--parent-shutdown-time-s", str(DRAIN_SECONDS)),
    ]
