"""The standard variables of OpenTelemetry, as far as Atlas has what they are about: OTLP for logs and metrics.

Source: OpenTelemetry specification, "OpenTelemetry Protocol Exporter" and "Environment Variable Specification". An
empty value is as good as none. Values of headers are credentials: no message has one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mom.envoy.options import Collector, Otlp, PemFile
from mom.errors import MomError, UnreadableError
from mom.files import read_file
from mom.gateway import DEFAULT_PORTS, is_this_machine
from mom.run import trust

_PREFIX = "OTEL_EXPORTER_OTLP_"
_SERVICE = "atlas"
# Seconds. Envoy exports and asks a predecessor for its numbers at one interval, which a hand-over waits for twice.
_LONGEST_INTERVAL = 10.0
# RFC 9110, 5.6.2. HTTP/2 has names in lower case only.
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_NO_HEADERS = {"host", "content-length", "content-type", "transfer-encoding", "connection", "te", "upgrade"}
_EXAMPLE = "for example: api-key=…"
# No reference of a configuration can have such a name.
_VARIABLE = "mom.otlp."


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What is exported, the variables of Envoy's environment with the values of headers, and what a user should know.

    warnings: what goes to a collector in a way that others can read.
    """

    otlp: Otlp | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def telemetry(environ: Mapping[str, str]) -> Telemetry:
    """Return what `environ` asks for. Raises MomError, which names the variable, where that cannot be done."""
    given = {name: value.strip() for name, value in environ.items() if name.startswith("OTEL_") and value.strip()}
    if given.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return Telemetry()
    signals = {signal: _Signal(signal, given) for signal in ("logs", "metrics") if _is_wanted(signal, given)}
    if not signals:
        return Telemetry()
    variables: dict[str, str] = {}
    collectors = {name: signal.collector(variables) for name, signal in signals.items()}
    otlp = Otlp(
        logs=collectors.get("logs"),
        metrics=collectors.get("metrics"),
        resource=tuple(_resource(given).items()),
        interval=_interval(given),
        deltas=_deltas(given),
    )
    return Telemetry(otlp, variables, tuple(_notes(signals, collectors)), tuple(_warnings(collectors)))


def _is_wanted(signal: str, given: Mapping[str, str]) -> bool:
    """Whether a signal is exported: if a collector or the exporter `otlp` is named, and it is not turned off."""
    exporters = given.get(f"OTEL_{signal.upper()}_EXPORTER")
    if exporters is not None:
        return "otlp" in [exporter.strip().lower() for exporter in exporters.split(",")]
    return any(f"{_PREFIX}{part}ENDPOINT" in given for part in ("", f"{signal.upper()}_"))


class _Signal:
    """The settings of one signal: each is that of the signal alone, else that of all."""

    def __init__(self, signal: str, given: Mapping[str, str]) -> None:
        """Take the variables that are set."""
        self.signal = signal
        self._given = given

    def setting(self, name: str) -> tuple[str, str | None]:
        """Return the variable that counts for a setting, and its value."""
        for variable in (f"{_PREFIX}{self.signal.upper()}_{name}", f"{_PREFIX}{name}"):
            if variable in self._given:
                return variable, self._given[variable]
        return f"{_PREFIX}{name}", None

    def collector(self, variables: dict[str, str]) -> Collector:
        """Return where the signal goes, and add the values of its headers to `variables`."""
        grpc = self._is_grpc()
        scheme, host, port, path = self._endpoint(grpc=grpc)
        certificate, client, pem_files = self._files()
        return Collector(
            scheme=scheme,
            host=host,
            port=port,
            path=path,
            grpc=grpc,
            headers=tuple(self._headers(variables)),
            timeout=_milliseconds(*self.setting("TIMEOUT"), default=10_000),
            ca_file=certificate,
            client=client,
            pem_files=pem_files,
        )

    def _is_grpc(self) -> bool:
        variable, protocol = self.setting("PROTOCOL")
        if protocol in {None, "http/protobuf"}:
            return False
        if protocol != "grpc":
            raise MomError(f"{variable}: {protocol!r} is not supported", hint="use http/protobuf or grpc")
        return True

    def _endpoint(self, *, grpc: bool) -> tuple[str, str, int, str]:
        variable, endpoint = self.setting("ENDPOINT")
        if endpoint is None:
            return "http", "localhost", 4317 if grpc else 4318, f"/v1/{self.signal}"
        if grpc and "://" not in endpoint:
            _, insecure = self.setting("INSECURE")
            endpoint = f"{'http' if (insecure or '').lower() == 'true' else 'https'}://{endpoint}"
        try:
            parts = urlsplit(endpoint)
            scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
        except ValueError:
            # What remains has no host, and is refused.
            parts, scheme, host, port = urlsplit(""), "", "", None
        if scheme not in DEFAULT_PORTS or not re.fullmatch(r"[a-z0-9._-]+|[0-9a-f:.]+", host):
            raise MomError(f"{variable} is not a URL of a collector", hint="such as https://collector.example.com:4318")
        if parts.username is not None or parts.query or parts.fragment:
            hint = f"credentials belong into {_PREFIX}HEADERS"
            raise MomError(f"{variable}: a user name, a query or a fragment is not supported", hint=hint)
        path = parts.path
        if variable == f"{_PREFIX}ENDPOINT":
            path = f"{path.rstrip('/')}/v1/{self.signal}"
        return scheme, host, port or DEFAULT_PORTS[scheme], path or "/"

    def _headers(self, variables: dict[str, str]) -> Iterator[tuple[str, str]]:
        variable, text = self.setting("HEADERS")
        for number, (name, value) in enumerate(_pairs(variable, text).items(), start=1):
            if name.lower() in _NO_HEADERS:
                raise MomError(f"{variable}: {name} is not a header that can be set", hint=_EXAMPLE)
            # By its number: where the name was forgotten, it is the credential, up to the `=` at its end.
            if not _HEADER_NAME.fullmatch(name.lower()):
                raise MomError(f"{variable}: header {number} has a name that cannot be sent", hint=_EXAMPLE)
            if not value.strip("=") or not re.fullmatch(r"[\t\x20-\x7e\x80-\U0010ffff]*", value):
                raise MomError(f"{variable}: the value of header {number} is empty or has a control character")
            reference = f"{_VARIABLE}{self.signal}.{len(variables)}"
            variables[reference] = value
            yield name.lower(), reference

    def _files(self) -> tuple[str, tuple[str, str] | None, dict[str, PemFile]]:
        """Return the authorities, the client's certificate and key, and the files themselves by their paths."""
        files: dict[str, PemFile] = {}
        paths = {}
        for name in ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"):
            variable, path = self.setting(name)
            if path is not None:
                absolute = str(Path(path).absolute())
                try:
                    files[absolute] = PemFile(absolute, trust.certificates(read_file(absolute)))
                except UnreadableError as error:
                    raise MomError(f"{variable}: {path}: {error.reason}") from error
                paths[name] = absolute
        if ("CLIENT_CERTIFICATE" in paths) != ("CLIENT_KEY" in paths):
            raise MomError(f"{_PREFIX}CLIENT_CERTIFICATE and {_PREFIX}CLIENT_KEY must be given together")
        client = (paths["CLIENT_CERTIFICATE"], paths["CLIENT_KEY"]) if "CLIENT_KEY" in paths else None
        if client and (reason := trust.key_pair_objection(*client)):
            raise MomError(f"{_PREFIX}CLIENT_CERTIFICATE and {_PREFIX}CLIENT_KEY cannot be used: {reason}")
        return paths.get("CERTIFICATE", ""), client, files


