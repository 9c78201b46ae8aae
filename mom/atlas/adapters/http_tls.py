"""TLS to the API of an HTTP adapter: whose certificates it may have, and the certificate that Atlas shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mom.atlas.documents import DataDocument, text_at, value_at
from mom.problems import Place

if TYPE_CHECKING:
    from mom.atlas.rules.findings import Findings

_TLS = ("spec", "tls")
KEYS = ("caFile", "certFile", "keyFile")


@dataclass(frozen=True, slots=True, order=True)
class Tls:
    """Names of PEM files, relative to the configuration file, empty where there is none.

    ca_file: the authorities of the API, instead of the system's. cert_file, key_file: a certificate chain and its key.
    """

    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    place: Place = field(default=Place("", 1, 1), compare=False)

    @property
    def files(self) -> tuple[str, ...]:
        """The names that are there."""
        return tuple(name for name in (self.ca_file, self.cert_file, self.key_file) if name)


NO_TLS_FILES = Tls()


def read_tls(document: DataDocument) -> Tls | None:
    """Return what a valid document says, None where it says nothing."""
    if not isinstance(value_at(document.data, *_TLS), dict):
        return None
    ca_file, cert_file, key_file = (text_at(document.data, *_TLS, key) or "" for key in KEYS)
    return Tls(ca_file, cert_file, key_file, document.place(_TLS))


def check_tls(findings: Findings) -> None:
    """Add what is wrong with `tls`: one file of a pair, plain http, a reference in the name of a file."""
    data = findings.document.data
    tls = value_at(data, *_TLS)
    if not isinstance(tls, dict):
        return
    key = findings.document.tree.nearest(_TLS).key
    if ("certFile" in tls) != ("keyFile" in tls):
        message = "`certFile` and `keyFile` are given together: a certificate is of no use without its key"
        findings.add(_TLS, "tls-files", message, at=key)
    if (text_at(data, "spec", "baseUrl") or "").lower().startswith("http:"):
        findings.add(
            _TLS, "tls-files", "`tls` has no effect: the base URL is plain http", at=key, hint="write https://"
        )
    for name in KEYS:
        if "${{" in (text_at(data, *_TLS, name) or ""):
            message = "environment references do not work in the name of a file"
            findings.add((*_TLS, name), "tls-files", message, hint="write the path, relative to this file")
