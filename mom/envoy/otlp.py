"""OTLP: lines of the access log and metrics, sent to an OpenTelemetry collector. No traces.

The headers of an exporter are credentials (OTEL_EXPORTER_OTLP_HEADERS). An upstream filter of the collector's cluster
sets them from the environment of the process, so that no file has one; metadata of Envoy's gRPC client would be sent
as it is written.
"""

from __future__ import annotations

from dataclasses import replace

from mom.atlas.adapters.http_tls import NO_TLS_FILES, Tls
from mom.envoy import clusters
from mom.envoy.messages import Json, codec, extension, typed
from mom.envoy.options import Collector, Options, Otlp
from mom.envoy.origins import Origin

_INPUT = "envoy.extensions.matching.common_inputs.stats.v3.StatFullNameMatchInput"
_SINK = "envoy.extensions.stat_sinks.open_telemetry.v3.SinkConfig"
_DETECTOR = "envoy.extensions.tracers.opentelemetry.resource_detectors.v3.StaticConfigResourceDetectorConfig"
# Envoy's own, which no collector asked for.
_REMOVED = ("x-envoy-internal", "x-envoy-expected-rq-timeout-ms", "x-forwarded-for")


def cluster_name(signal: str) -> str:
    """Return the name of the cluster of the collector of a signal, which begins like that of no API."""
    return f"otlp {signal}"


def access_log(line: dict[str, str], otlp: Otlp) -> Json:
    """Return the access log whose records have the values of `line` as attributes."""
    assert otlp.logs is not None
    fields = {
        **_service(otlp.logs, "logs"),
        "log_name": "atlas",
        "disable_builtin_labels": True,
        "resource_attributes": _attributes(dict(otlp.resource)),
        "body": {"string_value": f"{line['method']} {line['path']} {line['status']}"},
        # The time is the record's own.
        "attributes": _attributes({key: value for key, value in line.items() if not key.startswith("@")}),
    }
    message = "envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig"
    return extension("envoy.access_loggers.open_telemetry", message, fields)


def stats_sinks(options: Options, names: str) -> list[Json]:
    """Return the sinks of a bootstrap: one where metrics are exported, of the statistics that `names` (RE2) matches."""
    if options.otlp is None or options.otlp.metrics is None:
        return []
    fields = {
        **_service(options.otlp.metrics, "metrics"),
        "emit_tags_as_attributes": True,
        "use_tag_extracted_name": True,
        "report_counters_as_deltas": options.otlp.deltas,
        "report_histograms_as_deltas": options.otlp.deltas,
        "resource_detectors": [
            extension(
                "envoy.tracers.opentelemetry.resource_detectors.static_config",
                _DETECTOR,
                {"attributes": dict(options.otlp.resource)},
            )
        ],
        "custom_metric_conversions": _only(names),
    }
    return [extension("envoy.stat_sinks.open_telemetry", _SINK, fields)]


def collectors(options: Options) -> list[Json]:
    """Return the clusters of the collectors."""
    otlp = options.otlp or Otlp()
    signals = {"logs": otlp.logs, "metrics": otlp.metrics}
    return [_cluster(collector, name, options) for name, collector in signals.items() if collector is not None]


def _service(collector: Collector, signal: str) -> Json:
    name, timeout = cluster_name(signal), f"{collector.timeout:.3f}s"
    if collector.grpc:
        grpc = {"cluster_name": name, "authority": _origin(collector).authority, "skip_envoy_headers": True}
        return {"grpc_service": {"envoy_grpc": grpc, "timeout": timeout}}
    uri = f"{_origin(collector)}{collector.path}"
    return {"http_service": {"http_uri": {"uri": uri, "cluster": name, "timeout": timeout}}}


def _origin(collector: Collector) -> Origin:
    return Origin(collector.scheme, collector.host, collector.port)


def _cluster(collector: Collector, signal: str, options: Options) -> Json:
    certificate, key = collector.client or ("", "")
    files = Tls(collector.ca_file, certificate, key)
    tls = files if files.files else NO_TLS_FILES
    upstream = clusters.Upstream(_origin(collector), http2=collector.grpc and collector.scheme == "http", tls=tls)
    cluster = clusters.cluster(upstream, replace(options, stand_in=None, pem_files=collector.pem_files))
    protocols = cluster["typed_extension_protocol_options"][clusters.PROTOCOL_OPTIONS]
    name = cluster_name(signal)
    return {
        **cluster,
        "name": name,
        "load_assignment": clusters.load_assignment(name, _origin(collector)),
        "typed_extension_protocol_options": {
            clusters.PROTOCOL_OPTIONS: {**protocols, "http_filters": _headers(collector)}
        },
    }


def _headers(collector: Collector) -> list[Json]:
    """Return the upstream filters: the one that sets the exporter's headers, and the one that sends the request."""
    mutations: list[Json] = [
        {
            "append": {
                "header": {"key": name, "value": f"%ENVIRONMENT({variable})%"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        }
        for name, variable in collector.headers
    ]
    mutations += [{"remove": name} for name in _REMOVED]
    mutation = "envoy.extensions.filters.http.header_mutation.v3.HeaderMutation"
    return [
        extension("envoy.filters.http.header_mutation", mutation, {"mutations": {"request_mutations": mutations}}),
        codec(),
    ]


def _only(names: str) -> Json:
    matching = {"input": extension("name", _INPUT), "value_match": {"safe_regex": {"google_re2": {}, "regex": names}}}
    dropped = {"action": {"name": "drop", "typed_config": typed(f"{_SINK}.DropAction")}}
    return {
        "matcher_list": {
            "matchers": [{"predicate": {"not_matcher": {"single_predicate": matching}}, "on_match": dropped}]
        }
    }


def _attributes(values: dict[str, str]) -> Json:
    return {"values": [{"key": key, "value": {"string_value": value}} for key, value in values.items()]}
