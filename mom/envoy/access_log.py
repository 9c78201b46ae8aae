"""The access log: a JSON object a line, about the request, not its content: no header but `Host`, no query, no body.

Each request is a line, once it has ended: also one that Atlas refused, before it knew an adapter too. Health checks are
left out: they come every few seconds, and mom itself asks. What ends before it is a request (a TLS handshake, the
framing of HTTP/2) has no line; Envoy counts it (`downstream_cx_protocol_error`, `ssl.connection_error`).

docs/access-log.md has a table of the keys.
"""

from __future__ import annotations

from mom.envoy import jwt
from mom.envoy.failures import Failure, failure_of
from mom.envoy.messages import Json, extension
from mom.gateway import ERROR_HEADER

ADAPTER_METADATA = "mom"
# Not a valid name of an adapter.
HEALTH_ROUTE = "health check"

_LINE = {
    "time": "%START_TIME%",
    "subject": f"%DYNAMIC_METADATA({jwt.FILTER}:{jwt.CLAIMS}:sub)%",
    "issuer": f"%DYNAMIC_METADATA({jwt.FILTER}:{jwt.CLAIMS}:iss)%",
    "adapter": f"%METADATA(ROUTE:{ADAPTER_METADATA}:adapter)%",
    "method": "%REQ(:METHOD)%",
    "path": "%PATH(NQ:PATH)%",
    "status": "%RESPONSE_CODE%",
    "duration_ms": "%DURATION%",
    "received": "%BYTES_RECEIVED%",
    "sent": "%BYTES_SENT%",
    "flags": "%RESPONSE_FLAGS%",
    "error": f"%RESP({ERROR_HEADER})%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "token": f"%DYNAMIC_METADATA({jwt.FILTER}:{jwt.CLAIMS}:jti)%",
    "key": f"%DYNAMIC_METADATA({jwt.FILTER}:{jwt.JOSE}:kid)%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "host": "%REQ(:AUTHORITY)%",
    "upstream": "%UPSTREAM_HOST%",
    "protocol": "%PROTOCOL%",
}
_FAILURE_MARK = "mom-failure "
# Envoy: "Response flags". Connection, name, termination, protocol, reset, timeout, limits.
_FAILURE_FLAGS = ("UF", "UH", "UC", "UPE", "UR", "UT", "UO")


def access_log(target: str | None, *, failures: bool = False) -> list[Json]:
    """Return the `access_log` of the connection manager for a file path, `-` (standard output) or None.

    failures: also write a line about each request that failed between Atlas and an API to Envoy's own log.
    """
    return [*_requests(target), *([_failures()] if failures else [])]


def is_failure(line: str) -> bool:
    """Whether a line of Envoy's own log is about a request that failed."""
    return line.startswith(_FAILURE_MARK)


def read_failure(line: str) -> tuple[str, Failure] | None:
    """Return the adapter and the failure of a line of Envoy's own log; None for every other line."""
    if not is_failure(line):
        return None
    adapter, _, details = line.removeprefix(_FAILURE_MARK).partition(" ")
    failure = failure_of(details)
    return None if failure is None else (adapter, failure)


def _requests(target: str | None) -> list[Json]:
    if target is None:
        return []
    line = {"log_format": {"json_format": _LINE}}
    if target == "-":
        message = "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"
        log = extension("envoy.access_loggers.stdout", message, line)
    else:
        message = "envoy.extensions.access_loggers.file.v3.FileAccessLog"
        log = extension("envoy.access_loggers.file", message, {"path": target, **line})
    return [{**log, "filter": _not_health()}]


def _not_health() -> Json:
    """Return the filter of what is logged: all but successful health checks.

    By the route, since an API may have a path `/healthz` of its own. A request that was refused before there was a
    route has none, and the expression no value, which means no; but none of those got 200.
    """
    message = "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
    other_route = extension("cel", message, {"expression": f"xds.route_name != '{HEALTH_ROUTE}'"})
    ok = {"default_value": 200, "runtime_key": "mom.access_log.ok"}
    filters = [{"status_code_filter": {"comparison": {"op": "NE", "value": ok}}}, {"extension_filter": other_route}]
    return {"or_filter": {"filters": filters}}


def _failures() -> Json:
    """Return the log of failures: the adapter, which has no blank in its name, and Envoy's details."""
    line = f"{_FAILURE_MARK}%METADATA(ROUTE:{ADAPTER_METADATA}:adapter)% %RESPONSE_CODE_DETAILS%\n"
    message = "envoy.extensions.access_loggers.stream.v3.StderrAccessLog"
    target = {"log_format": {"text_format_source": {"inline_string": line}}}
    log = extension("envoy.access_loggers.stderr", message, target)
    return {**log, "filter": {"response_flag_filter": {"flags": list(_FAILURE_FLAGS)}}}
