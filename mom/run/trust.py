"""What Atlas trusts that comes from files: this machine's certificate authorities; where providers' keys are."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

from mom.atlas.model import Configuration
from mom.envoy import jwt
from mom.errors import MomError

# Where systems have the bundle, when OpenSSL, as Python was built with it, does not know: Debian, Fedora, SUSE, Alpine
# and macOS, FreeBSD.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
)


def ca_file(environ: Mapping[str, str]) -> str:
    """Return the PEM bundle that APIs' certificates are checked against: `$SSL_CERT_FILE`, else the system's."""
    named = environ.get("SSL_CERT_FILE")
    if named:
        if not Path(named).is_file():
            raise MomError(f"SSL_CERT_FILE: {named} is not a file")
        return str(Path(named).absolute())
    built_in = ssl.get_default_verify_paths().cafile
    for candidate in (built_in, *_BUNDLES):
        if candidate and Path(candidate).is_file():
            return candidate
    hint = "install the package ca-certificates, or set SSL_CERT_FILE to a PEM file"
    raise MomError("cannot find CA certificates to verify APIs with", hint=hint)


def key_files(configuration: Configuration) -> dict[str, Path]:
    """Return the files of identity providers' keys, by their names in the configuration, to which they are relative."""
    folder = Path(configuration.file).absolute().parent
    names = [
        provider.public_key for provider in configuration.identity_providers if not jwt.is_url(provider.public_key)
    ]
    return {name: folder / name for name in names}
