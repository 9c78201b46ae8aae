"""What differs between two plans, in a few words for each difference."""

from __future__ import annotations

from collections.abc import Callable

from mom.atlas.adapters import kind_of
from mom.atlas.policy import rules_of
from mom.atlas.references import NAME as VARIABLE_NAME
from mom.envoy.adapters import served
from mom.lists import some
from mom.run.plan import Plan

# More names than this would push everything else off a screen.
NAMES_SHOWN = 20
# The name of a change by which no other requests are let in than before.
STATE_OF_KEYS = "state of keys"
STATE_OF_CREDENTIALS = "state of credentials"
# Of programs that come and go.
EPHEMERAL_KEYS = "keys of mom exec"
# What is not reported.
QUIET = frozenset({STATE_OF_KEYS, EPHEMERAL_KEYS})


def changes(old: Plan, new: Plan) -> tuple[str, ...]:
    """Return what differs, a few words each: `+ openai`, `- github`, `~ slack: base URL`, `variables: X`, `name`."""
    before, after = (
        {(adapter.kind, adapter.name): adapter for adapter in served(plan.configuration)} for plan in (old, new)
    )
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
    return tuple(words) or ("order",)


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
