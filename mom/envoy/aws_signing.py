"""Signatures of AWS (SigV4) in the way of requests to it: an upstream filter, so that what is sent is what is signed.

A filter of the listener would sign the path before the route rewrites it, and AWS would reject each request. The filter
sits in the clusters of AWS endpoints alone, and each route to them says with which credentials, name and region.

Credentials come from a variable of Envoy's process with the text of a credentials file (AWS: "Configuration and
credential file settings"), one for each profile: `environment_credential_provider` knows one profile only, and a file
would be on a disk. The variable's name has a dot, so no `${{ NAME }}` can mean it.

Without credentials Envoy's filter passes a request on unsigned. So the client's own signature is removed before, and a
guard behind the filter refuses what has none.
"""

from __future__ import annotations

from mom.envoy.messages import Json, codec, extension, typed

FILTER = "envoy.filters.http.aws_request_signing"
_MESSAGE = "envoy.extensions.filters.http.aws_request_signing.v3"
# What a signature is, or belongs to one: replaced by Atlas's own (SigV4: "Authenticating requests").
REPLACED = ("authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256")
# Signed because AWS asks for it, and nothing else: Envoy and proxies on the way may change the rest.
_SIGNED: tuple[Json, ...] = (
    {"exact": "host"},
    {"prefix": "x-amz-"},
    {"exact": "content-type"},
    {"exact": "content-md5"},
)
_NO_CREDENTIALS = "aws.none"
_GUARD = """\
function envoy_on_request(handle)
  local signature = handle:headers():get("authorization")
  if not signature or signature:sub(1, 28) ~= "AWS4-HMAC-SHA256 Credential=" then
    handle:respond({ [":status"] = "503" }, "credential")
  end
end
"""


def variable(profile: str) -> str:
    """Return the name of the variable with the credentials of a profile."""
    return f"aws.{profile}"


def credentials_file(access_key_id: str, secret_access_key: str, session_token: str | None) -> str:
    """Return the text of a credentials file with one profile, `default`."""
    lines = [
        "[default]",
        f"aws_access_key_id = {access_key_id}",
        f"aws_secret_access_key = {secret_access_key}",
        *([] if session_token is None else [f"aws_session_token = {session_token}"]),
    ]
    return "\n".join(lines) + "\n"


def http_filters() -> list[Json]:
    """Return the upstream filters of a cluster: sign, refuse what is not signed, send."""
    guard = {"default_source_code": {"inline_string": _GUARD}}
    return [
        # Used on no route: each has its own. Envoy has no `disabled` for upstream filters.
        extension(FILTER, f"{_MESSAGE}.AwsRequestSigning", _signing(_NO_CREDENTIALS, "none", "none")),
        extension("mom.signed", "envoy.extensions.filters.http.lua.v3.Lua", guard),
        codec(),
    ]


def for_route(profile: str, name: str, region: str) -> Json:
    """Return the `typed_per_filter_config` of a route: with which profile, signing name and region it is signed.

    The body of a request to S3 is not signed, so that it can be as large as S3 takes: TLS protects it on the way (AWS:
    "UNSIGNED-PAYLOAD"). Other services want its digest, for which Envoy has to wait for all of it.
    """
    signing = _signing(variable(profile), name, region) | ({"use_unsigned_payload": True} if name == "s3" else {})
    fields = {"aws_request_signing": signing, "stat_prefix": "aws"}
    return {FILTER: typed(f"{_MESSAGE}.AwsRequestSigningPerRoute", fields)}


def _signing(credentials: str, name: str, region: str) -> Json:
    source = {"credentials_data_source": {"environment_variable": credentials}, "profile": "default"}
    return {
        "service_name": name,
        "region": region,
        # Nothing of the machine's own (instance roles, AWS_* variables) takes the place of what is configured.
        "credential_provider": {"custom_credential_provider_chain": True, "credentials_file_provider": source},
        "match_included_headers": list(_SIGNED),
    }
