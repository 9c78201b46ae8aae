"""Rules about who may do what, in words for a reviewer, and whether a change of them lets more pass. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from mom.atlas.policy import AllowList, Claim, Entry, path_matches

EVERYTHING = "all callers, all methods"


def allowed(allow: AllowList | None) -> str:
    """Return whose requests pass a list: `all callers, GET of /models`; without a list, all."""
    return EVERYTHING if allow is None else "; or ".join(map(_entry, allow.entries))


def demanded(claims: Sequence[Claim]) -> str:
    """Return what tokens must say: `groups platform and env prod`."""
    return " and ".join(f"{claim.name} {' or '.join(map(str, claim.values))}" for claim in claims)


def _entry(entry: Entry) -> str:
    callers = f"callers with {demanded(entry.claims)}" if entry.claims else "all callers"
    methods = ", ".join(entry.methods) or "all methods"
    paths = f" of {', '.join(entry.paths)}" if entry.paths else ""
    return f"{callers}, {methods}{paths}"


def opens(old: AllowList | None, new: AllowList | None) -> bool:
    """Whether requests may pass `new` that did not pass `old`: where that is not certain, yes."""
    if old is None or new is None:
        return old is not None
    return not all(any(_covers(before, entry) for before in old.entries) for entry in new.entries)


def opens_claims(old: Sequence[Claim], new: Sequence[Claim]) -> bool:
    """Whether tokens that `old` refused may fit `new`."""
    return not all(any(_implies(claim, before) for claim in new) for before in old)


def _covers(old: Entry, new: Entry) -> bool:
    """Whether all that matches `new` matches `old`."""
    methods = not old.methods or (bool(new.methods) and set(new.methods) <= set(old.methods))
    paths = not old.paths or (
        bool(new.paths) and all(any(_path_covers(wide, path) for wide in old.paths) for path in new.paths)
    )
    return methods and paths and not opens_claims(old.claims, new.claims)


def _path_covers(old: str, new: str) -> bool:
    if old == new or ("*" not in new and path_matches(old, new)):
        return True
    before = old.removesuffix("**")
    return before != old and "*" not in before and new.startswith(before)


def _implies(new: Claim, old: Claim) -> bool:
    """Whether a token that fits `new` fits `old`: the same claim, and no other values. `1` is not `true`."""
    values = [(isinstance(value, bool), value) for value in old.values]
    return new.path == old.path and all((isinstance(value, bool), value) in values for value in new.values)
