"""What is wrong with an adapter's variables before anything is sent. No value is ever repeated."""

from __future__ import annotations

from mom.atlas.model import Adapter
from mom.atlas.rules.variable_rules import Environment, doubtful_variables, uses, variable_names, variable_problem
from mom.check.result import Failure, Stage


def missing(adapter: Adapter, environment: Environment) -> Failure | None:
    """Return the failure of an adapter one of whose variables is unset or cannot be sent."""
    for use in uses([adapter]):
        if problem := variable_problem(use, environment):
            return Failure(Stage.VARIABLE, problem.message, problem.hint)
    return None


def unlikely(adapter: Adapter, environment: Environment) -> Failure | None:
    """Return the failure of an adapter whose credential has a form that its API does not accept."""
    variables = {name: environment.value(name) or "" for name in variable_names([adapter])}
    for problem in doubtful_variables([adapter], variables):
        hint = f"{problem.hint}; " if problem.hint else ""
        return Failure(Stage.CREDENTIAL, problem.message, f"{hint}nothing was sent; --send-anyway sends it as it is")
    return None
