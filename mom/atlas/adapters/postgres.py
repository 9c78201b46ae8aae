"""Adapters of kind Postgres: databases, by profiles of connection URLs."""

from __future__ import annotations

from mom.atlas.adapters.profiles import ProfileKind
from mom.atlas.kinds import ADAPTERS_VERSION, Kind
from mom.atlas.rules.findings import Findings
from mom.atlas.rules.value_rules import check_secret
from mom.atlas.values.secrets import literal_password
from mom.yamledit.paths import Path

POSTGRES = Kind(ADAPTERS_VERSION, "Postgres")


class PostgresKind(ProfileKind):
    """The kind Postgres."""

    kind = POSTGRES
    credentials = ("databaseUrl",)

    def check_profile(self, findings: Findings, path: Path) -> None:
        """Add that the URL has a password in it."""
        check_secret(findings, (*path, "databaseUrl"), literal_password)


KIND = PostgresKind()
