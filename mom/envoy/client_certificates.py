"""Client certificates that change while Envoy runs: each pair of a certificate and its key is a secret (SDS).

Named in a cluster they are read once: Envoy looks neither at their files again nor at the folder (measured). Their
resource is in a file that Envoy looks at, as those of values are (`mom.envoy.secrets`), and a look reads the files that
it names again. A pair that does not fit is refused, and the last one stays.
"""

from __future__ import annotations

import hashlib

from mom.atlas.adapters.http_tls import Tls
from mom.envoy import secrets
from mom.envoy.messages import Json, typed

_SECRET = "envoy.extensions.transport_sockets.tls.v3.Secret"  # noqa: S105  the name of a message


def name(tls: Tls) -> str:
    """Return the name of the secret of a pair, which is that of its file, too."""
    return f"client-{hashlib.sha256(repr((tls.cert_file, tls.key_file)).encode()).hexdigest()[:8]}"


def source(tls: Tls, folder: str) -> Json:
    """Return where Envoy finds the pair: in a file of `folder`."""
    return secrets.in_folder(name(tls), folder)


def resource(tls: Tls, chain: str, key: str) -> Json:
    """Return the resource of a pair whose files are at `chain` and `key`."""
    files = {"certificate_chain": {"filename": chain}, "private_key": {"filename": key}}
    return typed(_SECRET, {"name": name(tls), "tls_certificate": files})
