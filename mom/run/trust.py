"""What Atlas trusts that comes from files: this machine's certificate authorities, and identity providers' keys."""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mom.atlas.model import Configuration, IdentityProvider
from mom.envoy import jwt
from mom.errors import MomError
from mom.problems import Problem

# Where systems keep the bundle, when OpenSSL, as Python was built with it, does not know: Debian, Fedora, SUSE, Alpine
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
            raise MomError(f"SSL_CERT_FILE: there is no file {named}")
        return str(Path(named).absolute())
    built_in = ssl.get_default_verify_paths().cafile
    for candidate in (built_in, *_BUNDLES):
        if candidate and Path(candidate).is_file():
            return candidate
    hint = "install the package ca-certificates, or name a PEM file in SSL_CERT_FILE"
    raise MomError("no certificate authorities are known here, so no API's certificate could be checked", hint=hint)


def key_files(configuration: Configuration) -> dict[str, Path]:
    """Return the files of identity providers' keys, by their names in the configuration, to which they are relative."""
    folder = Path(configuration.file).absolute().parent
    names = [one.public_key for one in configuration.identity_providers if not jwt.is_url(one.public_key)]
    return {name: folder / name for name in names}


def read_keys(configuration: Configuration) -> dict[str, str]:
    """Return the JWK Sets of identity providers whose keys are in files, as JSON texts by the names of the files.

    Raises MomError with a Problem for each that cannot be used: Envoy skips a broken key without a word.
    """
    files = key_files(configuration)
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for provider in configuration.identity_providers:
        if provider.public_key in files:
            try:
                found[provider.public_key] = json.dumps(_read(files[provider.public_key]))
            except ValueError as error:
                problems.append(_problem(provider, str(error)))
            except OSError as error:
                problems.append(_problem(provider, f"cannot be read: {error.strerror}"))
    if problems:
        raise MomError("the keys of an identity provider cannot be used", problems=problems)
    return found


def _problem(provider: IdentityProvider, reason: str) -> Problem:
    message = f"the keys of {provider.name}: {provider.public_key} {reason}"
    return Problem(place=provider.place, rule="public-key", message=message)


def _read(path: Path) -> dict[str, Any]:
    """Return the JWK Set of a file; raises ValueError with a clause that follows the file's name."""
    try:
        document = json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError("is not JSON") from error
    keys = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(keys, list) or not keys or not all(isinstance(key, dict) for key in keys):
        raise ValueError('is not a JWK Set: {"keys": [...]} with one key at least (RFC 7517)')
    for key in keys:
        if key.get("kty") == "oct":
            raise ValueError("holds a symmetric key, with which whoever can read it can sign")
        if "d" in key:
            raise ValueError("holds a private key; `mom auth jwks` prints the public set")
    return {"keys": keys}
