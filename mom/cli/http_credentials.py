"""The options --basic-auth and --query of add-http-adapter: credentials that are not a header's value."""

from __future__ import annotations

from collections.abc import Sequence

from mom.atlas.values.headers import check_header_value
from mom.atlas.values.secrets import literal_credential, plain_parameter
from mom.errors import MomError, UsageError


def read_basic_auth(text: str, *, allow_literal_secret: bool) -> tuple[str, str]:
    """Return user name and password of `--basic-auth USER:PASSWORD`, split at the first colon, as curl's -u does.

    Raises UsageError for a value that cannot be used, MomError for a password that is written out.
    """
    username, colon, password = text.partition(":")
    if not colon:
        hint = "write --basic-auth '${{ USER }}:${{ PASSWORD }}'; a colon at the end leaves the password empty"
        raise UsageError("--basic-auth: there is no colon after the user name", hint=hint)
    for part in (username, password):
        if wrong := check_header_value(part):
            raise UsageError(f"--basic-auth: {wrong.message}", hint=wrong.hint)
    if password and not allow_literal_secret and (reason := literal_credential("password", password)):
        raise MomError(
            f"--basic-auth: {reason}",
            hint="name a variable: --basic-auth 'USER:${{ PASSWORD }}' (or --allow-literal-secret)",
        )
    return username, password


def read_query(given: Sequence[str], *, allow_literal_secret: bool) -> tuple[tuple[str, str], ...]:
    """Return the parameters of each `--query NAME=VALUE`, neither encoded.

    Raises UsageError for a value that cannot be used, MomError for a credential that is written out.
    """
    parameters: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name or not value:
            raise UsageError("--query: write a parameter as 'NAME=VALUE'", hint="--query 'key=${{ EXAMPLE_KEY }}'")
        for part in (name, value):
            if wrong := check_header_value(part):
                raise UsageError(f"--query {name}: {wrong.message}", hint=wrong.hint)
        if name in parameters:
            raise UsageError(f"--query: the parameter {name} is given twice", hint="give each parameter once")
        if not allow_literal_secret and plain_parameter(name, value) is not None:
            hint = f"name a variable: --query '{name}=${{{{ EXAMPLE_KEY }}}}' (or --allow-literal-secret)"
            raise MomError(f"--query: the parameter {name} is a plain-text credential", hint=hint)
        parameters[name] = value
    return tuple(parameters.items())
