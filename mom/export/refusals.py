"""What Envoy alone cannot do, or would do weaker than `mom atlas run`: each a Problem with its place."""

from __future__ import annotations

from collections.abc import Iterator

from mom.atlas.adapters.aws import AwsAdapter
from mom.atlas.adapters.http import HttpAdapter
from mom.atlas.adapters.kubernetes import KubernetesAdapter
from mom.atlas.model import Adapter
from mom.atlas.references import names
from mom.atlas.rules.catalogue import problem_of
from mom.envoy.translate import problems
from mom.errors import MomError
from mom.export import envoy
from mom.export.model import Layout, Source
from mom.export.proxies import has_name
from mom.problems import Problem

RULE = "needs-mom"


def check(source: Source, layout: Layout, *, with_mom: str = "") -> None:
    """Raise MomError with what Envoy alone cannot do there. with_mom: the option that has mom run there, if any."""
    if refused := refusals(source, layout, with_mom=with_mom):
        raise MomError(f"{source.configuration.file} cannot be exported", problems=refused)


def refusals(source: Source, layout: Layout, *, with_mom: str = "") -> list[Problem]:
    """Return what Envoy alone cannot do there, in the order of the file."""
    configuration = envoy.served(source, layout)
    own = [(adapter, list(_needs_mom(adapter, with_mom))) for adapter in configuration.adapters]
    found = [problem for _, refused in own for problem in refused]
    rest = configuration._replace(adapters=tuple(adapter for adapter, refused in own if not refused))
    found += [without_local_key(problem) for problem in problems(rest, envoy.options(source, layout))]
    return sorted(found, key=lambda problem: (problem.place.line, problem.place.column))


def without_local_key(problem: Problem) -> Problem:
    """Return a problem of the translation as that of an export, which has nobody's own key."""
    if problem.rule != "no-identity-provider":
        return problem
    message = "no identity provider: every request would be rejected"
    hint = (
        "your own key is trusted on this machine alone; "
        "`mom atlas config init --preset production -f -` prints a provider to fill in"
    )
    return problem_of(problem.place, problem.rule, message, hint=hint)


def _needs_mom(adapter: Adapter, with_mom: str) -> Iterator[Problem]:
    instead = f"export it with {with_mom}" if with_mom else "run mom atlas run there instead"
    if isinstance(adapter, AwsAdapter):
        message = f"{adapter.name}: mom gives Envoy the keys of AWS profiles when it starts it"
        yield problem_of(adapter.place, RULE, message, hint=f"{instead}, or remove the adapter")
    elif isinstance(adapter, KubernetesAdapter) and adapter.cluster is None:
        message = f"{adapter.name}: outside a pod, mom finds the API server and its login in $KUBECONFIG"
        yield problem_of(
            adapter.place, RULE, message, hint=f"mom atlas export kubernetes has it in a pod; or {instead}"
        )
    elif isinstance(adapter, HttpAdapter):
        yield from _http(adapter, instead)


def _http(adapter: HttpAdapter, instead: str) -> Iterator[Problem]:
    if adapter.oauth2 is not None and names(adapter.oauth2.client_id):
        message = f"{adapter.name}: mom reads the variable in `clientId` when it starts Envoy"
        hint = f"write the client id itself, which is not a secret (RFC 6749, 2.2); or {instead}"
        yield problem_of(adapter.oauth2.place, RULE, message, hint=hint)
    if has_name(adapter.proxy):
        message = f"{adapter.name}: mom looks up the name of the proxy"
        yield problem_of(adapter.place, RULE, message, hint=f"write the proxy's IP address; or {instead}")
