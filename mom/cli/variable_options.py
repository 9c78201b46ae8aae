"""Names of environment variables as options give them: each becomes a `${{ NAME }}`, so a credential is refused."""

from __future__ import annotations

import re

from mom.atlas.references import NAME, Reference, objection
from mom.errors import MomError, UsageError
from mom.masking import token_shape

# What people write around a name: another tool's reference, a shell's, or the assignment.
_AROUND = re.compile(r"\$\{\{\s*(\w+)\s*\}\}|\$\{?(\w+)\}?|(\w+)=.*", re.DOTALL)
# Shown as it is; anything else may be a credential.
_SHOWN = re.compile(r"[A-Z0-9_.-]{1,40}\Z")
# No person names a variable so: secret access keys of AWS have 40 characters, session tokens hundreds.
_LONG = 32


def read_variable(option: str, what: str, text: str) -> str:
    """Return the name of a variable that an option gives for `what`, such as `the secret access key`.

    Raises UsageError where it is not a name, MomError where it is the credential itself, which is not repeated.
    """
    value = text.strip()
    token = token_shape(value)
    if token is not None or "://" in value or _is_mixed(value):
        raise MomError(
            f"{option}: the value for {what} looks like {token or 'a credential'}: do not commit credentials",
            hint="set it as an environment variable where Atlas runs, and give the variable's name",
        )
    if not value:
        raise UsageError(
            f"{option}: the variable for {what} is missing", hint="give the name of an environment variable"
        )
    if NAME.match(value) is None:
        around = _AROUND.fullmatch(value)
        name = next((part for part in around.groups() if part), None) if around else None
        hint = f"write {name}" if name and NAME.match(name) else "a name has letters, digits and `_`"
        shown = f"`{value}`" if _SHOWN.match(value) else f"the value for {what}"
        raise UsageError(f"{option}: {shown} is not the name of an environment variable", hint=hint)
    if wrong := objection(Reference(value, 0, len(value))):
        raise UsageError(f"{option}: {wrong.message}", hint=wrong.hint)
    return value


def _is_mixed(value: str) -> bool:
    """Whether a text is longer than a name, and mixes what names do not."""
    classes = (str.islower, str.isupper, str.isdigit)
    mixed = all(any(is_of(letter) for letter in value) for is_of in classes)
    return len(value) >= _LONG and mixed and "${" not in value
