"""Adapters of kind AWS: the AWS API, by profiles of access keys."""

from __future__ import annotations

from mom.atlas.adapters.profiles import ProfileKind
from mom.atlas.kinds import AWS


class AwsKind(ProfileKind):
    """The kind AWS."""

    kind = AWS
    credentials = ("accessKeyId", "secretAccessKey", "sessionToken")


KIND = AwsKind()
