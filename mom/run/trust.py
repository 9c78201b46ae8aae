"""What Atlas trusts that comes from files: this machine's certificate authorities; where providers' keys are."""

from __future__ import annotations

import contextlib
import hashlib
import re
import ssl
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mom.atlas.adapters.http import HttpAdapter
from mom.atlas.adapters.http_tls import Tls
from mom.atlas.model import Adapter, Configuration
from mom.atlas.rules.catalogue import problem_of
from mom.envoy import adapters, jwt
from mom.envoy.options import PemFile
from mom.errors import MomError, UnreadableError
from mom.files import read_file
from mom.problems import Problem
from mom.run.directory import RunDirectory, write

# RFC 7468, section 5, and what OpenSSL calls it besides.
_CERTIFICATE = re.compile(
    r"-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END (?:X509 |TRUSTED )?CERTIFICATE-----"
)

# Where systems have the bundle, when OpenSSL, as Python was built with it, does not know: Debian, Fedora, SUSE, Alpine
# and macOS, FreeBSD.
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
)


def ca_file(environ: Mapping[str, str], directory: RunDirectory | None = None) -> str:
    """Return the PEM bundle that APIs' certificates are checked against: `$SSL_CERT_FILE`, else the system's.

    With `$SSL_CERT_DIR` it is a new one in `directory`, which has the certificates of all files of that folder, too.
    """
    bundle = _bundle(environ)
    folder = environ.get("SSL_CERT_DIR")
    # The folder of the bundle that is used anyway is what some environments set by themselves.
    if not folder or directory is None or Path(folder) == Path(bundle).parent:
        return bundle
    return _with_folder(bundle, Path(folder), directory)


def _with_folder(bundle: str, folder: Path, directory: RunDirectory) -> str:
    """Write the certificates of a bundle and of the files of a folder into one file. Envoy takes no folder."""
    if not folder.is_dir():
        raise MomError(f"SSL_CERT_DIR: {folder} is not a folder")
    directory.ensure()
    parts = [read_file(bundle)]
    for path in sorted(folder.iterdir()):
        # Other things may be in it; a certificate is there by its name and by its hash (openssl rehash).
        with contextlib.suppress(UnreadableError):
            parts.append(read_file(path))
    texts = (part.decode(errors="replace") for part in parts)
    certificates = dict.fromkeys(certificate for text in texts for certificate in _CERTIFICATE.findall(text))
    text = "\n".join(certificates) + "\n"
    path = directory.path / f"authorities-{hashlib.sha256(text.encode()).hexdigest()[:16]}.pem"
    if not path.exists():
        write(path, text)
    return str(path)


def _bundle(environ: Mapping[str, str]) -> str:
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


def certificates(pem: bytes) -> str:
    """Return the certificates alone of a PEM file: it may have the private key too, which is copied nowhere."""
    return "\n".join(_CERTIFICATE.findall(pem.decode(errors="replace")))


def key_pair_objection(chain: str, key: str) -> str | None:
    """Return why OpenSSL cannot use the certificate chain in a file with the private key in another, None if it can."""
    try:
        # An empty password: without any OpenSSL would ask for one at the terminal.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, password="")
    except (OSError, ValueError) as error:
        # ssl.SSLError is an OSError, too; the others come of files that have changed since they were read.
        return getattr(error, "reason", None) or "not PEM, or a key with a password"
    return None


def pem_files(configuration: Configuration, known: Mapping[str, PemFile] | None = None) -> dict[str, PemFile]:
    """Return the files that adapters name for TLS, by their names, relative to the configuration file.

    known: what is by these names in no file of its own.
    Raises MomError with a Problem at each adapter of which a file cannot be used.
    """
    return _read_all(configuration, tls_settings(configuration), dict(known or {}), "served")


def authorities(configuration: Configuration) -> dict[str, str]:
    """Return the certificates in each `caFile` of `configuration`, by its name. Raises MomError as `pem_files`."""
    settings = ((adapter, Tls(tls.ca_file)) for adapter, tls in tls_settings(configuration))
    files = _read_all(configuration, settings, {}, "exported")
    return {name: file.certificates for name, file in files.items()}


def _read_all(
    configuration: Configuration, settings: Iterable[tuple[Adapter, Tls]], files: dict[str, PemFile], purpose: str
) -> dict[str, PemFile]:
    """Add all that `settings` name to `files`, and return them. purpose: what cannot be done without them."""
    folder = Path(configuration.file).absolute().parent
    # Once each: many adapters may share a bundle of authorities, and OpenSSL needs 35 ms for the usual one.
    reasons: dict[Tls, str | None] = {}
    problems: list[Problem] = []
    for adapter, tls in settings:
        if tls not in reasons:
            reasons[tls] = _read(tls, folder, files)
        if reason := reasons[tls]:
            problems.append(problem_of(adapter.place, "tls-files", f"{adapter.name}: {reason}"))
    if problems:
        raise MomError(f"{configuration.file} cannot be {purpose}", problems=problems)
    return files


def tls_settings(configuration: Configuration) -> Iterator[tuple[Adapter, Tls]]:
    """Yield each adapter that is served with its TLS settings, where it has any."""
    for adapter in adapters.served(configuration):
        # Most have none, and there may be ten thousand.
        if isinstance(adapter, HttpAdapter) and adapter.tls is None:
            continue
        for tls in dict.fromkeys(upstream.tls for upstream in adapters.kind_of(adapter).upstreams(adapter)):
            if tls.files:
                yield adapter, tls


def private_keys(configuration: Configuration) -> tuple[Path, ...]:
    """Return the paths of the private keys that adapters name."""
    folder = Path(configuration.file).absolute().parent
    named = (folder / tls.key_file for _, tls in tls_settings(configuration) if tls.key_file)
    return tuple(dict.fromkeys(path for path in named if path.exists()))


def _read(tls: Tls, folder: Path, files: dict[str, PemFile]) -> str | None:
    """Add what `tls` names to `files`; return why it cannot be read or used, None where it can."""
    try:
        for name in tls.files:
            if name not in files:
                files[name] = PemFile(str(folder / name), certificates(read_file(folder / name)))
    except UnreadableError as error:
        return f"{error.path}: {error.reason}"
    return _unusable(tls, files)


def _unusable(tls: Tls, files: Mapping[str, PemFile]) -> str | None:
    """Return why the files of an adapter cannot be used; never what is in them."""
    try:
        if tls.ca_file:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=files[tls.ca_file].certificates)
    except (OSError, ValueError):
        return f"{tls.ca_file} has no certificate in PEM form"
    if tls.cert_file and all(files[name].path for name in (tls.cert_file, tls.key_file)):
        chain, key = (files[name].path for name in (tls.cert_file, tls.key_file))
        if reason := key_pair_objection(chain, key):
            return f"{tls.cert_file} and {tls.key_file} cannot be used: {reason}"
    return None


def key_files(configuration: Configuration) -> dict[str, Path]:
    """Return the files of identity providers' keys, by their names in the configuration, to which they are relative."""
    folder = Path(configuration.file).absolute().parent
    names = [
        provider.public_key for provider in configuration.identity_providers if not jwt.is_url(provider.public_key)
    ]
    return {name: folder / name for name in names}
