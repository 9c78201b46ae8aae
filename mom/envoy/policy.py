"""Which requests may pass, as Envoy decides it: the lists `allow` of the Atlas and of an adapter.

An RBAC filter that is disabled but on routes with a list. It tries the entries in their order by a matcher (Envoy:
"RBAC filter", `matcher`), and leaves in the request's metadata what decided: the name of the entry that let it pass,
or of the list that refused it. Methods and paths are compared by the regular expressions of `mom.atlas.policy`, so that
`mom atlas config explain` says what Envoy does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mom.atlas.policy import AllowList, Claim, Entry, literal_regex, path_regex
from mom.envoy import claims
from mom.envoy.messages import Json, extension, request_header, typed

FILTER = "mom.allow"
_RBAC = "envoy.extensions.filters.http.rbac.v3"
# Both RBAC filters of a listener leave their decisions under one key; this prefix tells them apart.
_PREFIX = "mom_"
# Where the access log finds what decided: the keys of dynamic metadata.
DECISION = f"envoy.filters.http.rbac:{_PREFIX}enforced_effective_policy_id"
# What the details of a refused request contain: `rbac_access_denied_matched_policy[http/github_spec.allow]`.
REFUSED = "spec.allow]"
# By which some servers take another method than that of the request.
METHOD_OVERRIDES = ("x-http-method", "x-http-method-override", "x-method-override")


def http_filter() -> Json:
    """Return the filter, which does nothing but on routes with the configuration that `on_routes` gives."""
    return {**extension(FILTER, f"{_RBAC}.RBAC"), "disabled": True}


def on_routes(
    routes: Sequence[Json], path: str, lists: Sequence[AllowList | None], set_headers: Iterable[str] = ()
) -> list[Json]:
    """Return the routes of an adapter that let only those requests pass that all of `lists` allow.

    path: of the adapter, without a trailing slash. set_headers: names, in lower case, of those that the adapter sets.
    """
    given = [each for each in lists if each is not None]
    if not given:
        return list(routes)
    fields = {"matcher": _matcher(path, given), "rules_stat_prefix": _PREFIX}
    configured = {FILTER: typed(f"{_RBAC}.RBACPerRoute", {"rbac": fields})}
    own = set(set_headers)
    removed = [name for name in METHOD_OVERRIDES if name not in own] if _name_methods(given) else []
    return [_with(route, configured, removed) for route in routes]


def method_overrides(lists: Iterable[AllowList | None]) -> tuple[str, ...]:
    """Return the headers whose other spellings no client may send where a list names methods."""
    return METHOD_OVERRIDES if _name_methods(each for each in lists if each is not None) else ()


def _name_methods(lists: Iterable[AllowList]) -> bool:
    return any(each.has_methods for each in lists)


def _with(route: Json, configured: Json, removed: Sequence[str]) -> Json:
    headers = {"request_headers_to_remove": [*route.get("request_headers_to_remove", ()), *removed]} if removed else {}
    return {
        **route,
        **headers,
        "typed_per_filter_config": {**route.get("typed_per_filter_config", {}), **configured},
    }


def _matcher(path: str, lists: Sequence[AllowList]) -> Json:
    """Return what decides: each list but the last one refuses what matches none of its entries, the last lets pass."""
    *others, last = lists
    matchers = [_refusing(path, each) for each in others]
    for index, entry in enumerate(last.entries):
        matchers.append({"predicate": _entry(path, entry), "on_match": _action(last.entry_name(index), "ALLOW")})
    return {"matcher_list": {"matchers": matchers}, "on_no_match": _action(last.name, "DENY")}


def _refusing(path: str, allow: AllowList) -> Json:
    matches = _several("or_matcher", [_entry(path, entry) for entry in allow.entries])
    return {"predicate": {"not_matcher": matches}, "on_match": _action(allow.name, "DENY")}


def _action(name: str, action: str) -> Json:
    fields = {"name": name, "action": action}
    return {"action": {"name": "decision", "typed_config": typed("envoy.config.rbac.v3.Action", fields)}}


def _entry(path: str, entry: Entry) -> Json:
    parts: list[Json] = []
    if entry.methods:
        parts.append(_header(":method", "|".join(literal_regex(method) for method in entry.methods)))
    if entry.paths:
        below = "|".join(path_regex(pattern) for pattern in entry.paths)
        parts.append(_header(":path", rf"{literal_regex(path)}(?:{below})(?:\?.*)?"))
    parts += [_claim(claim) for claim in entry.claims]
    return _several("and_matcher", parts or [_header(":method", ".*")])


def _several(kind: str, predicates: list[Json]) -> Json:
    # Envoy wants two or more in a list.
    return predicates[0] if len(predicates) == 1 else {kind: {"predicate": predicates}}


def _header(name: str, regex: str) -> Json:
    return {
        "single_predicate": {
            "input": request_header(name),
            "value_match": {"safe_regex": {"google_re2": {}, "regex": regex}},
        }
    }


def _claim(claim: Claim) -> Json:
    source = "envoy.extensions.matching.common_inputs.network.v3.DynamicMetadataInput"
    matcher = "envoy.extensions.matching.input_matchers.metadata.v3.Metadata"
    where = {"filter": claims.FILTER, "path": claims.keys(claim)}
    value = extension("claim", matcher, {"value": claims.value(claim)})
    return {"single_predicate": {"input": extension("claim", source, where), "custom_match": value}}
