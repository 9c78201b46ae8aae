"""The edit that adds an adapter of another kind than HTTP, and what is reported of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mom.atlas.adapters.profiles import ProfileSpec
from mom.atlas.edit.add import add_adapter
from mom.atlas.edit.result import Action, Edit
from mom.atlas.edit.spec import AdapterSpec
from mom.cli.editing import ADD, Description, run_command_hint, run_edit
from mom.cli.options import WriteOptions
from mom.cli.undo import undo_add
from mom.errors import ExitStatus


def run_addition(
    adapter: AdapterSpec,
    options: WriteOptions,
    *,
    variables: Sequence[str] = (),
    report: Mapping[str, Any] | None = None,
    items: str = "",
) -> ExitStatus:
    """Add `adapter`, or `items` of its list to one that the file has, and report. Returns the exit status.

    variables: those that the adapter names. report: what the JSON report says of it beside its kind and name.
    Raises MomError where the file cannot be edited.
    """
    return run_edit(
        options,
        lambda source: add_adapter(source, adapter),
        lambda edit: _describe(edit, adapter, options, variables=variables, report=report or {}, items=items),
    )


def run_profile_addition(adapter: ProfileSpec, options: WriteOptions) -> ExitStatus:
    """Add profiles, with their adapter or to it, and report. Returns the exit status, raises as `run_addition`."""
    names = list(adapter.profiles)
    used = (variable for variables in adapter.profiles.values() for variable in variables.values())
    return run_addition(
        adapter,
        options,
        variables=list(dict.fromkeys(used)),
        report=adapter.reported(),
        items=f"profile {names[0]}" if len(names) == 1 else "the missing profiles",
    )


def _describe(
    edit: Edit,
    adapter: AdapterSpec,
    options: WriteOptions,
    *,
    variables: Sequence[str],
    report: Mapping[str, Any],
    items: str,
) -> Description:
    what = f"{adapter.kind.kind} adapter {adapter.name}"
    parts = {Action.COMPLETED: f"the missing part of {what}", Action.CHANGED: f"{items} of {what}"}
    served = _is_served(adapter)
    set_first = f"set {', '.join(variables)} where Atlas runs" if variables else None
    return Description(
        verb=ADD,
        what=parts.get(edit.action, what),
        unchanged=f"{what} is already configured",
        report={
            "adapter": {"kind": adapter.kind.kind, "name": adapter.name, **report},
            "environment": list(variables),
        },
        notes=() if served else (f"mom atlas run does not serve {adapter.kind.kind} adapters yet",),
        next_step=run_command_hint(variables, options) if served else set_first,
        undo=undo_add(edit, adapter.kind.kind, adapter.name, options.file),
    )


def _is_served(adapter: AdapterSpec) -> bool:
    from mom.envoy.adapters import KINDS

    return adapter.kind.kind in KINDS
