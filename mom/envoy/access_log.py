"""The access log: a JSON object a line, about the request, not its content: no header but `Host`, no query, no body.

Each request is a line, once it has ended: also one that Atlas refused, before it knew an adapter too. Health checks are
left out: they come every few seconds, and mom itself asks. A TLS handshake that failed is a line, too. What ends by the
framing of HTTP/2 before it is a request has none; Envoy counts it (`downstream_cx_protocol_error`).

docs/access-log.md has a table of the keys.
"""

from __future__ import annotations

from mom.envoy import jwt, metrics, otlp, policy, verified
from mom.envoy.failures import Failure, failure_of
from mom.envoy.messages import Json, extension, when
from mom.envoy.options import Options
from mom.gateway import ERROR_HEADER
from mom.masking import path_with_token

ADAPTER_METADATA = "mom"
# Not a valid name of an adapter.
HEALTH_ROUTE = "health check"
# In the metadata of a virtual host: the names of identity providers by their issuers.
PROVIDERS = "providers"
# What the provider is called of a token that this user's own key has signed.
LOCAL_KEY = "local key"
_ISSUER = f"metadata.filter_metadata['{jwt.FILTER}']['{jwt.CLAIMS}']['iss']"

# In this order in the human form and in OTLP. Envoy sorts the keys of JSON, so that of the time begins with a character
# before all letters; it is the one that Elastic and Datadog expect.
LINE = {
    "@timestamp": "%START_TIME%",
    "subject": f"%DYNAMIC_METADATA({jwt.FILTER}:{jwt.CLAIMS}:sub)%",
    "provider": f"%CEL(xds.virtual_host_metadata.filter_metadata['{ADAPTER_METADATA}']['{PROVIDERS}'][{_ISSUER}])%",
    "issuer": f"%DYNAMIC_METADATA({jwt.FILTER}:{jwt.CLAIMS}:iss)%",
    "jti": f"%DYNAMIC_METADATA({jwt.FILTER}:{jwt.CLAIMS}:jti)%",
    "kid": verified.KEY_ID,
    "adapter": f"%METADATA(ROUTE:{ADAPTER_METADATA}:adapter)%",
    "method": "%REQ(:METHOD)%",
    "path": "%PATH(NQ:PATH)%",
    "status": "%RESPONSE_CODE%",
    "error": f"%RESP({ERROR_HEADER})%",
    "decided_by": f"%DYNAMIC_METADATA({policy.DECISION})%",
    "duration_ms": "%DURATION%",
    "received": "%BYTES_RECEIVED%",
    "sent": "%BYTES_SENT%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "client": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "host": "%REQ(:AUTHORITY)%",
    "upstream": "%UPSTREAM_HOST%",
    "protocol": "%PROTOCOL%",
}
# What a client writes as it likes. Where it pasted a token there, this is logged instead.
_FREE = {"method": ":method", "path": ":path", "host": ":authority"}
_MASKED = "***"
_FAILURE_MARK = "mom-failure "
# Envoy: "Response flags". Connection, name (of an own cluster, and of a shared one), termination, protocol, reset,
# timeout, limits.
_FAILURE_FLAGS = ("UF", "UH", "DF", "UC", "UPE", "UR", "UT", "UO")


def access_log(options: Options, adapters: int) -> list[Json]:
    """Return the `access_log` of the connection manager: lines, exported records, metrics and failures, as asked for.

    adapters: how many are served, on which the labels of metrics depend.
    """
    logs = [
        {**log, "filter": _filter(masked=masked)}
        for masked in (False, True)
        for log in _lines({**LINE, **dict.fromkeys(_FREE, _MASKED)} if masked else LINE, options)
    ]
    if options.metrics is not None or (options.otlp and options.otlp.metrics):
        logs.append({**metrics.request_log(adapters), "filter": _not_health()})
    return [*logs, *([_failures()] if options.log_failures else [])]


def failed_handshakes(options: Options) -> list[Json]:
    """Return the `access_log` of the listener: a line for each TLS handshake that failed, with the reason as details.

    Other connections that never became a request, by invalid frames of HTTP/2, cannot be told from those that did.
    """
    if options.tls is None:
        return []
    failed = when("connection.transport_failure_reason != ''")
    line = {**LINE, "details": "%DOWNSTREAM_TRANSPORT_FAILURE_REASON%"}
    return [{**log, "filter": failed} for log in _lines(line, options)]


def virtual_host_metadata(names: dict[str, str]) -> Json:
    """Return the metadata of a virtual host by which a line has the name of a provider; `names` are by issuer."""
    return {"filter_metadata": {ADAPTER_METADATA: {PROVIDERS: names}}}


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


def _lines(line: dict[str, str], options: Options) -> list[Json]:
    """Return what writes `line` where `options` want it: to a file or standard output, to a collector."""
    logs = []
    if options.access_log == "-":
        message = "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"
        logs.append(extension("envoy.access_loggers.stdout", message, {"log_format": {"json_format": line}}))
    elif options.access_log is not None:
        message = "envoy.extensions.access_loggers.file.v3.FileAccessLog"
        fields = {"path": options.access_log, "log_format": {"json_format": line}}
        logs.append(extension("envoy.access_loggers.file", message, fields))
    if options.otlp is not None and options.otlp.logs is not None:
        logs.append(otlp.access_log(line, options.otlp))
    return logs


def _filter(*, masked: bool) -> Json:
    """Return the filter of requests with a token in the path, the method or the host; or of all others."""
    tokens = [
        {
            "header_filter": {
                "header": {
                    "name": name,
                    "string_match": {"safe_regex": {"regex": path_with_token()}},
                    # A malformed request may have none of them, and is logged.
                    "treat_missing_header_as_empty": True,
                    **({} if masked else {"invert_match": True}),
                }
            }
        }
        for name in _FREE.values()
    ]
    if masked:
        return {"and_filter": {"filters": [_not_health(), {"or_filter": {"filters": tokens}}]}}
    return {"and_filter": {"filters": [_not_health(), *tokens]}}


def _not_health() -> Json:
    """Return the filter of what is logged: all but successful health checks.

    By the route, since an API may have a path `/healthz` of its own. A request that was refused before there was a
    route has none, and the expression no value, which means no; but none of those got 200.
    """
    other_route = when(f"xds.route_name != '{HEALTH_ROUTE}'")
    ok = {"default_value": 200, "runtime_key": "mom.access_log.ok"}
    filters = [{"status_code_filter": {"comparison": {"op": "NE", "value": ok}}}, other_route]
    return {"or_filter": {"filters": filters}}


def _failures() -> Json:
    """Return the log of failures: the adapter, which has no blank in its name, and Envoy's details."""
    line = f"{_FAILURE_MARK}%METADATA(ROUTE:{ADAPTER_METADATA}:adapter)% %RESPONSE_CODE_DETAILS%\n"
    message = "envoy.extensions.access_loggers.stream.v3.StderrAccessLog"
    target = {"log_format": {"text_format_source": {"inline_string": line}}}
    log = extension("envoy.access_loggers.stderr", message, target)
    return {**log, "filter": {"response_flag_filter": {"flags": list(_FAILURE_FLAGS)}}}
