"""Values that change while Envoy runs: each variable is a secret of its own (SDS), in a file that Envoy looks at.

Headers with such a variable are set by header_mutation, whose formatters know `%SECRET(NAME)%`; the router's do not. A
changed value counts for the next request of every connection. One file for each secret, since Envoy takes no file with
several; `poll_interval`, since each watched directory takes an inotify instance, of which a user has 128 by default,
and Envoy aborts without one.

A secret that is missing or empty would be sent as `Bearer `. So a filter behind refuses each request of which a header
lacks its value (`GUARD`); Atlas responds with 503. Its pattern tells that of a header with one variable. Of a header
with several, and for the script of `mom.envoy.credentials`, each value is carried by a header of its own, in which the
guard sees it alone, and which is removed before the request leaves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from mom.atlas.adapters.http import Header
from mom.atlas.references import Reference, names, scan
from mom.envoy.headers import format_string
from mom.envoy.messages import Json, extension, typed
from mom.envoy.options import Options

FILTER = "mom.secrets"
GUARD = "mom.credential"
# The name of the guard's policy, which the details of the response have.
POLICY = "credential"
# What the headers that carry one value are called, with a number.
CARRIER = "mom-credential-"
_POLL_INTERVAL = "0.5s"

_MUTATION = "envoy.extensions.filters.http.header_mutation.v3"
_RBAC = "envoy.extensions.filters.http.rbac.v3"
_FORMATTER = "envoy.extensions.formatter.generic_secret.v3.GenericSecret"
_SECRET = "envoy.extensions.transport_sockets.tls.v3.Secret"  # noqa: S105  the name of a message


def http_filters() -> list[Json]:
    """Return the filter that sets values, and its guard: disabled but on routes with what `for_route` gives."""
    return [
        {**extension(FILTER, f"{_MUTATION}.HeaderMutation"), "disabled": True},
        {**extension(GUARD, f"{_RBAC}.RBAC"), "disabled": True},
    ]


def secrets_of(texts: Iterable[str], options: Options) -> list[str]:
    """Return the variables in `texts` whose values come from files, each once, in their order."""
    # Most runs have none, and 10,000 adapters several texts each.
    if not options.secrets:
        return []
    return list(dict.fromkeys(name for text in texts for name in names(text) if name in options.secrets))


def has_secret(header: Header, options: Options) -> bool:
    """Whether a value in the header comes from a file."""
    return bool(secrets_of([header.value], options))


def carried(texts: Iterable[str], options: Options) -> dict[str, str]:
    """Return the variables in `texts` whose values come from files, with the headers that carry them to a script."""
    return {name: f"{CARRIER}{number}" for number, name in enumerate(secrets_of(texts, options), start=1)}


def for_route(
    headers: Iterable[Header],
    texts: Iterable[str],
    options: Options,
    *,
    needed: Iterable[str] = (),
    guarded: Sequence[tuple[str, str]] = (),
) -> tuple[Json, list[str]]:
    """Return the `typed_per_filter_config` of routes, and the headers that the router must remove.

    headers: those that the routes set. texts: what a script sets. needed: texts of which each value must be there.
    guarded: headers that another filter sets, with the patterns that these match as a whole. Without a value from a
    file, and nothing guarded, both are empty.
    """
    changing = [header for header in headers if has_secret(header, options)]
    single = [header for header in changing if len(names(header.value)) == 1]
    several = [header.value for header in changing if len(names(header.value)) > 1]
    carriers = carried(texts, options)
    for name in secrets_of([*needed, *several], options):
        carriers.setdefault(name, f"{CARRIER}{len(carriers) + 1}")
    values = [(header.name, header.value) for header in changing]
    values += [(carrier, f"${{{{ {name} }}}}") for name, carrier in carriers.items()]
    patterns = [*guarded, *((header.name, _pattern(header.value)) for header in single)]
    patterns += [(carrier, ".+") for carrier in carriers.values()]
    guard = {GUARD: _guard(patterns)} if patterns else {}
    return (guard | _mutations(values, options) if values else guard), list(carriers.values())


def _mutations(values: Sequence[tuple[str, str]], options: Options) -> Json:
    needed = secrets_of((value for _, value in values), options)
    formatter = extension(
        "envoy.formatter.generic_secret",
        _FORMATTER,
        {"secret_configs": {name: source(name, options) for name in needed}},
    )
    appended = [
        {
            "append": {
                "header": {"key": name, "value": format_string(value, options.secrets)},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
                # An empty value must replace the client's header all the same; the guard refuses it then.
                "keep_empty_value": True,
            }
        }
        for name, value in values
    ]
    mutations = {"formatters": [formatter], "request_mutations": appended}
    return {FILTER: typed(f"{_MUTATION}.HeaderMutationPerRoute", {"mutations": mutations})}


def _guard(guarded: Sequence[tuple[str, str]]) -> Json:
    matches = [{"header": {"name": name, "string_match": {"safe_regex": {"regex": regex}}}} for name, regex in guarded]
    principals = [{"not_id": {"and_ids": {"ids": matches}}}]
    policy = {"permissions": [{"any": True}], "principals": principals}
    rules = {"action": "DENY", "policies": {POLICY: policy}}
    return typed(f"{_RBAC}.RBACPerRoute", {"rbac": {"rules": rules}})


def _pattern(value: str) -> str:
    """Return what a header's value matches as a whole when its one variable has a value."""
    return "".join(".+" if isinstance(part, Reference) else re.escape(str(part)) for part in scan(value))


def source(name: str, options: Options) -> Json:
    """Return where Envoy finds a secret: its file, or, without a folder of them, the bootstrap."""
    return {"name": name} if options.secret_folder is None else in_folder(name, options.secret_folder)


def in_folder(name: str, folder: str) -> Json:
    """Return where Envoy finds a secret, of whichever kind, whose file is in `folder` and may change."""
    path = {"path": f"{folder}/{file_name(name)}", "poll_interval": _POLL_INTERVAL}
    return {"name": name, "sds_config": {"resource_api_version": "V3", "path_config_source": path}}


def file_name(name: str) -> str:
    """Return the name of the file of a secret."""
    return f"{name}.json"


def version_statistic(name: str) -> str:
    """Return the statistic, without `.version_text`, that shows which version of a secret is applied."""
    return f"sds.{name}"


def resource(name: str, content: Json) -> Json:
    """Return a secret as Envoy takes it. content: a DataSource."""
    return {"name": name, "generic_secret": {"secret": content}}


def in_environment(name: str) -> Json:
    """Return the secret of a variable of Envoy's environment."""
    return resource(name, {"environment_variable": name})


def discovery(name: str, content: Json, version: str) -> Json:
    """Return the content of a secret's file. `version` must not be derived from the value: Envoy shows it."""
    return {"version_info": version, "resources": [typed(_SECRET, resource(name, content))]}
