"""What differs between two plans, in a few words for each difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from mom.atlas.adapters import kind_of
from mom.atlas.adapters.http import HttpAdapter
from mom.atlas.model import Adapter
from mom.atlas.policy import rules_of
from mom.atlas.references import NAME as VARIABLE_NAME
from mom.atlas.rules.variable_rules import names_in, variable_names
from mom.envoy.adapters import served
from mom.envoy.options import Options
from mom.lists import some
from mom.run.plan import Plan

# More names than this would push everything else off a screen.
NAMES_SHOWN = 20
# The name of a change by which no other requests are let in than before.
STATE_OF_KEYS = "state of keys"
STATE_OF_CREDENTIALS = "state of credentials"
# Of programs that come and go.
EPHEMERAL_KEYS = "keys of mom exec"
# No change but that the same may be in another order.
NONE = ("order",)
# What is not reported.
QUIET = frozenset({STATE_OF_KEYS, EPHEMERAL_KEYS})


def changes(old: Plan, new: Plan) -> tuple[str, ...]:
    """Return what differs, a few words each: `+ openai`, `- github`, `~ slack: base URL`, `variables: X`, `name`."""
    before, after = _apart(old, new)
    words = [f"+ {after[key].name}" for key in after if key not in before]
    words += [f"- {before[key].name}" for key in before if key not in after]
    for key, adapter in after.items():
        if key in before and (differences := kind_of(adapter).differences(before[key], adapter)):
            words.append(f"~ {adapter.name}: {' and '.join(differences)}")
    was, is_now = ({**plan.secrets, **plan.variables} for plan in (old, new))
    # What is derived from variables for Envoy alone has another kind of name.
    changed = [name for name, value in is_now.items() if was.get(name, value) != value and VARIABLE_NAME.match(name)]
    words += [f"variables: {some(changed, NAMES_SHOWN)}"] if changed else []
    words += [words_of for words_of, (first, second) in _rest(old, new).items() if first != second]
    if not words and old.options.credential_states != new.options.credential_states:
        words = [STATE_OF_CREDENTIALS]
    if not words and old.options.key_states != new.options.key_states:
        words = [STATE_OF_KEYS]
    return tuple(words) or NONE


def unproven(old: Plan, new: Plan) -> Plan:
    """Return `new` without the adapters of which Envoy accepts the same in `old`: what is left may be refused.

    All of it where something differs that goes into the routes of each adapter. What Envoy makes of an adapter does not
    depend on the others; were it to refuse all of them together, it would go on with what it has.
    """
    if len(new.configuration.adapters) <= new.options.tree_above or _for_all(old, new.options) != new.options:
        return new
    if rules_of(old.configuration.allow) != rules_of(new.configuration.allow):
        return new
    before, after = _apart(old, new)
    differing = {
        id(adapter)
        for key, adapter in after.items()
        if key not in before or kind_of(adapter).differences(before[key], adapter)
    }
    # The value of a variable is put into a route in another way where it is found in a file.
    moved = old.options.secrets ^ new.options.secrets
    left = [
        adapter
        for adapter in served(new.configuration)
        if not isinstance(adapter, HttpAdapter)
        or id(adapter) in differing
        or (moved and not moved.isdisjoint(names_in(adapter)))
    ]
    options = replace(new.options, secrets=new.options.secrets.intersection(variable_names(left)))
    return replace(new, configuration=new.configuration._replace(adapters=tuple(left)), options=options)


def _for_all(old: Plan, new: Options) -> Options:
    """Return the options of `old` with those of `new` that no route of an adapter depends on."""
    return replace(
        old.options,
        jwks=new.jwks,
        key_states=new.key_states,
        local_key=new.local_key,
        ephemeral_keys=new.ephemeral_keys,
        credential_states=new.credential_states,
        # Of each variable by itself (`unproven`).
        secrets=new.secrets,
    )


def _apart(old: Plan, new: Plan) -> Iterator[dict[tuple[str, str], Adapter]]:
    """Yield the adapters of each plan by kind and name, without those that are the same in both: of many nearly all."""
    adapters = [served(plan.configuration) for plan in (old, new)]
    # Of an adapter of a form what is known of it stays the same object where its place is another.
    known = [[id(getattr(adapter, "known", None) or adapter) for adapter in each] for each in adapters]
    same = set(known[0]).intersection(known[1])
    for each, ids in zip(adapters, known, strict=True):
        yield {(adapter.kind, adapter.name): adapter for adapter, own in zip(each, ids, strict=True) if own not in same}


def _rest(*plans: Plan) -> dict[str, tuple[object, ...]]:
    """Return all that is not an adapter or a variable, for each plan, by the words for it."""

    def of_each(part: Callable[[Plan], object]) -> tuple[object, ...]:
        return tuple(part(plan) for plan in plans)

    return {
        "identity providers": of_each(
            lambda plan: [
                (provider.public_key, provider.audience, provider.issuer, provider.max_lifetime, provider.claims)
                for provider in plan.configuration.identity_providers
            ]
        ),
        "allow": of_each(lambda plan: rules_of(plan.configuration.allow)),
        "keys": of_each(lambda plan: (plan.options.jwks, plan.options.local_key and plan.options.local_key.jwks)),
        EPHEMERAL_KEYS: of_each(lambda plan: plan.options.ephemeral_keys and plan.options.ephemeral_keys.jwks),
        "web pages that may call": of_each(lambda plan: plan.configuration.cors),
        "certificate": of_each(lambda plan: plan.options.tls),
        "files of TLS settings": of_each(lambda plan: plan.options.pem_files),
        "name": of_each(lambda plan: (plan.configuration.name, plan.configuration.owner)),
        "metrics": of_each(lambda plan: plan.options.metrics),
        f"listening at {plans[-1].url}": of_each(lambda plan: plan.options.listen),
    }
