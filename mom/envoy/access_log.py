"""The access log: a JSON object a line, about the request and never of it - no header, no query, no body.

`/healthz` and `/healthcheck` are left out: they are asked every few seconds, and mom itself asks it.

| key | value |
|---|---|
| `time` | when the request came, RFC 3339 in UTC |
| `subject`, `issuer` | claims of the verified access token, null without one |
| `adapter` | the adapter that served it, null where Atlas answered |
| `method`, `path` | as sent to the API, without the query |
| `status` | what the client got |
| `duration_ms` | from the first byte of the request to the last of the answer |
| `received`, `sent` | bytes of body from and to the client |
| `flags` | Envoy's response flags (`UF` upstream connection failure, ...), null for none |
"""

from __future__ import annotations

from mom.envoy import jwt
from mom.envoy.messages import Json, extension
from mom.gateway import HEALTH_PATHS

ADAPTER_METADATA = "mom"

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
}


def access_log(target: str | None) -> list[Json]:
    """Return the `access_log` of the connection manager for a file path, `-` (standard output) or None."""
    if target is None:
        return []
    line = {"log_format": {"json_format": _LINE}}
    message = "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"
    expression = {"expression": " && ".join(f"request.url_path != '{path}'" for path in HEALTH_PATHS)}
    api_only = {"filter": {"extension_filter": extension("cel", message, expression)}}
    if target == "-":
        message = "envoy.extensions.access_loggers.stream.v3.StdoutAccessLog"
        return [extension("envoy.access_loggers.stdout", message, line) | api_only]
    message = "envoy.extensions.access_loggers.file.v3.FileAccessLog"
    return [extension("envoy.access_loggers.file", message, {"path": target, **line}) | api_only]
