"""AWS adapters: the endpoints of some services in some regions, with each request signed by the profile in its path.

| path below `/v1/apis/aws/` | response |
|---|---|
| `PROFILE/SERVICE/REGION/…` | that endpoint's, of the request signed with the profile |
| another profile, service or region | 404, Atlas's own, which names the known ones |
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from mom.atlas.adapters.aws import AWS, CREDENTIALS, AwsAdapter
from mom.atlas.adapters.aws_endpoints import Endpoint, endpoint
from mom.atlas.adapters.profiles import Profile
from mom.atlas.references import filled, names
from mom.atlas.rules.catalogue import problem_of
from mom.atlas.values.names import check_adapter_name
from mom.envoy import aws_signing
from mom.envoy.access_log import ADAPTER_METADATA
from mom.envoy.adapters.forwarding import action
from mom.envoy.adapters.kind import ServedKind
from mom.envoy.clusters import Upstream
from mom.envoy.key_slots import KeySlot
from mom.envoy.messages import Json
from mom.envoy.options import Options
from mom.envoy.origins import Origin
from mom.envoy.redirects import own_metadata
from mom.envoy.replies import UNKNOWN_ROUTE
from mom.errors import MomError
from mom.gateway import AWS_PREFIX
from mom.lists import some
from mom.problems import Problem

NAME = AWS.kind
# Of a request whose body is signed, so that it has to be in memory once: more than any service but S3 takes (DynamoDB
# 16 MB, Lambda 6 MB, ECR 20 MB, Bedrock 25 MB).
_SIGNED_BODY_BYTES = 32 << 20
_NOT_CHUNKED = (
    "uploads in chunks of the client's own (aws-chunked) cannot be signed; "
    "set AWS_REQUEST_CHECKSUM_CALCULATION=when_required, or do not sign payloads"
)
# Of a signature in the query, and of a session token: a client that has the access token in the place of that (a
# presigned URL) would show it to AWS. In every spelling.
_PRESIGNED = ("x-amz-signature", "x-amz-credential", "x-amz-security-token", "awsaccesskeyid")
_NOT_PRESIGNED = (
    "a presigned URL cannot be signed anew, and has the access token in it; send the request with the token in a header"
)
# More names would be no help.
_NAMED = 40


class _Target(NamedTuple):
    """One endpoint as callers of a profile reach it."""

    profile: Profile
    service: str
    region: str
    endpoint: Endpoint

    @property
    def path(self) -> str:
        return f"{AWS_PREFIX}{self.profile.name}/{self.service}/{self.region}"

    @property
    def upstream(self) -> Upstream:
        return Upstream(Origin("https", self.endpoint.host, 443), aws=True)


class AwsKind(ServedKind[AwsAdapter]):
    """The kind AWS."""

    def path(self, adapter: AwsAdapter) -> str:  # noqa: ARG002  there is one such adapter at most
        """Return `/v1/apis/aws`."""
        return AWS_PREFIX.rstrip("/")

    def reached(self, adapter: AwsAdapter) -> str:  # noqa: ARG002
        """Return the form of its paths."""
        return f"{AWS_PREFIX}PROFILE/SERVICE/REGION/"

    def example(self, adapter: AwsAdapter) -> str:
        """Return the request that names the account, where STS is served."""
        first = next(_targets(adapter)).path.removeprefix(self.path(adapter))
        return self.path(adapter) + next(iter(self.proofs(adapter)), f"{first}/")

    def proofs(self, adapter: AwsAdapter) -> Iterator[str]:
        """Yield the request that names the account for each profile, where STS is served. It needs no permission."""
        sts = {target.profile.name: target.path for target in _targets(adapter) if target.service == "sts"}
        for path in sts.values():
            yield f"{path.removeprefix(self.path(adapter))}/?Action=GetCallerIdentity&Version=2011-06-15"

    def problems(self, adapter: AwsAdapter) -> Iterator[Problem]:
        """Yield which profile could not be in a path, or be signed with, and that no endpoint is left."""
        yield from super().problems(adapter)
        for profile in adapter.profiles:
            if wrong := check_adapter_name(profile.name):
                yield problem_of(adapter.place, "profile-name", f"{adapter.name}: {wrong.message}", hint=wrong.hint)
            for key in ("accessKeyId", "secretAccessKey"):
                if not _value(profile, key):
                    message = f"{adapter.name}: the profile {profile.name} has no {key}"
                    yield problem_of(adapter.place, "missing-key", message, hint=f"add `{key}:`")
        if not any(_targets(adapter)):
            yield problem_of(adapter.place, "aws-service", f"{adapter.name}: no service has an endpoint there")

    def upstreams(self, adapter: AwsAdapter) -> Iterator[Upstream]:
        """Yield the endpoints."""
        yield from dict.fromkeys(target.upstream for target in _targets(adapter))

    def composed(self, adapter: AwsAdapter) -> Mapping[str, Sequence[str]]:
        """Return the credentials of each profile, with the variables in them."""
        return {aws_signing.variable(profile.name): _variables(profile) for profile in adapter.profiles}

    def environment(self, adapter: AwsAdapter, variables: Mapping[str, str]) -> Mapping[str, str]:
        """Return the credentials of each profile, in the form in which Envoy reads them.

        Empty for a profile that lacks the value of a variable: then its requests get a 503. Raises MomError for values
        that Envoy would not sign with.
        """
        return {
            aws_signing.variable(profile.name): _credentials_file(adapter, profile, variables)
            if all(name in variables for name in _variables(profile))
            else ""
            for profile in adapter.profiles
        }

    def unserved(self, adapter: AwsAdapter, path: str) -> str | None:
        """Return what is known instead of a profile, service or region in the path."""
        whole = f"{self.path(adapter)}{path}/"
        if any(whole.startswith(f"{target.path}/") for target in _targets(adapter)):
            return None
        return next(message for above, message in _unknown(adapter) if whole.startswith(f"{above}/"))

    def refusal(self, adapter: AwsAdapter, query: str) -> str | None:  # noqa: ARG002
        """Return that a signature in the query is refused."""
        return _NOT_PRESIGNED if re.fullmatch(_presigned_pattern(), f"?{query}", re.DOTALL) else None

    def listed(self, adapter: AwsAdapter) -> Json:
        """Return the path, and what can follow it."""
        return {
            "path": f"{self.path(adapter)}/",
            "profiles": [
                {"name": profile.name, "regions": list(adapter.regions_of(profile))} for profile in adapter.profiles
            ],
            "services": list(adapter.services),
        }

    def headers(self, adapter: AwsAdapter) -> tuple[str, ...]:  # noqa: ARG002
        """Return the headers of a signature."""
        return aws_signing.REPLACED

    def key_slots(self, adapter: AwsAdapter) -> tuple[KeySlot, ...]:  # noqa: ARG002
        """Return the header in which AWS clients send a session token: any of them can carry an access token."""
        return (KeySlot("x-amz-security-token"),)

    def routes(self, adapter: AwsAdapter, options: Options) -> list[Json]:
        """Return a route for each endpoint, behind what is refused and before those that name what is known."""
        targets = list(_targets(adapter))
        return [
            _presigned(self.path(adapter)),
            *(_chunked(target) for target in targets if target.endpoint.signing_name == "s3"),
            *(_route(adapter, target, options) for target in targets),
            *(_not_found(*unknown) for unknown in _unknown(adapter)),
        ]


def _targets(adapter: AwsAdapter) -> Iterator[_Target]:
    for profile in adapter.profiles:
        for service in adapter.services:
            for region in adapter.regions_of(profile):
                if known := endpoint(service, region):
                    yield _Target(profile, service, region, known)


def _value(profile: Profile, key: str) -> str:
    return next((setting.value for setting in profile.settings if setting.label.startswith(f"{key} ")), "")


def _variables(profile: Profile) -> list[str]:
    return list(dict.fromkeys(name for setting in profile.settings for name in names(setting.value)))


def _credentials(profile: Profile, variables: Mapping[str, str]) -> tuple[str, str, str | None]:
    key_id, secret, token = (filled(_value(profile, key), variables).strip() for key in CREDENTIALS)
    return key_id, secret, token or None


def _credentials_file(adapter: AwsAdapter, profile: Profile, variables: Mapping[str, str]) -> str:
    text = aws_signing.credentials_file(*_credentials(profile, variables))
    if wrong := aws_signing.objection(text):
        message = f"the credentials of the profile {profile.name} {wrong}"
        problem = problem_of(adapter.place, "unsendable-variable", message, hint="ask for a shorter session token")
        raise MomError(f"the profile {profile.name} cannot be used", problems=[problem])
    return text


def _route(adapter: AwsAdapter, target: _Target, options: Options) -> Json:
    name, region = target.endpoint.signing_name, target.endpoint.signing_region
    upstream = target.upstream.by(options)
    credentials = aws_signing.variable(target.profile.name)
    version = options.credential_files.get(credentials)
    metadata = {
        "adapter": adapter.name,
        # Without another text of the route Envoy would not read the file again.
        **({} if version is None else {"credentials": f"{version}"}),
        **own_metadata(target.upstream.origin, target.path),
    }
    return {
        # A stand-in shows it; an adapter's name has no slash.
        "name": adapter.name,
        "match": {"path_separated_prefix": target.path},
        "metadata": {"filter_metadata": {ADAPTER_METADATA: metadata}},
        "request_headers_to_remove": list(aws_signing.REPLACED),
        "request_body_buffer_limit": _SIGNED_BODY_BYTES,
        "typed_per_filter_config": {
            **upstream.for_route(),
            **aws_signing.for_route(target.profile.name, name, region, options),
        },
        "route": {
            "cluster": upstream.name,
            # No service has web sockets here, and one would outlive every bound.
            "upgrade_configs": [{"upgrade_type": "websocket", "enabled": False}],
            **action(target.path, upstream.origin.authority, "", options.timeout),
        },
    }


def _presigned(path: str) -> Json:
    """Return the route that refuses a signature in the query."""
    query = {"name": ":path", "string_match": {"safe_regex": {"regex": f"[^?]*{_presigned_pattern()}"}}}
    return {
        "name": "presigned",
        "match": {"path_separated_prefix": path, "headers": [query]},
        "direct_response": {"status": 400, "body": {"inline_string": _NOT_PRESIGNED}},
    }


def _presigned_pattern() -> str:
    names = "|".join("".join(map(_encoded, name)) for name in _PRESIGNED)
    return rf"\?(?:.*[&;])?(?:{names})(?:[=&;].*)?"


def _encoded(letter: str) -> str:
    """Return a pattern for a letter in either case, each also percent-encoded."""
    spellings = dict.fromkeys((letter, letter.upper()))
    return f"(?:{'|'.join(f'{re.escape(each)}|%(?i:{ord(each):02x})' for each in spellings)})"


def _chunked(target: _Target) -> Json:
    """Return the route that refuses a body whose chunks have signatures or a checksum of the client's.

    Passed on, S3 would take the chunks' own frames for content, or reject the signatures of the client's dummy key.
    """
    digest = {"name": "x-amz-content-sha256", "string_match": {"prefix": "STREAMING-"}}
    return {
        "name": "aws-chunked",
        "match": {"path_separated_prefix": target.path, "headers": [digest]},
        "direct_response": {"status": 400, "body": {"inline_string": _NOT_CHUNKED}},
    }


def _unknown(adapter: AwsAdapter) -> Iterator[tuple[str, str]]:
    """Yield the paths below which no endpoint is left, with the message: from the longest, with a known service."""
    for profile in adapter.profiles:
        regions = adapter.regions_of(profile)
        for service in adapter.services:
            known = [region for region in regions if endpoint(service, region)]
            what = f"regions of {service} with the profile {profile.name}"
            yield f"{AWS_PREFIX}{profile.name}/{service}", _known(what, known)
        yield f"{AWS_PREFIX}{profile.name}", _known(f"services with the profile {profile.name}", adapter.services)
    yield AWS_PREFIX.rstrip("/"), _known("profiles", [profile.name for profile in adapter.profiles])


def _known(what: str, known: Sequence[str]) -> str:
    return f"AWS is reached at {AWS_PREFIX}PROFILE/SERVICE/REGION/; {what}: {some(known, _NAMED) or 'none'}"


def _not_found(path: str, message: str) -> Json:
    return {
        "name": f"{UNKNOWN_ROUTE} aws",
        "match": {"path_separated_prefix": path},
        "direct_response": {"status": 404, "body": {"inline_string": message}},
    }


KIND = AwsKind()
