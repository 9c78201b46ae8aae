"""What a change of a configuration opens and closes, in words: for the reviewer of its diff.

A line diff shows what was written. Here two configurations are compared by what callers can reach with them, where
each credential is sent, and whose tokens are accepted. Pure; no credential is repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from mom.atlas.adapters import kind_of, settings
from mom.atlas.adapters.kind import Difference
from mom.atlas.model import Adapter, Configuration, IdentityProvider
from mom.atlas.policy import rules_of
from mom.atlas.policy_review import allowed, demanded, opens_claims
from mom.atlas.policy_review import opens as opens_allow
from mom.atlas.references import names
from mom.atlas.rules.variable_rules import variable_names
from mom.atlas.values.hosts import host_of
from mom.problems import Place

ADDED, REMOVED, CHANGED = "+", "-", "~"


@dataclass(frozen=True, slots=True)
class AccessChange:
    """One change: `sign` (`+`, `-` or `~`), what it is about, and the parts of the sentence about it.

    opens: whether more can be reached, or by more callers, or a credential is sent where it was not. warnings: what a
    reviewer must not miss. place: in the new file, None for what is gone.
    """

    sign: str
    subject: str
    parts: tuple[str, ...]
    opens: bool
    warnings: tuple[str, ...] = ()
    place: Place | None = None

    @property
    def text(self) -> str:
        """The line about it: `+ openai: all callers, …`."""
        return f"{self.sign} {self.subject}: {', '.join(self.parts)}"


def access_changes(old: Configuration | None, new: Configuration | None) -> list[AccessChange]:
    """Return what differs between two configurations, None for one that does not exist; nothing where none does."""
    before, after = _adapters(old), _adapters(new)
    known = _hosts_of_variables(before.values())
    changes = [
        *(_added(adapter, known) for identity, adapter in after.items() if identity not in before),
        *(_removed(adapter) for identity, adapter in before.items() if identity not in after),
    ]
    for identity, adapter in after.items():
        if identity in before and (change := _changed(before[identity], adapter, known)) is not None:
            changes.append(change)
    changes += _providers(old, new)
    if new is not None:
        changes += _settings_of_atlas(old, new)
    return changes


def _adapters(configuration: Configuration | None) -> dict[tuple[str, str], Adapter]:
    return {(adapter.kind, adapter.name): adapter for adapter in configuration.adapters} if configuration else {}


def _subject(adapter: Adapter) -> str:
    return kind_of(adapter).subject(adapter)


def _added(adapter: Adapter, known: Mapping[str, set[str]]) -> AccessChange:
    kind = kind_of(adapter)
    variables = variable_names([adapter])
    nothing = f"sends no variables to {host_of(kind.target(adapter)) or adapter.kind}"
    parts = [kind.callers(adapter), _sent(adapter, variables) if variables else nothing]
    differences = list(kind.reviewed(None, adapter))
    parts += [difference.words for difference in differences]
    warnings = [*_moved(adapter, known), *_plain_text(adapter, {}), *_clear_text(adapter, "")]
    warnings += _warned(differences)
    return AccessChange(
        ADDED, _subject(adapter), tuple(parts), opens=True, warnings=tuple(warnings), place=adapter.place
    )


def _removed(adapter: Adapter) -> AccessChange:
    return AccessChange(REMOVED, _subject(adapter), ("no longer reachable",), opens=False)


def _changed(old: Adapter, new: Adapter, known: Mapping[str, set[str]]) -> AccessChange | None:
    kind = kind_of(new)
    was, becomes = (kind.target(adapter) for adapter in (old, new))
    variables_before, variables = variable_names([old]), variable_names([new])
    parts: list[str] = []
    opens = False
    if was != becomes:
        shown_before, shown = (was, becomes) if host_of(was) == host_of(becomes) else (_host(was), _host(becomes))
        parts.append(f"{kind.target_label} {shown_before} -> {shown}")
        opens = not kind.is_narrower(old, new)
        if variables and variables == variables_before:
            parts.append("same credential" if len(variables) == 1 else "same credentials")
    gained = [name for name in variables if name not in variables_before]
    lost = [name for name in variables_before if name not in variables]
    if gained:
        parts.append(_sent(new, gained))
        opens = True
    if lost:
        parts.append(f"no longer sends {', '.join(lost)}")
    differences = list(kind.reviewed(old, new))
    parts += [difference.words for difference in differences]
    opens = opens or any(difference.opens for difference in differences)
    before = {setting.label: setting.value for setting in settings(old)}
    warnings = (*_moved(new, known), *_plain_text(new, before), *_clear_text(new, was), *_warned(differences))
    if not parts:
        return None
    return AccessChange(
        CHANGED, _subject(new), tuple(parts), opens=opens or bool(warnings), warnings=warnings, place=new.place
    )


def _warned(differences: Iterable[Difference]) -> list[str]:
    return [difference.warning for difference in differences if difference.warning]


def _sent(adapter: Adapter, variables: Iterable[str]) -> str:
    """Return the clause about where variables are sent, host by host."""
    kind = kind_of(adapter)
    wanted = set(variables)
    by_host: dict[str, list[str]] = {}
    for setting in settings(adapter):
        for name in names(setting.value):
            of_host = by_host.setdefault(kind.destination(adapter, setting), [])
            if name in wanted and name not in of_host:
                of_host.append(name)
    return "sends " + " and ".join(f"{', '.join(sent)} to {host}" for host, sent in by_host.items() if sent)


def _host(target: str) -> str:
    return host_of(target) or target


def _hosts_of_variables(adapters: Iterable[Adapter]) -> dict[str, set[str]]:
    """Return the hosts that each variable is sent to."""
    hosts: dict[str, set[str]] = {}
    for adapter in adapters:
        for setting in settings(adapter):
            for name in names(setting.value):
                hosts.setdefault(name, set()).add(kind_of(adapter).destination(adapter, setting))
    return hosts


def _moved(adapter: Adapter, known: Mapping[str, set[str]]) -> Iterator[str]:
    """Yield which credentials are sent to a host that they were not sent to before."""
    seen: set[tuple[str, str]] = set()
    for setting in settings(adapter):
        host = kind_of(adapter).destination(adapter, setting)
        for name in names(setting.value):
            if name in known and host not in known[name] and (name, host) not in seen:
                seen.add((name, host))
                yield f"{name} is sent to another host: {host}, so far {', '.join(sorted(known[name]))}"


def _plain_text(adapter: Adapter, before: Mapping[str, str]) -> Iterator[str]:
    """Yield which new settings are credentials in plain text."""
    for setting in settings(adapter):
        if kind_of(adapter).is_plain_credential(setting) and before.get(setting.label) != setting.value:
            yield f"{setting.label} is a credential in plain text"


def _clear_text(adapter: Adapter, was: str) -> Iterator[str]:
    from mom.atlas.values.urls import is_plain_http

    target = kind_of(adapter).target(adapter)
    if is_plain_http(target) and not is_plain_http(was):
        yield f"requests to {host_of(target)} go over plain http: credentials can be read on the way"


def _providers(old: Configuration | None, new: Configuration | None) -> Iterator[AccessChange]:
    before, after = (
        {provider.name: provider for provider in given.identity_providers} if given else {} for given in (old, new)
    )
    for name, provider in after.items():
        if name not in before:
            parts = [f"accepts tokens of {provider.issuer} for {provider.audience}", f"keys from {provider.public_key}"]
            parts += [f"with {demanded(provider.claims)}"] if provider.claims else []
            yield AccessChange(ADDED, _named(name), tuple(parts), opens=True, place=provider.place)
    for name in (name for name in before if name not in after):
        yield AccessChange(REMOVED, _named(name), ("its tokens are no longer accepted",), opens=False)
    for name, provider in after.items():
        if name in before and (change := _changed_provider(before[name], provider)) is not None:
            yield change


def _named(provider: str) -> str:
    return f"identity provider {provider}"


def _changed_provider(old: IdentityProvider, new: IdentityProvider) -> AccessChange | None:
    pairs = {
        "issuer": (old.issuer, new.issuer),
        "audience": (old.audience, new.audience),
        "keys from": (old.public_key, new.public_key),
    }
    parts = [f"{what} {was} -> {becomes}" for what, (was, becomes) in pairs.items() if was != becomes]
    opens = bool(parts)
    if old.max_lifetime != new.max_lifetime:
        parts.append(f"tokens of at most {new.max_lifetime:,} s, so far {old.max_lifetime:,} s")
        opens = opens or new.max_lifetime > old.max_lifetime
    if old.claims != new.claims:
        parts.append(f"tokens with {demanded(new.claims)}" if new.claims else "tokens with any claims")
        opens = opens or opens_claims(old.claims, new.claims)
    return AccessChange(CHANGED, _named(new.name), tuple(parts), opens=opens, place=new.place) if parts else None


def _settings_of_atlas(old: Configuration | None, new: Configuration) -> Iterator[AccessChange]:
    """Yield what holds for all adapters: who may call, from which web pages, and where."""
    before = old.allow if old is not None else None
    if rules_of(before) != rules_of(new.allow):
        place = new.allow.place if new.allow is not None else new.place
        yield AccessChange(
            CHANGED, "spec.allow", (allowed(new.allow),), opens=opens_allow(before, new.allow), place=place
        )
    origins = old.cors if old is not None else ()
    for sign, words, these, those in (
        (ADDED, "may call from a browser", new.cors, origins),
        (REMOVED, "may no longer call from a browser", origins, new.cors),
    ):
        if others := [each for each in these if each not in those]:
            pages = f"web pages of {', '.join(others)} {words}"
            yield AccessChange(sign, "spec.cors", (pages,), opens=sign == ADDED, place=new.place)
    if old is None:
        return
    pairs = {
        "name": (old.name, new.name),
        "owner": (old.owner, new.owner),
        "port": (old.ingress_http_port, new.ingress_http_port),
        "port of metrics": (old.admin_port, new.admin_port),
    }
    parts = tuple(f"{what} {was or '-'} -> {is_ or '-'}" for what, (was, is_) in pairs.items() if was != is_)
    if parts:
        yield AccessChange(CHANGED, "Atlas", parts, opens=False, place=new.place)
