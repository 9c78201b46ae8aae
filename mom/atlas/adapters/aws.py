"""Adapters of kind AWS: the AWS API, by profiles of access keys."""

from __future__ import annotations

from mom.atlas.adapters.profiles import ProfileKind
from mom.atlas.kinds import ADAPTERS_VERSION, Kind
from mom.atlas.rules.findings import Findings
from mom.atlas.rules.value_rules import check_credential, check_secret
from mom.atlas.values.secrets import known_token
from mom.yamledit.paths import Path

AWS = Kind(ADAPTERS_VERSION, "AWS")


class AwsKind(ProfileKind):
    """The kind AWS."""

    kind = AWS
    credentials = ("accessKeyId", "secretAccessKey", "sessionToken")

    def check_profile(self, findings: Findings, path: Path) -> None:
        """Add that a key is written out. The id of one is no secret by itself, but betrays one beside it."""
        check_secret(findings, (*path, "accessKeyId"), known_token)
        check_credential(findings, (*path, "secretAccessKey"))
        check_credential(findings, (*path, "sessionToken"))


KIND = AwsKind()