def _resource(given: Mapping[str, str]) -> dict[str, str]:
    """Return the resource: what OTEL_RESOURCE_ATTRIBUTES says, and the name of the service."""
    attributes = _pairs("OTEL_RESOURCE_ATTRIBUTES", given.get("OTEL_RESOURCE_ATTRIBUTES"))
    name = given.get("OTEL_SERVICE_NAME") or attributes.get("service.name") or _SERVICE
    return {**attributes, "service.name": name}


def _interval(given: Mapping[str, str]) -> float:
    name = "OTEL_METRIC_EXPORT_INTERVAL"
    return min(_LONGEST_INTERVAL, max(1.0, _milliseconds(name, given.get(name), default=60_000)))


def _deltas(given: Mapping[str, str]) -> bool:
    name = f"{_PREFIX}METRICS_TEMPORALITY_PREFERENCE"
    preference = given.get(name, "cumulative").lower()
    if preference not in {"cumulative", "delta", "lowmemory"}:
        raise MomError(f"{name}: {preference!r} is not supported", hint="use cumulative, delta or lowmemory")
    return preference != "cumulative"


def _milliseconds(variable: str, text: str | None, *, default: int) -> float:
    """Return the seconds that a variable has in milliseconds; 0 means no limit, which Envoy takes as an hour."""
    if text is None:
        return default / 1_000
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise MomError(f"{variable}: {text!r} is not a whole number of milliseconds")
    return min(3_600.0, int(text) / 1_000 or 3_600.0)


def _pairs(variable: str, text: str | None) -> dict[str, str]:
    """Return `name=value,name=value` (W3C Baggage, whose values are percent-encoded) as a dictionary."""
    pairs = {}
    for part in (text or "").split(","):
        name, separator, value = part.partition("=")
        if not part.strip():
            continue
        if not separator or not name.strip():
            raise MomError(f"{variable} is not a list of name=value, separated by commas")
        pairs[unquote(name.strip())] = unquote(value.strip())
    return pairs


def _notes(signals: Mapping[str, _Signal], collectors: Mapping[str, Collector]) -> Iterator[str]:
    words = {"logs": "access log", "metrics": "metrics"}
    by_target: dict[str, list[str]] = {}
    for name, collector in collectors.items():
        by_target.setdefault(f"{collector.scheme}://{collector.host}:{collector.port}", []).append(words[name])
    for target, names in by_target.items():
        yield f"{' and '.join(names)} exported to {target} (OTEL_EXPORTER_OTLP_…)"
    for signal in signals.values():
        variable, compression = signal.setting("COMPRESSION")
        if compression not in {None, "none"}:
            yield f"{variable} has no effect: what is exported is not compressed"
            return


def _warnings(collectors: Mapping[str, Collector]) -> Iterator[str]:
    for collector in collectors.values():
        if collector.scheme == "http" and not is_this_machine(collector.host):
            what = "headers and who calls what" if collector.headers else "who calls what"
            yield f"exporting to {collector.host} over plain http: others can read {what}"
            return
