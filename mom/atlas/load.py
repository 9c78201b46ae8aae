"""From a file to the values of `mom.atlas.model`."""

from __future__ import annotations

from mom.atlas.documents import DataDocument, items_at, read, text_at, value_at
from mom.atlas.kinds import ATLAS, HTTP
from mom.atlas.model import Configuration, Header, HttpAdapter, IdentityProvider, OtherAdapter
from mom.atlas.rules.document_rules import identity_providers
from mom.atlas.rules.stream_rules import NAME, references_of
from mom.atlas.validate import check
from mom.errors import MomError
from mom.gateway import MAX_LIFETIME_SECONDS
from mom.problems import Problem, Severity
from mom.yamledit.parser import collector_paused
from mom.yamledit.source import Source


def load(source: Source) -> Configuration:
    """Return the configuration in `source`.

    Raises MomError with every problem of the file, warnings included, where one of them is an error.
    """
    return load_with_warnings(source)[0]


@collector_paused()
def load_with_warnings(source: Source) -> tuple[Configuration, tuple[Problem, ...]]:
    """Return the configuration in `source` with what `validate` warns of; raises as `load` does."""
    problems, typed = check(read(source))
    errors = sum(problem.severity is Severity.ERROR for problem in problems)
    if errors:
        raise MomError(f"{source.name} has {errors} error{'s' if errors > 1 else ''}", problems=problems)
    (atlas,) = (document for document, kind in typed if kind == ATLAS)
    adapters = {(kind.kind, document.name): document for document, kind in typed if kind is not None}
    http: list[HttpAdapter] = []
    others: list[OtherAdapter] = []
    for reference in references_of(atlas):
        document = adapters[reference.identity]
        if reference.kind == HTTP.kind:
            http.append(_http_adapter(document))
        else:
            others.append(OtherAdapter(reference.kind, reference.name, document.place(NAME)))
    configuration = Configuration(
        file=source.name,
        name=atlas.name or "",
        owner=text_at(atlas.data, "spec", "owner"),
        identity_providers=_identity_providers(atlas),
        http_adapters=tuple(http),
        other_adapters=tuple(others),
        ingress_http_port=_port(atlas, "ingressHttpPort"),
        admin_port=_port(atlas, "adminPort"),
        place=atlas.place(NAME),
    )
    return configuration, tuple(problems)


def _http_adapter(document: DataDocument) -> HttpAdapter:
    headers = tuple(
        Header(text_at(header, "name") or "", text_at(header, "value") or "", document.place((*path, "name")))
        for path, header in items_at(document.data, "spec", "headers")
    )
    base_url = text_at(document.data, "spec", "baseUrl") or ""
    return HttpAdapter(document.name or "", base_url, headers, document.place(NAME))


def _identity_providers(atlas: DataDocument) -> tuple[IdentityProvider, ...]:
    providers = []
    for path, provider in identity_providers(atlas.data):
        found = atlas.tree.nearest(path)
        public_key, audience, issuer = (text_at(provider, key) or "" for key in ("publicKey", "audience", "issuer"))
        place = atlas.source.place((found.key or found.value).start)
        given = text_at(provider, "maxLifetime")
        lifetime = MAX_LIFETIME_SECONDS if given is None else _seconds(given)
        providers.append(IdentityProvider(str(path[-1]), public_key, audience, issuer, place, lifetime))
    return tuple(providers)


def _seconds(duration: str) -> int:
    """Return the seconds of a duration that the schema accepts, such as `15m`."""
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3_600, "d": 86_400}[duration[-1]]


def _port(atlas: DataDocument, name: str) -> int | None:
    port = value_at(atlas.data, "spec", "exposedPorts", name)
    return int(port) if isinstance(port, int | float) else None
