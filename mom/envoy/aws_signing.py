"""Signatures of AWS (SigV4) in the way of requests to it: an upstream filter, so that what is sent is what is signed.

A filter of the listener would sign the path before the route rewrites it, and AWS would reject each request. The filter
sits in the clusters of AWS endpoints alone, and each route to them says with which credentials, name and region.

Credentials are the text of a credentials file (AWS: "Configuration and credential file settings"), one for each
profile: `environment_credential_provider` knows one profile only. The text is in a variable of Envoy's process, whose
name has a dot, so no `${{ NAME }}` can mean it; or, where a value in it may change, in a file on memory. Envoy reads
that file when it gets a route that names it. To have it watched would take an inotify instance for each route, of which
a user has 128, and Envoy aborts without one. So the routes have a number of the file's version, and are written again.

Without credentials Envoy's filter passes a request on unsigned. So the client's own signature is removed before, and a
guard behind the filter refuses what has none.
"""

from __future__ import annotations

from mom.envoy.messages import Json, codec, extension, typed
from mom.envoy.options import Options

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
# Of a longer text Envoy reads nothing, from a file and from a variable.
MOST_BYTES = 4_096
_GUARD = """\
function envoy_on_request(handle)
  local signature = handle:headers():get("authorization")
  if not signature or signature:sub(1, 28) ~= "AWS4-HMAC-SHA256 Credential=" then
    handle:respond({ [":status"] = "503" }, "credential")
  end
end
"""


def variable(profile: str) -> str:
    """Return the name of the variable, or of the file, with the credentials of a profile."""
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


def objection(text: str) -> str | None:
    """Return why Envoy could not sign with the text of a credentials file, None where it can."""
    if not text.isascii():
        return "have a character that is not ASCII"
    if len(text) > MOST_BYTES:
        return f"are too long: {len(text)} bytes as a credentials file, of which Envoy reads {MOST_BYTES}"
    return None


def http_filters() -> list[Json]:
    """Return the upstream filters of a cluster: sign, refuse what is not signed, send."""
    guard = {"default_source_code": {"inline_string": _GUARD}}
    return [
        # Used on no route: each has its own. Envoy has no `disabled` for upstream filters.
        extension(FILTER, f"{_MESSAGE}.AwsRequestSigning", _signing(_variable(_NO_CREDENTIALS), "none", "none")),
        extension("mom.signed", "envoy.extensions.filters.http.lua.v3.Lua", guard),
        codec(),
    ]


def for_route(profile: str, name: str, region: str, options: Options) -> Json:
    """Return the `typed_per_filter_config` of a route: with which profile, signing name and region it is signed.

    The body of a request to S3 is not signed, so that it can be as large as S3 takes: TLS protects it on the way (AWS:
    "UNSIGNED-PAYLOAD"). Other services want its digest, for which Envoy has to wait for all of it.
    """
    signing = _signing(_source(variable(profile), options), name, region)
    if name == "s3":
        signing["use_unsigned_payload"] = True
    fields = {"aws_request_signing": signing, "stat_prefix": "aws"}
    return {FILTER: typed(f"{_MESSAGE}.AwsRequestSigningPerRoute", fields)}


def _source(name: str, options: Options) -> Json:
    """Return the DataSource of a profile's credentials."""
    if options.secret_folder is None or name not in options.credential_files:
        return _variable(name)
    return {"filename": f"{options.secret_folder}/{name}"}


def _variable(name: str) -> Json:
    return {"environment_variable": name}


def _signing(credentials: Json, name: str, region: str) -> Json:
    source = {"credentials_data_source": credentials, "profile": "default"}
    return {
        "service_name": name,
        "region": region,
        # Nothing of the machine's own (instance roles, AWS_* variables) takes the place of what is configured.
        "credential_provider": {"custom_credential_provider_chain": True, "credentials_file_provider": source},
        "match_included_headers": list(_SIGNED),
    }
