"""The contract of client and gateway: what `mom curl` and Atlas must agree on, each thing once.

This module imports nothing of mom, and no heavy module: `mom curl` pays for it on each call.
"""

from __future__ import annotations

# The header of a request that carries the access token (the original's name), and the header of a response by which a
# client tells an error of Atlas from one of the API: its value is the type of the error.
TOKEN_HEADER = "Atlas-Accesstoken"  # noqa: S105  the name of a header, not a secret
ERROR_HEADER = "Atlas-Error"


class ErrorTypes:
    """The types of the responses that are Atlas's own: the value of `ERROR_HEADER`, and `error.type` in the body."""

    ADAPTER_CONFIG = "API_AdapterConfigError"
    CREDENTIAL_UNAVAILABLE = "API_CredentialUnavailableError"
    IDENTITY_PROVIDER_UNAVAILABLE = "API_IdentityProviderUnavailableError"
    INSTANCE_LIMITS_EXCEEDED = "API_InstanceLimitsExceededError"
    INSTANCE_REQUEST_TIMEOUT = "API_InstanceRequestTimeoutError"
    INVALID_ACCESS_TOKEN = "API_InvalidAccessTokenError"  # noqa: S105  a type of error
    METHOD_NOT_ALLOWED = "API_MethodNotAllowedError"
    MISDIRECTED_REQUEST = "API_MisdirectedRequestError"
    MISSING_ACCESS_TOKEN = "API_MissingAccessTokenError"  # noqa: S105  a type of error
    NOT_ALLOWED = "API_NotAllowedError"
    NO_MATCHING_INSTANCE = "API_NoMatchingInstanceError"
    RATE_LIMIT = "API_RateLimitError"
    REQUEST = "API_RequestError"
    REQUEST_HEADERS_TOO_LARGE = "API_RequestHeadersTooLargeError"
    UPSTREAM_ABORTED = "API_UpstreamAbortedError"
    UPSTREAM_CERTIFICATE = "API_UpstreamCertificateError"
    UPSTREAM_CLOSED = "API_UpstreamClosedError"
    UPSTREAM_CONNECT_TIMEOUT = "API_UpstreamConnectTimeoutError"
    UPSTREAM_CONNECTION = "API_UpstreamConnectionError"
    UPSTREAM_NAME = "API_UpstreamNameError"
    UPSTREAM_REFUSED = "API_UpstreamRefusedError"
    UPSTREAM_RESPONSE = "API_UpstreamResponseError"
    UPSTREAM_TLS = "API_UpstreamTlsError"


# In each response of an Atlas whose APIs are stand-ins (`mom atlas run --stand-in`).
STAND_IN_HEADER = "Atlas-Stand-In"

# Where `mom atlas run` listens, and where `mom curl` sends, by default.
DEFAULT_PORT = 8082
DEFAULT_BASE_URL = f"http://127.0.0.1:{DEFAULT_PORT}"

ADAPTERS_PREFIX = "/v1/apis/"
HTTP_PREFIX = f"{ADAPTERS_PREFIX}http/"
AWS_PREFIX = f"{ADAPTERS_PREFIX}aws/"
KUBERNETES_PATH = f"{ADAPTERS_PREFIX}kubernetes"
# The header by which a client names the cluster that it means (the original's name).
CLUSTER_ID_HEADER = "Atlas-Apis-Kubernetes-Clusterid"
# Of what Atlas itself says.
ATLAS_PREFIX = "/v1alpha1/"
INSTANCES_PATH = f"{ATLAS_PREFIX}instances"
APIS_PATH = f"{ATLAS_PREFIX}apis"
HEALTH_PATH = "/healthz"
# Served without a token. `/healthcheck` is where the original's load balancer asks.
HEALTH_PATHS = (HEALTH_PATH, "/healthcheck")

# Seconds: what a signed token lives unless a command needs longer, and the most that Atlas accepts from a local key.
TOKEN_SECONDS = 60
# The most that `mom curl` signs for a command of several requests.
LONGEST_COMMAND_SECONDS = 600
LOCAL_MAX_LIFETIME_SECONDS = 3_600
# The same for a key that is trusted only while a program runs (`mom exec`), whose tokens end with it: thirty days.
EPHEMERAL_MAX_LIFETIME_SECONDS = 30 * 86_400
# How far away the expiry of an identity provider's token may be, unless `maxLifetime` says more or less: a day.
MAX_LIFETIME_SECONDS = 86_400
# How far clocks may be apart.
CLOCK_SKEW_SECONDS = 30
# RFC 7519: times are JSON numbers, of which 2^53 is the last that is exact (RFC 8259, section 6).
LAST_TIME = 2.0**53
# RFC 7518, 3.1, and RFC 8037, without what is symmetric or none.
ALGORITHMS = frozenset(f"{kind}{bits}" for kind in ("ES", "RS", "PS") for bits in (256, 384, 512)) | {"EdDSA"}

DEFAULT_PORTS = {"http": 80, "https": 443}

# The loopback addresses that every machine has, and all common names for them.
LOOPBACK_ADDRESSES = ("127.0.0.1", "::1")
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")


def is_this_machine(host: str) -> bool:
    """Whether what is sent to `host` (a name, or an address without brackets, in any case) cannot leave this machine.

    `localhost` and names below it (RFC 6761, section 6.3), 127.0.0.0/8 in four decimal octets of 0 to 255 (RFC 1122,
    section 3.2.1.3), `::1` in any spelling (RFC 4291, section 2.5.3). Everything else is elsewhere: `127.0.0.256` and
    `127.1` are names to some programs, and the doubt is on the safe side.
    """
    host = host.lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    if ":" in host:
        return _is_ipv6_loopback(host)
    octets = host.split(".")
    return len(octets) == 4 and octets[0] == "127" and all(_is_octet(octet) for octet in octets)


def authority(host: str, port: int | None) -> str:
    """Join host and port, with the brackets that an IPv6 address needs (RFC 3986, section 3.2.2). No port: the host."""
    bracketed = f"[{host}]" if ":" in host else host
    return bracketed if port is None else f"{bracketed}:{port}"


def origin(scheme: str, host: str, port: int) -> str:
    """Return `scheme://host[:port]` without the scheme's default port (RFC 6454, section 6.2): a token's audience."""
    return f"{scheme}://{authority(host, None if port == DEFAULT_PORTS.get(scheme) else port)}"


def adapter_path(named: str) -> str:
    """Return the path, without a slash at its end, of an adapter as users name it.

    One of kind HTTP is named by its name, one of another kind by its path (`/v1/apis/aws`).
    """
    return named.rstrip("/") if named.startswith("/") else HTTP_PREFIX + named


def _is_octet(text: str) -> bool:
    # A leading zero means octal to some programs and decimal to others.
    plain = text.isascii() and text.isdigit() and len(text) <= 3 and (text == "0" or not text.startswith("0"))
    return plain and int(text) <= 255


def _is_ipv6_loopback(text: str) -> bool:
    import socket

    try:
        return socket.inet_pton(socket.AF_INET6, text) == b"\0" * 15 + b"\1"
    except (OSError, ValueError):
        return False
