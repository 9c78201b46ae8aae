"""Failures between Atlas and an API, as Envoy names them: one table for clients, access log and terminal.

Envoy's details of a response ("Response Code Details") name the kind; they also quote certificates and addresses, which
are for the operator alone. A client's message tells whether the API may have seen the request: only where it cannot
have is it safe to send it again.
"""

from __future__ import annotations

from dataclasses import dataclass

from mom.gateway import ErrorTypes

_NOT_SENT = "the request was not sent"
_PERHAPS = "it may have processed the request"


@dataclass(frozen=True, slots=True)
class Failure:
    """A kind of failure: any of `marks` is in Envoy's details.

    message: to the client. status: what the client gets; 0 where a response had already begun. hint: to the operator.
    """

    marks: tuple[str, ...]
    type: str
    message: str
    hint: str
    status: int = 502


CERTIFICATE = ErrorTypes.UPSTREAM_CERTIFICATE
_TLS = ErrorTypes.UPSTREAM_TLS
CONNECTION = ErrorTypes.UPSTREAM_CONNECTION
_NOT_SERVED_BY_TLS = "if the port is for plain http, write http:// in baseUrl"

# The first match counts, so the more general ones come last.
FAILURES = (
    Failure(
        ("upstream_reset_after_response_started",),
        ErrorTypes.UPSTREAM_ABORTED,
        f"The API aborted its response; {_PERHAPS}",
        "the client got a part of the response, then its connection was closed",
        0,
    ),
    Failure(
        ("certificate_has_expired",),
        CERTIFICATE,
        f"The certificate of the API has expired; {_NOT_SENT}",
        "its owner must renew it; if the API has a new one, check this machine's clock",
    ),
    Failure(
        ("certificate_is_not_yet_valid",),
        CERTIFICATE,
        f"The certificate of the API is not valid yet; {_NOT_SENT}",
        "check this machine's clock",
    ),
    Failure(
        ("SAN_matcher", "verify_SAN_list"),
        CERTIFICATE,
        f"The certificate of the API is not for the host of its base URL; {_NOT_SENT}",
        "use a host in baseUrl that the certificate names",
    ),
    Failure(
        (
            "self_signed_certificate",
            "unable_to_get_local_issuer",
            "unable_to_get_issuer",
            "unable_to_verify",
            # Of an authority with the name of a known one and another key: it was created again.
            "certificate_signature_failure",
        ),
        CERTIFICATE,
        f"The certificate of the API is from an unknown authority; {_NOT_SENT}",
        "set SSL_CERT_FILE to a PEM file with that authority's certificate beside the others (a self-signed "
        "certificate is its own authority)",
    ),
    Failure(
        ("CERTIFICATE_VERIFY_FAILED",),
        CERTIFICATE,
        f"The certificate of the API is not valid; {_NOT_SENT}",
        "see `details` in the access log (--access-log)",
    ),
    Failure(
        ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"),
        _TLS,
        f"The API does not speak TLS at the port of its base URL; {_NOT_SENT}",
        _NOT_SERVED_BY_TLS,
    ),
    Failure(
        ("TLS_error",),
        _TLS,
        f"The TLS handshake with the API failed; {_NOT_SENT}",
        "the API may require a client certificate, or TLS older than 1.2; see `details` in the access log "
        "(--access-log)",
    ),
    Failure(
        ("no_healthy_upstream", "dns_resolution_failure"),
        ErrorTypes.UPSTREAM_NAME,
        f"The host name of the API could not be resolved; {_NOT_SENT}",
        "check the host in baseUrl, and DNS on this machine",
    ),
    Failure(
        ("overflow",),
        ErrorTypes.INSTANCE_LIMITS_EXCEEDED,
        f"Too many requests to this API are in progress; {_NOT_SENT}",
        "the API is slower than its clients",
        503,
    ),
    Failure(
        ("socket_creation_failure",),
        ErrorTypes.INSTANCE_LIMITS_EXCEEDED,
        f"Atlas has no free connection for this API; {_NOT_SENT}",
        "raise the hard limit of open files (`ulimit -Hn`, LimitNOFILE= of a service)",
        503,
    ),
    Failure(
        ("connection_timeout", "Connection_timed_out"),
        ErrorTypes.UPSTREAM_CONNECT_TIMEOUT,
        f"The API did not accept a connection in time; {_NOT_SENT}",
        "check the host and port in baseUrl, and firewalls; HTTPS_PROXY names a proxy",
        504,
    ),
    Failure(
        ("Connection_refused",),
        CONNECTION,
        f"The API, at the last of its addresses, refused the connection; {_NOT_SENT}",
        "check that it runs, and the host and port in baseUrl",
    ),
    Failure(
        ("unreachable", "No_route_to_host"),
        CONNECTION,
        f"There is no route to the API; {_NOT_SENT}",
        "check the network of this machine, and the host in baseUrl",
    ),
    Failure(
        ("connection_failure",),
        CONNECTION,
        f"Could not connect to the API; {_NOT_SENT}",
        "see `details` in the access log (--access-log); a proxy on the way may have refused it",
    ),
    Failure(
        ("refused_stream",),
        ErrorTypes.UPSTREAM_REFUSED,
        "The API refused the request for now, and has not processed it",
        "it may be shutting down, or limiting concurrent requests",
        503,
    ),
    Failure(
        ("connection_termination", "upstream_reset_before_response_started{remote_reset"),
        ErrorTypes.UPSTREAM_CLOSED,
        f"The API closed the connection before it responded; {_PERHAPS}",
        "if the port is for TLS, write https:// in baseUrl; else see the API's own log",
    ),
    Failure(
        ("protocol_error",),
        ErrorTypes.UPSTREAM_RESPONSE,
        f"The API's response is not valid HTTP, or its headers are too large; {_PERHAPS}",
        "an API that takes only TLS at this port needs https:// in baseUrl, one that takes only HTTP/2 `http2`",
    ),
    Failure(
        ("response_timeout", "upstream_per_try_timeout"),
        ErrorTypes.INSTANCE_REQUEST_TIMEOUT,
        f"The API did not respond in time; {_PERHAPS}",
        "--timeout sets how long an API may take",
        504,
    ),
)

# For the operator alone: Envoy reports the last address of an API, and its statistics of the others.
CERTIFICATE_ELSEWHERE = Failure(
    (),
    CERTIFICATE,
    f"The certificate of the API was refused at one of its addresses, and another could not be reached; {_NOT_SENT}",
    "`curl -v` shows it; if its authority is unknown here, set SSL_CERT_FILE to a PEM file that has it",
)


def failure_of(details: str) -> Failure | None:
    """Return the kind of failure that Envoy describes by `details`, None if it is not one of an API."""
    return next((failure for failure in FAILURES if any(mark in details for mark in failure.marks)), None)
