"""From a file to the values of `mom.atlas.model`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mom.atlas.access import read_allow, read_claims
from mom.atlas.adapters import KINDS
from mom.atlas.documents import DataDocument, read, text_at, texts_at, value_at
from mom.atlas.forms import Forms, KnownDocument
from mom.atlas.kinds import ATLAS
from mom.atlas.model import Adapter, Configuration, IdentityProvider
from mom.atlas.rules.document_rules import identity_providers
from mom.atlas.rules.stream_rules import NAME, Typed, adapters_of, identities_of
from mom.atlas.validate import check
from mom.atlas.values.durations import seconds
from mom.errors import MomError
from mom.gateway import MAX_LIFETIME_SECONDS
from mom.problems import Problem, Severity
from mom.yamledit.parser import collector_paused
from mom.yamledit.source import Source

# What keeps a configuration from being served, and from nothing else: one that is not filled in yet can be read, listed
# and compared. `mom.run.plan` refuses it.
_ABOUT_SERVING = frozenset({"placeholder-provider"})


def load(source: Source) -> Configuration:
    """Return the configuration in `source`.

    Raises MomError with every problem of the file, warnings included, where one of them is an error.
    """
    return load_with_warnings(source)[0]


@collector_paused()
def load_with_warnings(source: Source, forms: Forms | None = None) -> tuple[Configuration, tuple[Problem, ...]]:
    """Return the configuration in `source` with the problems that do not keep it from being read; raises as `load`.

    forms: those of the file as it was read before.
    """
    forms = forms or Forms()
    forms.begin()
    problems, typed = check(read(source, forms), forms)
    if is_unreadable(problems):
        errors = sum(problem.severity is Severity.ERROR for problem in problems)
        raise MomError(f"{source.name} has {errors} error{'s' if errors > 1 else ''}", problems=problems)
    return configuration_of(source.name, typed), tuple(problems)


def is_unreadable(problems: Iterable[Problem]) -> bool:
    """Whether one of the problems keeps a configuration from being read."""
    return any(problem.severity is Severity.ERROR and problem.rule not in _ABOUT_SERVING for problem in problems)


def configuration_of(file: str, typed: Sequence[Typed]) -> Configuration:
    """Return the configuration that the documents of a stream without errors are; `file` is its name."""
    (atlas,) = (document for document, kind in typed if kind == ATLAS)
    documents = adapters_of(typed)
    return Configuration(
        file=file,
        name=atlas.name or "",
        owner=text_at(atlas.brief, "spec", "owner"),
        identity_providers=_identity_providers(atlas),
        adapters=tuple([_adapter(identity[0], documents[identity]) for identity in identities_of(atlas)]),
        ingress_http_port=_port(atlas, "ingressHttpPort"),
        admin_port=_port(atlas, "adminPort"),
        place=atlas.place(NAME),
        allow=read_allow(atlas, "spec.allow"),
        cors=texts_at(atlas.brief, "spec", "cors", "origins"),
    )


def _adapter(kind: str, document: DataDocument) -> Adapter:
    return document.adapter() if isinstance(document, KnownDocument) else KINDS[kind].read(document)


def _identity_providers(atlas: DataDocument) -> tuple[IdentityProvider, ...]:
    providers = []
    for path, provider in identity_providers(atlas.brief):
        public_key, audience, issuer = (text_at(provider, key) or "" for key in ("publicKey", "audience", "issuer"))
        place = atlas.key_place(path)
        given = text_at(provider, "maxLifetime")
        lifetime = MAX_LIFETIME_SECONDS if given is None else seconds(given)
        claims = read_claims(value_at(provider, "claims"))
        providers.append(IdentityProvider(str(path[-1]), public_key, audience, issuer, place, lifetime, claims))
    return tuple(providers)


def _port(atlas: DataDocument, name: str) -> int | None:
    port = value_at(atlas.brief, "spec", "exposedPorts", name)
    return int(port) if isinstance(port, int | float) else None
