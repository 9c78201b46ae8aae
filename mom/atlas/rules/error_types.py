"""The error types of the gateway, for people: what each means, and what to do. `mom atlas config rule` prints them.

The header `Atlas-Error` of a response has the type, and so has the access log. `mom.envoy` says when each is sent.
"""

from __future__ import annotations

from typing import NamedTuple

from mom.gateway import ErrorTypes


class ErrorType(NamedTuple):
    """One type. status: of the response, 0 for that of the API. words: what happened. hint: what to do."""

    id: str
    status: int
    words: str
    hint: str
    explanation: str


_NOT_SENT = "The API has not seen the request: sending it again is safe."
_PERHAPS = "The API may have processed the request: send it again only if that does no harm."
_ATLAS = "Atlas rejected the request before any API was involved."

_ALL = (
    ErrorType(
        ErrorTypes.MISSING_ACCESS_TOKEN,
        401,
        "The request has no access token.",
        "send it with mom curl, or put a token into the header Atlas-Accesstoken (mom auth token)",
        _ATLAS,
    ),
    ErrorType(
        ErrorTypes.INVALID_ACCESS_TOKEN,
        401,
        "The access token is expired, for another gateway, or signed by a key that this Atlas does not trust.",
        "see what is wrong with it: mom auth inspect; and which identity mom uses: mom auth status",
        _ATLAS,
    ),
    ErrorType(
        ErrorTypes.NOT_ALLOWED,
        403,
        "No entry of a list `allow` lets this request of this caller pass, or its token is for a single adapter and "
        "the path is not that adapter's (/v1alpha1/apis).",
        "mom atlas config explain METHOD PATH --token FILE says what refuses it; /v1alpha1 needs a token for the whole "
        "gateway (mom auth token)",
        _ATLAS,
    ),
    ErrorType(
        ErrorTypes.IDENTITY_PROVIDER_UNAVAILABLE,
        503,
        "The signing keys of the identity provider are not available, so no token can be verified.",
        "check publicKey of the identity provider; mom atlas run reports why its keys cannot be used",
        _ATLAS,
    ),
    ErrorType(
        ErrorTypes.NO_MATCHING_INSTANCE,
        404,
        "No API is served at this path.",
        "GET /v1alpha1/apis lists what is served; the path begins with /v1/apis/http/NAME/",
        _ATLAS,
    ),
    ErrorType(
        ErrorTypes.RATE_LIMIT,
        429,
        "The caller, or all callers together, have sent as many requests a minute as the adapter's `limits` let pass.",
        "wait for as many seconds as Retry-After says",
        _ATLAS,
    ),
    ErrorType(
        ErrorTypes.METHOD_NOT_ALLOWED,
        405,
        "The method is not forwarded, such as CONNECT.",
        "use another method",
        _ATLAS,
    ),
    ErrorType(
        ErrorTypes.MISDIRECTED_REQUEST,
        421,
        "The Host header does not name this Atlas.",
        "use the address that mom atlas run prints; it protects a local gateway from web pages (DNS rebinding)",
        _ATLAS,
    ),
    ErrorType(
        ErrorTypes.REQUEST_HEADERS_TOO_LARGE,
        431,
        "The request's headers are too large.",
        "send fewer or shorter headers",
        _ATLAS,
    ),
    ErrorType(
        ErrorTypes.REQUEST,
        400,
        "The request is malformed; its message says in which way.",
        "correct the request: blanks and non-ASCII characters of a path are percent-encoded, methods are upper case",
        _ATLAS,
    ),
    ErrorType(
        ErrorTypes.ADAPTER_CONFIG,
        500,
        "A header of this adapter has a value that cannot be sent.",
        "check the adapter and its variables: mom atlas config validate --env",
        _ATLAS,
    ),
    ErrorType(
        ErrorTypes.CREDENTIAL_UNAVAILABLE,
        503,
        "A credential of this adapter has no value where Atlas runs.",
        "set its variables where Atlas runs: mom atlas config env lists them",
        _NOT_SENT,
    ),
    ErrorType(
        ErrorTypes.UPSTREAM_NAME,
        502,
        "The host of the API has no address.",
        "check the host in baseUrl, and that the name server of the gateway's machine knows it",
        _NOT_SENT,
    ),
    ErrorType(
        ErrorTypes.UPSTREAM_CONNECTION,
        502,
        "The API refused the connection, or there is no route to it.",
        "check the host and port in baseUrl, and that the API runs",
        _NOT_SENT,
    ),
    ErrorType(
        ErrorTypes.UPSTREAM_CONNECT_TIMEOUT,
        504,
        "The API did not accept a connection in time.",
        "check the host and port in baseUrl, and firewalls",
        _NOT_SENT,
    ),
    ErrorType(
        ErrorTypes.UPSTREAM_CERTIFICATE,
        502,
        "The certificate of the API is expired, for another host, or from an unknown authority.",
        "for an authority of your own, name a PEM file with its certificate in SSL_CERT_FILE",
        _NOT_SENT,
    ),
    ErrorType(
        ErrorTypes.UPSTREAM_TLS,
        502,
        "TLS with the API failed.",
        "if the port is for plain http, write http:// in baseUrl; else the access log has the details",
        _NOT_SENT,
    ),
    ErrorType(
        ErrorTypes.INSTANCE_LIMITS_EXCEEDED,
        503,
        "Too many requests to this API are in progress, or Atlas has no connection left.",
        "wait for requests to finish; raise the hard limit of open files of the gateway (ulimit -Hn)",
        _NOT_SENT,
    ),
    ErrorType(
        ErrorTypes.UPSTREAM_REFUSED,
        503,
        "The API rejected the request at the moment, and has not processed it.",
        "try again later: it may be shutting down, or limit concurrent requests",
        _NOT_SENT,
    ),
    ErrorType(
        ErrorTypes.UPSTREAM_CLOSED,
        502,
        "The API closed the connection before it responded.",
        "if the port is for TLS, write https:// in baseUrl; else see the API's own log",
        _PERHAPS,
    ),
    ErrorType(
        ErrorTypes.UPSTREAM_RESPONSE,
        502,
        "The API's response is not valid HTTP, or its headers are too large.",
        "an API that accepts only TLS at this port needs https:// in baseUrl, one that accepts only HTTP/2 `http2`",
        _PERHAPS,
    ),
    ErrorType(
        ErrorTypes.INSTANCE_REQUEST_TIMEOUT,
        504,
        "The API did not respond in time.",
        "mom atlas run --timeout sets how long an API may take",
        _PERHAPS,
    ),
    ErrorType(
        ErrorTypes.UPSTREAM_ABORTED,
        0,
        "The API broke off in the middle of its response; only the access log has this type.",
        "see the API's own log; the client got a part of the response, and its connection was closed",
        _PERHAPS,
    ),
)
ERROR_TYPES: dict[str, ErrorType] = {known.id: known for known in _ALL}
