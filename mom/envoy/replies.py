"""Atlas's own responses: JSON with an error type, and a header by which a client tells them from the API's.

The names are those of the original where it has one. No message quotes what Envoy knows about an upstream: its reasons
name certificates and addresses. Only Envoy's own replies pass here; responses of an API are never touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mom.envoy import jwt, oauth2, policy, rate_limits, secrets
from mom.envoy.access_log import ADAPTER_METADATA
from mom.envoy.failures import FAILURES
from mom.envoy.messages import Json, when
from mom.gateway import ATLAS_PREFIX, ERROR_HEADER, TOKEN_HEADER, ErrorTypes


@dataclass(frozen=True, slots=True)
class Reply:
    """A kind of response: `when` is a CEL expression or a comparison of the status; `status` replaces Envoy's.

    details: what the error in the body has beside its type and message. challenges: whether it asks for a token, which
    each 401 does.
    """

    when: str | tuple[str, int]
    type: str
    message: str
    status: int | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    challenges: bool = False


# Of every error: a cache keeps a 404 or 405 unless it must not (RFC 9111, 4.2.2), and serves it after the cause.
_NO_STORE = ("Cache-Control", "no-store")
# RFC 9110, 11.6.1 requires one with a 401. Envoy's own quotes the request's path and query, secrets in them included.
_CHALLENGE = ("WWW-Authenticate", 'Bearer realm="atlas"')

# What the filter or the router reports about a request: "%LOCAL_REPLY_BODY%" is safe to quote where
# nothing but the request itself has been looked at.
_REASON = "%LOCAL_REPLY_BODY%"


# What the name of a route begins with whose body says what is known instead, or why no caller may send this.
UNKNOWN_ROUTE = "unknown"
FORBIDDEN_ROUTE = "forbidden"
# The name of the route of tokens with extensions that must be understood.
CRITICAL_ROUTE = "critical extension"

_NO_CREDENTIAL = "The credential of this adapter is not available; the request was not sent"
_METHOD = "This method is not forwarded"
_INVALID = "Invalid access token: {reason}"


# What is refused before there is a request, for which Envoy has a detail and no message: a client must learn why.
# These are format strings: `%%` is a percent sign.
_MALFORMED = {
    "http1.codec_error": "The request is not valid HTTP/1.1: methods are known ones in capital letters (GET, not get); "
    "blanks and non-ASCII characters (raw UTF-8) are percent-encoded in the path and the query; a header name has only "
    "letters, digits and hyphens",
    "http1.invalid_characters": "A control character is in the path or in a header",
    "http1.invalid_url": "The request target is not a valid URL or path",
    "http1.content_length_and_chunked_not_allowed": "Content-Length and Transfer-Encoding exclude each other",
    "http1.invalid_transfer_encoding": "The only Transfer-Encoding is chunked",
    "low_version": "HTTP/1.1 or HTTP/2 is required",
    "missing_host_header": "The Host header is missing",
    "path_normalization_failed": "A number sign is in the path: a client keeps the fragment, or writes it as %%23",
    "query_missing_content_type": "The method QUERY needs a Content-Type header",
    "upgrade_failed": "The only upgrade of a connection is to a web socket, and not every adapter has these",
    "absolute_path_rejected": "The request target is not a path",
}


def _detail(text: str) -> str:
    return f"response.code_details.contains('{text}')"


def _any_detail(texts: Iterable[str]) -> str:
    return " || ".join(map(_detail, texts))


# The first match wins.
REPLIES = (
    # No rule about tokens and no route applies to it, so the last filter that requires a token refuses it.
    Reply("request.method == 'CONNECT'", ErrorTypes.METHOD_NOT_ALLOWED, _METHOD, 405),
    Reply(
        _detail("Jwt_is_missing"),
        ErrorTypes.MISSING_ACCESS_TOKEN,
        f"Missing access token: send one in the {TOKEN_HEADER} header",
        401,
    ),
    Reply(
        _detail("Jwks_remote_fetch_is_failed"),
        ErrorTypes.IDENTITY_PROVIDER_UNAVAILABLE,
        "The signing keys of the identity provider could not be fetched",
        503,
        # Envoy's own reply is a 401, whose challenge stays.
        challenges=True,
    ),
    # For a moment, while a reload brings the routes of an adapter before its requirement. Envoy's text names adapters.
    Reply(_detail("Wrong_requirement_name"), ErrorTypes.NO_MATCHING_INSTANCE, "This API is not served yet", 404),
    # Most often a token for one adapter: valid, and not for what tells of the others.
    Reply(
        f"{_detail('Audiences_in_Jwt_are_not_allowed')} && request.path.startsWith('{ATLAS_PREFIX}')",
        ErrorTypes.NOT_ALLOWED,
        "The access token is not for the whole gateway, and only such a token opens this path",
        403,
    ),
    # Envoy responds to a wrong audience with 403; to a client it is the same as any invalid token.
    Reply(_detail("jwt_authn_access_denied"), ErrorTypes.INVALID_ACCESS_TOKEN, _INVALID.format(reason=_REASON), 401),
    Reply(
        _detail(f"rbac_access_denied_matched_policy[{jwt.NO_KEYS}]"),
        ErrorTypes.IDENTITY_PROVIDER_UNAVAILABLE,
        "No identity provider has signing keys, so no access token can be verified",
        503,
    ),
    # Before any other refusal of that filter. Only what the client has sent itself: not what would be allowed.
    Reply(
        _detail(policy.REFUSED),
        ErrorTypes.NOT_ALLOWED,
        "Atlas does not allow this request to this caller",
        403,
        {
            "adapter": f"%METADATA(ROUTE:{ADAPTER_METADATA}:adapter)%",
            "method": "%REQ(:METHOD)%",
            "path": "%PATH(NQ:PATH)%",
        },
    ),
    Reply(
        _detail(rate_limits.REFUSED),
        ErrorTypes.RATE_LIMIT,
        "Too many requests to this API in a minute; Retry-After says when to send the next one",
        429,
    ),
    Reply(
        # Before the general line: it is not the token that is missing.
        _detail(f"rbac_access_denied_matched_policy[{secrets.POLICY}]"),
        ErrorTypes.CREDENTIAL_UNAVAILABLE,
        _NO_CREDENTIAL,
        503,
    ),
    Reply(
        # The last is that of a token whose signature is right, but which a route refuses.
        f"{_detail('rbac_access_denied')} || xds.route_name == '{CRITICAL_ROUTE}'",
        ErrorTypes.INVALID_ACCESS_TOKEN,
        _INVALID.format(reason="Atlas does not accept its alg, crit, exp or claims"),
        401,
    ),
    Reply(
        _detail("invalid_header_value_for"),
        ErrorTypes.ADAPTER_CONFIG,
        "A header of this adapter has a value that cannot be sent",
        500,
    ),
    Reply(_detail(oauth2.DETAIL), ErrorTypes.CREDENTIAL_UNAVAILABLE, _NO_CREDENTIAL, 503),
    Reply(
        # The only response of a script is that of `mom.envoy.credentials`.
        _detail("lua_response"),
        ErrorTypes.CREDENTIAL_UNAVAILABLE,
        _NO_CREDENTIAL,
        503,
    ),
    *(Reply(f"response.code_details == '{detail}'", ErrorTypes.REQUEST, why) for detail, why in _MALFORMED.items()),
    Reply(f"xds.route_name.startsWith('{UNKNOWN_ROUTE} ')", ErrorTypes.NO_MATCHING_INSTANCE, _REASON, 404),
    Reply(f"xds.route_name.startsWith('{FORBIDDEN_ROUTE} ')", ErrorTypes.NOT_ALLOWED, _REASON, 403),
    Reply(("EQ", 404), ErrorTypes.NO_MATCHING_INSTANCE, "No API is served at this path; GET /v1alpha1/apis lists them"),
    Reply(("EQ", 405), ErrorTypes.METHOD_NOT_ALLOWED, _METHOD),
    Reply(("EQ", 421), ErrorTypes.MISDIRECTED_REQUEST, "This Atlas does not serve the name in the Host header"),
    Reply(("EQ", 431), ErrorTypes.REQUEST_HEADERS_TOO_LARGE, "The request's headers are too large"),
    *(
        Reply(_any_detail(failure.marks), failure.type, failure.message, failure.status)
        for failure in FAILURES
        if failure.status
    ),
    Reply(("EQ", 504), ErrorTypes.INSTANCE_REQUEST_TIMEOUT, "The API did not respond in time"),
    Reply(("EQ", 503), ErrorTypes.UPSTREAM_CONNECTION, "The API could not be reached", 502),
    Reply(("GE", 500), ErrorTypes.UPSTREAM_RESPONSE, "The API's response could not be forwarded"),
    Reply(("GE", 400), ErrorTypes.REQUEST, f"The request could not be served: {_REASON}"),
)


def mappers(headers: Sequence[Json] = ()) -> list[Json]:
    """Return `local_reply_config.mappers` for all of them, each of which adds `headers` too."""
    return [_mapper(reply, headers) for reply in REPLIES]


def _mapper(reply: Reply, headers: Sequence[Json]) -> Json:
    status = {} if reply.status is None else {"status_code": reply.status}
    challenge = (_CHALLENGE,) if reply.status == 401 or reply.challenges else ()
    added = ((ERROR_HEADER, reply.type), _NO_STORE, *challenge)
    return {
        "filter": _filter(reply.when),
        **status,
        "headers_to_add": [
            *(
                {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
                for name, value in added
            ),
            *headers,
        ],
        "body_format_override": {
            "json_format": {"error": {"type": reply.type, "message": reply.message, **reply.details}}
        },
    }


def _filter(condition: str | tuple[str, int]) -> Json:
    if isinstance(condition, str):
        return when(condition)
    operator, status = condition
    # Envoy wants a name under which the number could be changed at run time; mom never does.
    value = {"default_value": status, "runtime_key": f"mom.reply.{operator.lower()}.{status}"}
    return {"status_code_filter": {"comparison": {"op": operator, "value": value}}}
