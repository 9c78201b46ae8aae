"""The option --profile of add-aws-adapter and add-postgres-adapter: a name, and a variable for each credential."""

from __future__ import annotations

from collections.abc import Sequence

from mom.atlas.values.names import check_adapter_name
from mom.cli.variable_options import read_variable
from mom.errors import UsageError

# The key of a credential, and what it is in a message.
Credential = tuple[str, str]


def read_profiles(
    given: Sequence[str], credentials: Sequence[Credential], optional: Sequence[Credential], form: str
) -> dict[str, dict[str, str]]:
    """Return the profiles of `--profile NAME,VARIABLE…`: by name, the variable of each credential by its key.

    credentials: those that a profile needs, in the order of the option; `optional` may follow. form: what the option
    takes, for a hint. Raises UsageError, or MomError for a credential that is written out.
    """
    profiles: dict[str, dict[str, str]] = {}
    known = (*credentials, *optional)
    for text in given:
        name, *values = (part.strip() for part in text.split(","))
        if not len(credentials) <= len(values) <= len(known):
            few = len(values) < len(credentials)
            problem = "is not complete" if few else "has too many parts"
            shown = f"the profile {name}" if not check_adapter_name(name) else "the profile"
            raise UsageError(f"--profile: {shown} {problem}", hint=f"write it as {form}")
        if wrong := check_adapter_name(name):
            raise UsageError(f"--profile: {wrong.message}", hint=wrong.hint)
        if name in profiles:
            raise UsageError(f"--profile: the profile {name} is given twice", hint="give each profile once")
        profiles[name] = {
            key: read_variable("--profile", f"{what} of profile {name}", value)
            for (key, what), value in zip(known, values, strict=False)
        }
    return profiles
