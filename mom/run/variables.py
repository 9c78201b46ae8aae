"""The variables that a configuration names: which are missing, and which Envoy gets to see.

What cannot be sent (`mom.atlas.rules.variable_rules`) is refused before Envoy starts, and never with its value.
"""

from __future__ import annotations

from collections.abc import Mapping

from mom.atlas.model import Configuration
from mom.atlas.rules.variable_rules import Environment, uses, variable_problem
from mom.envoy import adapters
from mom.envoy.adapters import served
from mom.errors import MomError
from mom.problems import Problem

# What Envoy itself may need; everything else of the environment stays out of its process.
_PASSED = ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")


def values(
    configuration: Configuration, environ: Mapping[str, str], in_file: Mapping[str, str] | None = None, file: str = ""
) -> dict[str, str]:
    """Return each variable that `configuration` names with its value: from `environ`, else from the env file.

    With them, what Envoy's process needs of them in another form, by names that are no variables' own.

    in_file: the variables of the env file, None if there is none; `file` is its name.
    Raises MomError with a Problem at each setting that names an unset, empty or unsendable one: all of them at once.
    """
    environment = Environment(environ, in_file, file)
    given: dict[str, str] = {}
    problems: list[Problem] = []
    unusable: dict[str, None] = {}
    for use in uses(served(configuration)):
        if (problem := variable_problem(use, environment)) is None:
            given[use.name] = environment.value(use.name) or ""
        else:
            problems.append(problem)
            unusable[use.name] = None
    if problems:
        count = "1 environment variable is" if len(unusable) == 1 else f"{len(unusable)} environment variables are"
        raise MomError(f"{count} missing or unusable: {', '.join(unusable)}", problems=problems)
    return given | adapters.environment(served(configuration), given)


def dummies(configuration: Configuration) -> dict[str, str]:
    """Return each variable that `configuration` names with a value that says which it is, and opens nothing."""
    # Only a run with stand-ins has an echo.
    from mom.run.echo import dummy

    given = {use.name: dummy(use.name) for use in uses(served(configuration))}
    return given | adapters.environment(served(configuration), given)


def environment(variables: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the Envoy process: `variables`, and of `environ` only what a program needs to run."""
    return {name: environ[name] for name in _PASSED if name in environ} | dict(variables)
