"""OpenTelemetry collectors on loopback that decode what they get by the official messages: by HTTP, and by gRPC."""

from __future__ import annotations

import gzip
import ssl
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics

MESSAGES: dict[str, Any] = {
    "/v1/logs": logs.ExportLogsServiceRequest,
    "/v1/metrics": metrics.ExportMetricsServiceRequest,
}


@dataclass
class Collector:
    """What has been exported: each request's headers and message, and what they say in simple values."""

    port: int = 0
    received: list[tuple[str, Mapping[str, str], Any]] = field(default_factory=list)

    def take(self, path: str, headers: Mapping[str, str], message: Any) -> None:
        """Keep a request."""
        self.received.append((path, headers, message))

    def records(self) -> list[dict[str, str]]:
        """Return the attributes of each log record."""
        return [
            {each.key: each.value.string_value for each in record.attributes}
            for path, _, message in list(self.received)
            if path == "/v1/logs"
            for resource in message.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]

    def points(self, name: str) -> dict[tuple[str, ...], int]:
        """Return the last value of each series of a metric, by the values of its attributes in their order."""
        return {
            tuple(each.value.string_value for each in sorted(point.attributes, key=lambda each: each.key)): (
                point.as_int if metric.HasField("sum") or metric.HasField("gauge") else point.count
            )
            for path, _, message in list(self.received)
            if path == "/v1/metrics"
            for resource in message.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
            if metric.name == name
            for point in getattr(metric, metric.WhichOneof("data")).data_points
        }

    def resources(self, path: str) -> set[tuple[tuple[str, str], ...]]:
        """Return the attributes of the resources of a signal."""
        field_name = "resource_logs" if path == "/v1/logs" else "resource_metrics"
        return {
            tuple((each.key, each.value.string_value) for each in group.resource.attributes)
            for at, _, message in list(self.received)
            if at == path
            for group in getattr(message, field_name)
        }


@contextmanager
def over_http(context: ssl.SSLContext | None = None) -> Iterator[Collector]:
    """Run a collector that takes OTLP/HTTP, over TLS with a `context`."""
    collector = Collector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = b""
            if self.headers.get("transfer-encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
            else:
                body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            headers = {name.lower(): value for name, value in self.headers.items()}
            collector.take(self.path, headers, MESSAGES[self.path].FromString(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Print nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    collector.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def over_grpc() -> Iterator[Collector]:
    """Run a collector that takes OTLP/gRPC."""
    import grpc  # type: ignore[import-untyped]  # grpcio has no types, and neither have the functions below
    from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc as logs_grpc
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_grpc

    collector = Collector()

    class Logs(logs_grpc.LogsServiceServicer):
        def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name of the call
            collector.take("/v1/logs", dict(context.invocation_metadata()), request)
            return logs.ExportLogsServiceResponse()

    class Metrics(metrics_grpc.MetricsServiceServicer):
        def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - the name of the call
            collector.take("/v1/metrics", dict(context.invocation_metadata()), request)
            return metrics.ExportMetricsServiceResponse()

    server = grpc.server(ThreadPoolExecutor(2))
    logs_grpc.add_LogsServiceServicer_to_server(Logs(), server)  # type: ignore[no-untyped-call]
    metrics_grpc.add_MetricsServiceServicer_to_server(Metrics(), server)  # type: ignore[no-untyped-call]
    collector.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield collector
    finally:
        server.stop(0).wait()
