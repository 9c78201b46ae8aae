"""The translation: an Atlas configuration and options in, Envoy's resources out. Pure; the same for run and export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mom.atlas.jwks import JwksError, judge
from mom.atlas.model import Adapter, Configuration, IdentityProvider
from mom.atlas.rules.catalogue import problem_of
from mom.atlas.values.urls import check_public_key
from mom.envoy import adapters, clusters, jwt, listener, metrics, oauth2, rate_limits, routes, secrets
from mom.envoy.by_form import Memory, distinct, longest
from mom.envoy.messages import Json
from mom.envoy.options import Options
from mom.envoy.origins import split
from mom.envoy.stand_in import at_stand_in
from mom.errors import MomError
from mom.problems import Place, Problem


@dataclass(frozen=True, slots=True)
class Resources:
    """Everything Envoy serves, as JSON-able dictionaries of its v3 API.

    One listener and all upstreams. Where the listener takes them from files, also its routes, the filter that verifies
    tokens, its certificate, None for plain HTTP, and the filters that fetch tokens for APIs and count requests. Where
    secrets do not come from files, these are its `secrets`. metrics: the listener that serves metrics, None for none.
    """

    listener: Json
    clusters: tuple[Json, ...]
    routes: Json | None = None
    authentication: Json | None = None
    certificate: Json | None = None
    metrics: Json | None = None
    secrets: tuple[Json, ...] = ()
    oauth2: Json | None = None
    limits: Json | None = None


def translate(configuration: Configuration, options: Options, *, directory: str | None = None) -> Resources:
    """Return the Envoy resources that serve `configuration`, once it has no `problems`; see `resources`.

    Raises MomError with a Problem for each thing that Envoy would take but not do (see `problems`).
    """
    if wrong := problems(configuration, options):
        raise MomError(f"{configuration.file} cannot be served", problems=wrong)
    return resources(configuration, options, directory=directory)


def resources(
    configuration: Configuration, options: Options, *, directory: str | None = None, memory: Memory | None = None
) -> Resources:
    """Return the Envoy resources that serve a `configuration` without `problems`.

    directory: the absolute path of the directory whose files Envoy watches (`bootstrap.discovery` gives their
    contents); None has all of it in the listener. memory: what the translations for that directory remember.
    """
    listening = listener.listener(configuration, options, directory)
    limited = clusters.limit(_clusters(configuration, options), options.open_files)
    admin = metrics.cluster(options)
    limited = limited if admin is None else (*limited, admin)
    if directory is None:
        own = _static_secrets(configuration, options)
        return Resources(listening, limited, metrics=metrics.listener(options), secrets=own)
    return Resources(
        listening,
        limited,
        routes.route_configuration(configuration, options, memory),
        listener.authentication(configuration, options, memory),
        None if options.tls is None else listener.secret(options.tls),
        metrics.listener(options),
        oauth2=oauth2.chains(adapters.http_adapters(configuration), options),
        limits=rate_limits.buckets(adapters.limits(distinct(adapters.served(configuration)))),
    )


def _static_secrets(configuration: Configuration, options: Options) -> tuple[Json, ...]:
    """Return the secrets of a bootstrap without files, whose values are all in Envoy's environment."""
    if options.secret_folder is not None:
        return ()
    own = oauth2.secrets_in_environment(adapters.http_adapters(configuration), options)
    return tuple(secrets.in_environment(name) for name in sorted(options.secrets | own))


def upstreams(configuration: Configuration, options: Options) -> set[clusters.Upstream]:
    """Return all that Atlas connects to: APIs, and where keys and tokens are."""
    own = () if options.stand_in is not None else _apis(adapters.served(configuration))
    return {*own, *_keys(configuration, options), *_endpoints(configuration, options)}


def _apis(served: Iterable[Adapter]) -> set[clusters.Upstream]:
    return {upstream for adapter in served for upstream in adapters.kind_of(adapter).upstreams(adapter)}


def _keys(configuration: Configuration, options: Options) -> set[clusters.Upstream]:
    return {
        clusters.Upstream(split(provider.public_key)[0], own=True)
        for provider in configuration.identity_providers
        if jwt.is_fetched(provider.public_key, options)
    }


