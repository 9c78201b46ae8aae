"""What is said of an edit that adds an adapter of another kind than HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mom.atlas.adapters.profiles import ProfileSpec
from mom.atlas.edit.result import Action, Edit
from mom.atlas.edit.spec import AdapterSpec
from mom.cli.editing import ADD, Description, EditOptions, run_command_hint
from mom.cli.undo import undo_add


def describe(
    edit: Edit,
    adapter: AdapterSpec,
    options: EditOptions,
    *,
    variables: Sequence[str] = (),
    report: Mapping[str, Any] | None = None,
    items: str = "",
) -> Description:
    """Return the description of an edit that adds `adapter`, or `items` of its list to one that the file has.

    variables: those that the adapter names. report: what the JSON report says of it beside its kind and name.
    """
    what = f"{adapter.kind.kind} adapter {adapter.name}"
    parts = {Action.COMPLETED: f"the missing part of {what}", Action.CHANGED: f"{items} of {what}"}
    served = _is_served(adapter)
    set_first = f"set {', '.join(variables)} where Atlas runs" if variables else None
    return Description(
        verb=ADD,
        what=parts.get(edit.action, what),
        unchanged=f"{what} is already configured",
        report={
            "adapter": {"kind": adapter.kind.kind, "name": adapter.name, **(report or {})},
            "environment": list(variables),
        },
        notes=() if served else (f"mom atlas run does not serve {adapter.kind.kind} adapters yet",),
        next_step=run_command_hint(variables, options) if served else set_first,
        undo=undo_add(edit, adapter.kind.kind, adapter.name, options.file),
    )


def describe_profiles(edit: Edit, adapter: ProfileSpec, options: EditOptions) -> Description:
    """Return the description of an edit that adds profiles, with the adapter or to it."""
    names = list(adapter.profiles)
    used = (variable for variables in adapter.profiles.values() for variable in variables.values())
    return describe(
        edit,
        adapter,
        options,
        variables=list(dict.fromkeys(used)),
        report={"profiles": names},
        items=f"profile {names[0]}" if len(names) == 1 else "the missing profiles",
    )


def _is_served(adapter: AdapterSpec) -> bool:
    from mom.envoy.adapters import KINDS

    return adapter.kind.kind in KINDS
