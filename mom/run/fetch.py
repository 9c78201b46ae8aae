"""A request for an identity provider's key set, bounded in every way: one host, a size, a time.

The URL in the configuration is what is trusted, so no redirect is followed. A proxy (`mom.run.proxies`) passes on the
bytes of TLS, and sees nothing of what is in them.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from mom.atlas.jwks import Jwks, JwksError, judge
from mom.envoy.origins import split
from mom.files import MAX_BYTES
from mom.run.proxies import Proxies, parse

# For each wait on the network, and for all of it.
_STEP_SECONDS, _ALL_SECONDS = 5.0, 10.0
# x509_vfy.h: a self-signed certificate, alone and in a chain; no certificate of the issuer; no way to verify the first.
_UNKNOWN_AUTHORITY = {18, 19, 20, 21}


@dataclass(frozen=True, slots=True)
class NotFetched:
    """Why there is no key set, as a clause. `gone`: the provider itself reports that it does not exist any more."""

    reason: str
    gone: bool = False


def fetch(url: str, ca_file: str, proxies: Proxies | None = None) -> Jwks | NotFetched:
    """Return the judged key set at `url`, whose certificate must be valid by `ca_file`. It takes ten seconds at most.

    404 and 410 mean that the set is gone (RFC 9110, 15.5.5 and 15.5.11). No other failure is about keys.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection = _connection(parts, ca_file, proxies)
    watchdog = threading.Timer(_ALL_SECONDS, _cut, [connection])
    watchdog.daemon = True
    watchdog.start()
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        accepted = {"Accept": "application/jwk-set+json, application/json", "User-Agent": "mom"}
        connection.request("GET", target, headers=accepted)
        return _judged(connection.getresponse())
    except ssl.SSLCertVerificationError as error:
        hint = "; SSL_CERT_FILE names the trusted certificates" if error.verify_code in _UNKNOWN_AUTHORITY else ""
        return NotFetched(f"its certificate is not valid: {error.verify_message}{hint}")
    except TimeoutError:
        return NotFetched("no response in time")
    except socket.gaierror:
        return NotFetched(f"cannot resolve {host}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        return NotFetched(getattr(error, "strerror", None) or str(error) or type(error).__name__)
    finally:
        watchdog.cancel()
        connection.close()


def _connection(parts: SplitResult, ca_file: str, proxies: Proxies | None) -> http.client.HTTPConnection:
    """Return a connection that is not open yet. Keys by plain http are on this machine, to which no proxy leads."""
    host = parts.hostname or ""
    if parts.scheme != "https":
        return http.client.HTTPConnection(host, parts.port, timeout=_STEP_SECONDS)
    context = ssl.create_default_context(cafile=ca_file)
    proxy = proxies.url(split(parts.geturl())[0]) if proxies else None
    if proxy is None:
        return http.client.HTTPSConnection(host, parts.port, timeout=_STEP_SECONDS, context=context)
    connection = http.client.HTTPSConnection(*parse(proxy, "the proxy"), timeout=_STEP_SECONDS, context=context)
    connection.set_tunnel(host, parts.port or 443)
    return connection


def _judged(response: http.client.HTTPResponse) -> Jwks | NotFetched:
    if response.status in {404, 410}:
        return NotFetched(f"HTTP {response.status}: no key set at this URL", gone=True)
    if 300 <= response.status < 400:
        return NotFetched(f"HTTP {response.status}: redirects are not followed; use the final URL")
    if response.status != 200:
        return NotFetched(f"HTTP {response.status}")
    data = response.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        return NotFetched(f"the response is larger than {MAX_BYTES:,} bytes")
    try:
        return judge(data)
    except JwksError as error:
        return NotFetched(f"the response {error}")


def _cut(connection: http.client.HTTPConnection) -> None:
    """End a connection on which another thread waits for a server that sends a byte now and then."""
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)
