"""The variables that a configuration names: which are missing, and which Envoy gets to see.

Envoy sends an unset variable as `-` and skips an empty one, so that the client's own header would go through; a line
end inside one it finds out per request. All of it is refused here, before Envoy starts, and never with the value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mom.atlas.adapters import settings
from mom.atlas.adapters.kind import Setting
from mom.atlas.model import Configuration
from mom.atlas.references import names
from mom.envoy.adapters import served
from mom.errors import MomError
from mom.problems import Problem
from mom.run.echo import dummy

# What Envoy itself may need; everything else of the environment stays out of its process.
_PASSED = ("PATH", "HOME", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")


def values(
    configuration: Configuration, environ: Mapping[str, str], in_file: Mapping[str, str] | None = None, file: str = ""
) -> dict[str, str]:
    """Return each variable that `configuration` names with its value: from `environ`, else from the env file.

    in_file: what the env file says, None if there is none; `file` is its name.
    Raises MomError with a Problem at each setting that names an unset, empty or unsendable one: all of them at once.
    """
    found: dict[str, str] = {}
    problems: list[Problem] = []
    hidden: list[str] = []
    for adapter, setting, name in _uses(configuration):
        value = environ.get(name, (in_file or {}).get(name))
        reason = _objection(value)
        if reason is None:
            found[name] = value or ""
            continue
        if name in environ and not value and (in_file or {}).get(name):
            reason = f"is empty in the environment, which hides the one in {file}"
            hidden.append(name)
        message = f"the variable {name} {reason} ({setting.label} of {adapter})"
        problems.append(Problem(place=setting.place, rule="missing-variable", message=message))
    if problems:
        missing = list(dict.fromkeys(problem.message.split()[2] for problem in problems))
        hint = _hint(missing, hidden, file)
        count = "1 environment variable is" if len(missing) == 1 else f"{len(missing)} environment variables are"
        raise MomError(f"{count} missing or unusable: {', '.join(missing)}", problems=problems, hint=hint)
    return found


def dummies(configuration: Configuration) -> dict[str, str]:
    """Return each variable that `configuration` names with a value that says which it is, and opens nothing."""
    return {name: dummy(name) for _, _, name in _uses(configuration)}


def _hint(missing: list[str], hidden: list[str], file: str) -> str:
    """Return what to type: shells know `export` and `unset`."""
    exports = " ".join(f"{name}=..." for name in missing if name not in hidden)
    steps = [f"unset {' '.join(dict.fromkeys(hidden))}"] if hidden else []
    if exports:
        them = "it" if len(missing) - len(set(hidden)) == 1 else "them"
        steps.append(f"export {exports}, or put {them} in {file or 'a file: --env-file .env'}")
    return "; ".join(steps)


def environment(values: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the Envoy process: `values`, and of `environ` only what a program needs to run."""
    return {name: environ[name] for name in _PASSED if name in environ} | dict(values)


def _uses(configuration: Configuration) -> Iterator[tuple[str, Setting, str]]:
    for adapter in served(configuration):
        for setting in settings(adapter):
            for name in names(setting.value):
                yield adapter.name, setting, name


def _objection(value: str | None) -> str | None:
    if value is None:
        return "is not set"
    if not value.strip():
        return "is empty"
    if any((character < " " and character != "\t") or character == "\x7f" for character in value):
        # RFC 9110, 5.5; a secret read with a trailing line end is the usual case.
        return "holds a line end or another control character"
    return None
