"""Adapters of kind Postgres: databases, by profiles of connection URLs."""

from __future__ import annotations

from mom.atlas.adapters.profiles import ProfileKind
from mom.atlas.kinds import POSTGRES


class PostgresKind(ProfileKind):
    """The kind Postgres."""

    kind = POSTGRES
    credentials = ("databaseUrl",)


KIND = PostgresKind()
