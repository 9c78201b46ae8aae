"""One Envoy process with the directory it watches: what it was started with, and how changes reach it.

A change of routes, upstreams or the listener goes through files, and so does the value of a variable that may change
(`mom.run.secret_files`). A variable of the environment does not: a process keeps the one it was started with, so the
next generation takes over the listening socket (Envoy: "Hot restart") while this one finishes its requests.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from mom.atlas.model import Configuration
from mom.envoy import adapters, bootstrap, readers, secrets
from mom.envoy.by_form import Memory
from mom.envoy.options import Options
from mom.envoy.translate import resources
from mom.run import variables
from mom.run.admin import Admin
from mom.run.binary import Binary
from mom.run.directory import RunDirectory, make_folder, write, write_all
from mom.run.hot_restart import HotRestart
from mom.run.plan import Plan
from mom.run.process import Command, Process, Stdout
from mom.run.secret_files import SecretFiles
from mom.run.waiting import Waiting
from mom.yamledit.parser import collector_paused

# How long requests may go on in a process whose successor serves, or on a listener that has changed.
DRAIN_SECONDS = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How Envoy runs. hot_restart: None if no successor may take over. debug: whether it logs more.

    secret_files: of all generations.
    shows_requests: whether an access log on standard output is for a person, and goes through mom.
    """

    binary: Binary
    directory: RunDirectory
    secret_files: SecretFiles
    environ: Mapping[str, str]
    concurrency: int
    hot_restart: HotRestart | None
    debug: bool = False
    shows_requests: bool = False

    @property
    def log_level(self) -> str:
        """Never `debug`: at that level Envoy logs headers."""
        return "info" if self.debug else "warning"


