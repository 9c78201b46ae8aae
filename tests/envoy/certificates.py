"""A certificate authority that lives for one test run."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True)
class Files:
    """A certificate chain and its private key in PEM files."""

    chain: Path
    key: Path


@dataclass(frozen=True)
class Issued:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def write(self, folder: Path, name: str = "server") -> Files:
        """Write both to `folder`."""
        files = Files(folder / f"{name}.pem", folder / f"{name}-key.pem")
        files.chain.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        secret = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        files.key.write_bytes(secret)
        return files


class Authority:
    """Issues server certificates; `file` is its own certificate."""

    def __init__(self, folder: Path, name: str = "test authority") -> None:
        self.root = _issue(name, [], None, 1)
        self.file = self.root.write(folder, "ca").chain

    def issue(self, *names: str | x509.GeneralName, expired: bool = False, early: bool = False) -> Issued:
        """Return a certificate for DNS names and IP addresses; `early`: it is valid from tomorrow on."""
        return _issue(_text(names[0]), list(names), self.root, -1 if expired else 2, start=1 if early else -2)


def self_signed(*names: str) -> Issued:
    """Return a certificate that nobody vouches for."""
    return _issue(names[0], list(names), None, 1)


def for_clients(authority: Authority, name: str) -> Issued:
    """Return a certificate by which a client, not a server, can prove who it is."""
    return _issue(name, [name], authority.root, 1, purpose=ExtendedKeyUsageOID.CLIENT_AUTH)


def _issue(
    common_name: str,
    names: Sequence[str | x509.GeneralName],
    issuer: Issued | None,
    days: int,
    *,
    start: int = -2,
    purpose: x509.ObjectIdentifier | None = None,
) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=start))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(one) for one in names]), critical=False)
    if purpose is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
    return Issued(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def _name(name: str | x509.GeneralName) -> x509.GeneralName:
    if isinstance(name, x509.GeneralName):
        return name
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _text(name: str | x509.GeneralName) -> str:
    return name if isinstance(name, str) else str(name.value)