def _endpoints(configuration: Configuration, options: Options) -> set[clusters.Upstream]:
    return {
        endpoint
        for adapter in adapters.served(configuration)
        for endpoint in adapters.kind_of(adapter).endpoints(adapter, options)
        if options.stand_in is None
    }


def _clusters(configuration: Configuration, options: Options) -> Iterator[Json]:
    served = adapters.served(configuration)
    # Without proxies all hosts with a name share clusters, and any of them stands for the others.
    apis = {upstream.by(options) for upstream in _apis(served if options.proxies else distinct(served))}
    all_of_them = sorted(apis | _keys(configuration, options) | _endpoints(configuration, options))
    # Any upstream of a name stands for all of them.
    for _, upstream in sorted({upstream.name: upstream for upstream in all_of_them}.items()):
        cluster = clusters.cluster(upstream, options)
        stand_in = options.stand_in if upstream in apis else None
        yield cluster if stand_in is None else at_stand_in(cluster, upstream, stand_in)


def problems(configuration: Configuration, options: Options) -> list[Problem]:
    """Return what Envoy accepts in silence and then does wrong: all of it, in the order of the configuration.

    `mom.atlas.validate` reports most of it earlier and in more detail; here it is the last check before a credential is
    at stake, so it is complete on its own.
    """
    served = adapters.served(configuration)
    of_each = _problems_of_each(served)
    wrong = [problem for _, found in of_each for problem in found]
    wrong += _duplicates(served)
    # One whose base URL is wrong has no upstream to ask.
    for adapter in (adapter for adapter, found in of_each if options.proxies and not found):
        if any(_needs_a_proxy(upstream, options) for upstream in adapters.kind_of(adapter).upstreams(adapter)):
            message = f"{adapter.name}: HTTP/2 with prior knowledge does not pass a proxy"
            wrong.append(problem_of(adapter.place, "proxy", message, hint="write `proxy: none`, or set NO_PROXY"))
    for provider in configuration.identity_providers:
        wrong += _provider_problems(provider, options)
    if not configuration.identity_providers and options.local_key is None:
        message = "no identity provider and no local key: every request would be rejected"
        wrong.append(problem_of(configuration.place, "no-identity-provider", message))
    return wrong


def _problems_of_each(served: Sequence[Adapter]) -> list[tuple[Adapter, list[Problem]]]:
    """Return adapters with what is wrong with each; where nothing is, one of each form stands for all of it."""
    few = map(longest, distinct(served))
    if not any(list(adapters.kind_of(adapter).problems(adapter)) for adapter in few):
        return [(adapter, []) for adapter in served]
    return [(adapter, list(adapters.kind_of(adapter).problems(adapter))) for adapter in served]


def _needs_a_proxy(upstream: clusters.Upstream, options: Options) -> bool:
    return upstream.http2 and (upstream.origin, upstream.proxy) in options.proxies


def _duplicates(served: tuple[Adapter, ...]) -> Iterator[Problem]:
    # Of two routes with one path Envoy takes the first and never mentions the second.
    seen: dict[tuple[str, str], Place] = {}
    for adapter in served:
        identity = (adapter.kind, adapter.name)
        if identity in seen:
            message = f"duplicate {adapter.kind} adapter `{adapter.name}`"
            related = ((seen[identity], "the first one"),)
            yield problem_of(adapter.place, "duplicate-name", message, related=related)
        seen.setdefault(identity, adapter.place)


def _provider_problems(provider: IdentityProvider, options: Options) -> Iterator[Problem]:
    # Envoy does not check an audience or an issuer that is not given.
    for word, value in (("audience", provider.audience), ("issuer", provider.issuer)):
        if not value.strip():
            message = f"the identity provider {provider.name} has no {word}: a token for any {word} would pass"
            yield problem_of(provider.place, "missing-key", message, hint=f"add `{word}:`")
    reason: str | None = check_public_key(provider.public_key)
    if reason is None and not jwt.is_fetched(provider.public_key, options):
        reason = _keys_objection(provider.public_key, options)
    if reason:
        message = f"the publicKey of the identity provider {provider.name}: {reason}"
        yield problem_of(provider.place, "public-key", message)


def _keys_objection(name: str, options: Options) -> str | None:
    if name not in options.jwks:
        return f"{name} was not read"
    try:
        refused = judge(options.jwks[name]).refused
    except JwksError as error:
        return f"{name} {error}"
    return f"{name}: {refused[0]}" if refused else None
