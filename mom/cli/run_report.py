"""The terminal side of `mom atlas run`: configuration and key in, each event of a run as a message on stderr."""

from __future__ import annotations

import json
import shlex
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from mom.atlas.adapters import kind_of
from mom.atlas.forms import Forms
from mom.atlas.load import load_with_warnings
from mom.atlas.model import Configuration
from mom.auth import ephemeral, keys
from mom.auth.store import home
from mom.console import Console
from mom.envoy import adapters
from mom.envoy.failures import Failure
from mom.envoy.metrics import PATH as METRICS_PATH
from mom.envoy.options import Listen
from mom.errors import MomError
from mom.files import read_file
from mom.gateway import APIS_PATH, DEFAULT_BASE_URL
from mom.lists import some
from mom.problems import Problem, Severity
from mom.run.plan import Plan
from mom.run.plan_changes import NAMES_SHOWN
from mom.streams import visible
from mom.yamledit.source import MAX_BYTES, decode

# More would push the address off the screen; GET /v1alpha1/apis lists all.
_SHOWN = 20
_STAND_IN = "STAND-IN: no API is called, no credential is used"


@dataclass
class Loader:
    """Reads the configuration each time it is called, and shows warnings about it once."""

    path: Path
    name: str
    console: Console
    shown: tuple[Problem, ...] = ()
    forms: Forms = field(default_factory=Forms)

    def __call__(self) -> Configuration:
        """Return the configuration as it is now; raises MomError if it is invalid."""
        data = read_file(self.path, MAX_BYTES)
        configuration, problems = load_with_warnings(decode(data, self.name), self.forms)
        # Errors are reported by the plan, which refuses to serve.
        warnings = tuple(problem for problem in problems if problem.severity is not Severity.ERROR)
        if warnings != self.shown:
            self.console.problems(warnings, self.console.stderr)
            self.shown = warnings
        return configuration


@dataclass
class LocalKey:
    """This user's own key, as a gateway trusts it."""

    environ: Mapping[str, str]
    home: str = field(init=False)

    def __post_init__(self) -> None:
        """Resolve the folder of the key from `environ`."""
        self.home = home(self.environ)

    @property
    def file(self) -> Path:
        """Where the key is stored."""
        return Path(keys.key_file(self.home))

    def ephemeral(self) -> tuple[str, Mapping[str, object]]:
        """Return the issuer and the public JWKS of the programs that `mom exec` runs at the moment."""
        return ephemeral.ISSUER, ephemeral.trusted(self.home)

    def __call__(self) -> tuple[str, Mapping[str, object]]:
        """Return the issuer and the public JWKS; a key is created at first use."""
        return keys.local_issuer(), keys.public_jwks(self.home)


@dataclass
class ConsoleEvents:
    """Reports on stderr what happens in a run (`mom.run.events`)."""

    console: Console
    local: LocalKey | None
    # Messages before it serves belong to the start, and need no time.
    _serves: bool = field(init=False, default=False)

    def serving(self, plan: Plan) -> None:
        """Print the address, the APIs, who is trusted, and a command to try."""
        self._event("Serving", f"{plan.configuration.name} at {plan.url}")
        self._serves = True
        if plan.options.stand_in is not None:
            self.console.warning(_STAND_IN)
        for line in _block(plan, self.local.file if self.local else None):
            self.console.say(line)
        self.console.stderr.flush()

    def reloaded(self, changes: Sequence[str]) -> None:
        """List the changes."""
        self._event("Reloaded", some(changes, NAMES_SHOWN))

    def recovered(self) -> None:
        """Report that the files are valid again."""
        self._event("", "Configuration is valid again; nothing to apply.")

    def rejected(self, error: MomError) -> None:
        """Show what is wrong, and that nothing has changed."""
        self.console.error(error)
        self._event("", "Still serving the previous configuration.")

    def failed(self, error: MomError) -> None:
        """Show what went wrong, and that nothing has changed."""
        self.console.error(error)
        self._event("", "Still serving the previous configuration; trying again until it works.")

    def postponed(self, requests: int) -> None:
        """Report what the change waits for."""
        finish = "finishes" if requests == 1 else "finish"
        self._event("", f"Change postponed until {_requests(requests)} {finish}.")

    def draining(self, requests: int) -> None:
        """Report what the end waits for."""
        self._event("Draining", f"{_requests(requests)}; press Ctrl-C again to stop now.")

    def stopped(self) -> None:
        """Report the end of the run."""
        self._event("Stopped", "")

    def api_failed(self, adapter: str, failure: Failure, more: int) -> None:
        """Report what is wrong with an API, and how to fix it."""
        times = f" ({more} more since this was last reported)" if more else ""
        self.warning(f"{adapter}: {failure.message}{times}")
        self.console.hint(failure.hint)

    def request(self, line: str) -> None:
        """Show a request in a short line: seven lines of JSON would hide everything else."""
        self.console.aside(_in_short(line, shutil.get_terminal_size().columns - 1))

    def note(self, text: str) -> None:
        """Print a note."""
        if self._serves:
            self._event("note:", text, "note")
        else:
            self.console.say(f"note: {text}")

    def warning(self, text: str) -> None:
        """Print a warning."""
        if self._serves:
            self._event("warning:", text, "warning")
        else:
            self.console.warning(text)

    def _event(self, word: str, text: str, style: str = "status") -> None:
        self.console.event(time.strftime("%H:%M:%S"), word, text, style)

    def envoy(self, line: str) -> None:
        """Print a line of Envoy's log."""
        self.console.say(f"envoy: {line}")

    def debug(self, text: str) -> None:
        """Print a traceback."""
        self.console.say(text)