class Generation:
    """A running Envoy. `number` is its epoch in the terms of hot restart; `files` are those that it watches."""

    def __init__(self, number: int, plan: Plan, settings: Settings, waiting: Waiting) -> None:
        """Write its files and start it. It may not serve for a while, or end at once.

        Raises UnavailableError, and leaves nothing behind, if it cannot be started.
        """
        self.number = number
        self.plan = plan
        self.files: dict[str, bootstrap.File] = {}
        # What was translated last, and the files of it.
        self._last: tuple[Configuration, Options, dict[str, bootstrap.File]] | None = None
        self._memory = Memory()
        self.variables = plan.environment
        self._secret_files = settings.secret_files
        # A name for each generation: the next one reports the numbers of this one beside its own.
        self.stat_prefix = plan.options.stat_prefix + (f"-{number}" if number else "")
        self.directory = make_folder(settings.directory.path, f"{number}")
        try:
            socket = str(self.directory / "admin")
            self.admin = Admin(socket, waiting.readable)
            # A successor closes the admin interface of its predecessor.
            self.admin_available = True
            # Whether its files match its plan.
            self.is_settled = True
            self._records_claims = False
            self.push(plan)
            file = self.directory / "bootstrap.json"
            content = bootstrap.dynamic(str(self.directory), self._options(plan), admin_socket=socket)
            write(file, bootstrap.dumps(content))
            environment = variables.environment(self.variables, settings.environ)
            arguments = [settings.binary.path, "-c", str(file), *_arguments(number, settings)]
            self.process = Process(Command(arguments, environment, _stdout(plan, settings)))
        except BaseException:
            shutil.rmtree(self.directory, ignore_errors=True)
            raise

    @collector_paused()
    def push(self, plan: Plan, *, later: Collection[str] = ()) -> None:
        """Write the files of `plan` that have changed, which Envoy reads at once.

        In the order that keeps every reference valid. later: names of files that stay as they are. Raises
        UnavailableError if the files cannot be written; what is served has not changed then.
        """
        # First: without its file a secret is empty.
        self._secret_files.write(plan.secrets, plan.secrets_in_environment, plan.credential_files)
        self._note_readers(plan)
        files = {**self._translated(plan), **{name: self.files[name] for name in later}}
        self._write(files)
        self.plan = plan

    def serves(self, plan: Plan) -> bool:
        """Whether it serves `plan` already: nothing would be written that is not there."""
        self._note_readers(plan)
        return plan.variables == self.plan.variables and self._translated(plan) == self.files

    def _translated(self, plan: Plan) -> dict[str, bootstrap.File]:
        """Return the files of `plan`, made once: they are compared with what is served, and written."""
        options = self._options(plan)
        if self._last is None or self._last[0] is not plan.configuration or self._last[1] != options:
            translated = resources(plan.configuration, options, directory=str(self.directory), memory=self._memory)
            self._last = plan.configuration, options, bootstrap.discovery(translated)
        return self._last[2]

    def push_values(self, plan: Plan) -> None:
        """Write the values of `plan`, which differs in nothing else. Raises UnavailableError, as `push`."""
        folder = self._secret_files.path
        self._secret_files.write(plan.secrets)
        self.plan = plan
        if self._secret_files.path != folder:
            # Their folder was removed, as by systemd-logind at the end of a login: Envoy must look into the new one.
            self.push(plan)

    def follow(self, plan: Plan) -> None:
        """Write the keys, routes and upstreams of `plan`, for connections that a successor did not take over.

        Only adapters whose variables it was started with: Envoy would send `-` for others. Its listener is closed, and
        stays so. Raises UnavailableError.
        """
        known = {*self.variables, *plan.options.secrets, *plan.options.credential_files}
        served = tuple(
            adapter for adapter in adapters.served(plan.configuration) if adapters.needed([adapter]) <= known
        )
        self._note_readers(plan)
        options = self._options(plan)
        configuration = plan.configuration._replace(adapters=served)
        files = bootstrap.discovery(resources(configuration, options, directory=str(self.directory)))
        files[bootstrap.LISTENERS_FILE] = self.files[bootstrap.LISTENERS_FILE]
        self._write(files)

    def _write(self, files: dict[str, bootstrap.File]) -> None:
        """Write those of `files` that have changed."""
        changed = {self.directory / name: file.content for name, file in files.items() if self.files.get(name) != file}
        write_all(changed)
        self.files = files

    def _note_readers(self, plan: Plan) -> None:
        """Have claims recorded for good once they are: routes that read them go a moment later than what records."""
        self._records_claims = self._records_claims or readers.claims_matter(plan.configuration)

    def _options(self, plan: Plan) -> Options:
        return replace(
            plan.options,
            record_claims=self._records_claims,
            stat_prefix=self.stat_prefix,
            admin_socket=str(self.directory / "admin"),
            secret_folder=str(self._secret_files.path),
            credential_files={
                name: self._secret_files.plain_versions.get(name, 0) for name in plan.options.credential_files
            },
        )

    def is_applied(self) -> bool:
        """Whether the last `push` is applied. Raises NoResponseError."""
        versions = self.admin.versions()
        for name, statistic in bootstrap.version_statistics(self._options(self.plan)).items():
            if versions.get(f"{statistic}.version_text") != self.files[name].version:
                return False
        if not self.has_values(versions):
            return False
        return self.admin.number("listener_manager.total_listeners_warming") == 0

    def has_values(self, versions: Mapping[str, str] | None = None) -> bool:
        """Whether the values that were written last are used. Raises NoResponseError."""
        wanted = self._secret_files.versions
        if not self.plan.options.secrets:
            return True
        seen = self.admin.versions() if versions is None else versions
        statistics = {name: f"{secrets.version_statistic(name)}.version_text" for name in self.plan.options.secrets}
        return all(seen.get(statistic) == wanted[name] for name, statistic in statistics.items())

    def rejections(self) -> int:
        """Return how many of its files it has refused so far. Raises NoResponseError."""
        return sum(self.admin.numbers("update_rejected").values())

    def requests(self, of: Generation | None = None) -> int | None:
        """Return how many requests are in progress here, or in the predecessor `of` as far as this one knows.

        Web sockets are not counted: they end when the client or the API wants, and not by being waited for. None: the
        predecessor has not reported yet. Raises NoResponseError.
        """
        prefix = f"http.{(of or self).stat_prefix}.downstream_"
        numbers = self.admin.numbers(rf"^{prefix}(rq|cx_upgrades)_active".replace(".", r"\."))
        active = numbers.get(f"{prefix}rq_active")
        return None if active is None else max(0, active - numbers.get(f"{prefix}cx_upgrades_active", 0))

    def can_serve(self, plan: Plan) -> bool:
        """Whether the environment it was started with has all variables of `plan`, with their values."""
        return all(self.variables.get(name) == value for name, value in plan.environment.items())

    def is_reachable(self) -> bool:
        """Whether its directory is still there: without it no change can reach it, and no successor can take over."""
        return self.directory.is_dir() and (self.directory / "admin").exists()

    def close(self) -> None:
        """End it, and remove what belongs to it."""
        self.process.end()
        self.process.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def _stdout(plan: Plan, settings: Settings) -> Stdout:
    if plan.options.access_log != "-":
        return Stdout.NONE
    return Stdout.READ if settings.shows_requests else Stdout.SHARED


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
    if settings.hot_restart is None:
        # Else a second Envoy on the machine ends: they would share a socket named after the base id.
        return ["--disable-hot-restart"]
    return [
        *("--base-id", str(settings.hot_restart.base_id), "--restart-epoch", str(number)),
        # In the private directory instead of the name space that all users of the machine share.
        *("--socket-path", str(settings.directory.path / "hot-restart"), "--socket-mode", "600"),
        *("--parent-shutdown-time-s", str(DRAIN_SECONDS)),
    ]
