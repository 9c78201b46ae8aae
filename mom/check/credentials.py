"""What is wrong with an adapter's variables before anything is sent. No value is ever repeated."""

from __future__ import annotations

from mom.atlas.model import Adapter
from mom.atlas.rules.variable_rules import doubtful_variables, uses, variable_names
from mom.check.result import Failure, Stage
from mom.run.credentials import Credentials


def missing(adapter: Adapter, credentials: Credentials) -> Failure | None:
    """Return the failure of an adapter one of whose variables is unset or cannot be sent."""
    for use in uses([adapter]):
        if problem := credentials.problem(use):
            return Failure(Stage.VARIABLE, problem.message, problem.hint)
    return None


def unlikely(adapter: Adapter, credentials: Credentials) -> Failure | None:
    """Return the failure of an adapter whose credential has a form that its API does not accept."""
    variables = {name: str(credentials.value(name)) for name in variable_names([adapter])}
    for problem in doubtful_variables([adapter], variables):
        hint = f"{problem.hint}; " if problem.hint else ""
        return Failure(Stage.CREDENTIAL, problem.message, f"{hint}nothing was sent; --send-anyway sends it as it is")
    return None