def _in_short(line: str, width: int) -> str:
    """Return the short form of a line of the access log: `12:00:00 200 GET openai /v1/models 256 ms 1.2 kB alice`.

    Of a request that Atlas itself answered also the type of the error, and what decided it. What is too long for
    `width` loses the end of its path first.
    """
    try:
        entry = json.loads(line)
        at = datetime.fromisoformat(entry["@timestamp"]).astimezone().strftime("%H:%M:%S")
        if not entry.get("method") and not entry.get("status"):
            return _cut(f"{at} connection of {entry.get('client')} failed: {entry.get('details')}", width)
        before = [at, *(entry.get(name) for name in ("status", "method", "adapter"))]
        after = [f"{entry.get('duration_ms')} ms", _size(entry.get("sent")), entry.get("subject"), entry.get("error")]
        after += [f"by {entry['decided_by']}"] if entry.get("error") and entry.get("decided_by") else []
        # What a terminal would not print takes more room.
        first, path, rest = (visible(_joined(words)) for words in (before, [entry.get("path")], after))
    except (ValueError, LookupError, TypeError, AttributeError):
        first, path, rest = visible(line), "", ""
    over = len(f"{first} {path} {rest}") - width
    if over > 0:
        path = f"{path[: max(0, len(path) - over - 1)]}…"
    return _cut(_joined((first, path or None, rest)), width)


def _cut(text: str, width: int) -> str:
    clean = visible(text)
    return clean if len(clean) <= width else f"{clean[: width - 1]}…"


def _joined(words: Iterable[object]) -> str:
    return " ".join(str(word) for word in words if word is not None)


def _size(count: object) -> str | None:
    """Return a number of bytes in three digits, None for none."""
    if not isinstance(count, int) or not count:
        return None
    size, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while size >= 999.5 and len(units) > 1:
        size, units = size / 1_000, units[1:]
    return f"{size:.1f} {units[0]}" if size < 99.5 and units[0] != "B" else f"{size:.0f} {units[0]}"


def _requests(count: int) -> str:
    return "1 in-flight request" if count == 1 else f"{count} in-flight requests"


def _block(plan: Plan, key_file: Path | None) -> list[str]:
    """Return the lines below the address: APIs, who may use them, what is left out, and a command to try."""
    configuration = plan.configuration
    served = adapters.served(configuration)
    shown = served[:_SHOWN]
    paths = [adapters.reached(adapter) for adapter in shown]
    width = max(map(len, paths), default=0)
    instead = "" if plan.options.stand_in is None else "stand-in for "
    lines = [
        f"  {path:<{width}}  {instead}{kind_of(adapter).leads_to(adapter)}"
        for path, adapter in zip(paths, shown, strict=True)
    ]
    if more := len(served) - len(shown):
        lines.append(f"  and {more} more, which GET {APIS_PATH} lists")
    lines += [f"  not served: {adapter.name} ({adapter.kind})" for adapter in adapters.unserved(configuration)]
    providers = configuration.identity_providers
    lines += [f"  trusts {provider.name}: {provider.issuer} for {provider.audience}" for provider in providers]
    if key_file is not None:
        lines.append(f"  trusts your own key, {key_file}")
    if plan.options.metrics is not None:
        lines.append(f"  metrics: http://{Listen(plan.options.metrics.near, plan.options.metrics.port)}{METRICS_PATH}")
    if paths:
        lines.append(f"  try: {_try(plan, adapters.example(served[0]), signed=key_file is not None)}")
    return lines


def _try(plan: Plan, path: str, *, signed: bool) -> str:
    token = "" if signed else "MOM_TOKEN=... "
    gateway = "" if plan.base_url == DEFAULT_BASE_URL else f"--base-url {plan.base_url} "
    return f"{token}mom curl {gateway}{shlex.quote(path)}"
