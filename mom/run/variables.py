"""The environment of Envoy: the variables that it gets to see, and dummies for a run with stand-ins."""

from __future__ import annotations

from collections.abc import Mapping

from mom.atlas.model import Configuration
from mom.atlas.rules.variable_rules import uses
from mom.envoy import adapters
from mom.envoy.adapters import served

# What Envoy itself may need; everything else of the environment stays out of its process.
_PASSED = ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")


def dummies(configuration: Configuration) -> dict[str, str]:
    """Return each variable that `configuration` names with a value that says which it is, and opens nothing."""
    # Only a run with stand-ins has an echo.
    from mom.run.echo import dummy

    given = {use.name: dummy(use.name) for use in uses(served(configuration))}
    return given | adapters.environment(served(configuration), given)


def environment(variables: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the Envoy process: `variables`, and of `environ` only what a program needs to run."""
    return {name: environ[name] for name in _PASSED if name in environ} | dict(variables)
