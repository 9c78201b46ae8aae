"""Completion of `mom` in a shell: its script, where it is installed, and what can follow `mom curl`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from mom.console import Console
from mom.errors import MomError, UsageError
from mom.files import reason_of

_VARIABLE = "_MOM_COMPLETE"


class Shell(StrEnum):
    """The shells with a completion script."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def shell_named(text: str) -> Shell:
    """Return the shell of that name; raises UsageError for another."""
    try:
        return Shell(text.lower())
    except ValueError:
        known = ", ".join(shell.value for shell in Shell)
        raise UsageError(f"no completion for {text!r}", hint=f"supported shells: {known}") from None


def script(shell: Shell) -> str:
    """Return the script that a shell runs to complete `mom`."""
    from typer._completion_shared import get_completion_script

    return get_completion_script(prog_name="mom", complete_var=_VARIABLE, shell=shell.value) + "\n"


def install(shell: Shell, console: Console, environ: Mapping[str, str]) -> None:
    """Write the script where the shell looks for it. No start-up file of the shell is changed.

    Raises MomError if the file cannot be written.
    """
    path, note = _place(shell, environ)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script(shell), encoding="utf-8")
    except OSError as error:
        hint = f"write it elsewhere: mom --show-completion {shell.value} > FILE"
        raise MomError(f"cannot write {path}: {reason_of(error)}", hint=hint) from None
    console.status("Installed", f"{path}; new shells use it")
    console.hint(note)


def _place(shell: Shell, environ: Mapping[str, str]) -> tuple[Path, str]:
    """Return the file that `shell` reads, and what else it needs."""
    home = environ.get("HOME")
    if not home:
        hint = f"write it to a file: mom --show-completion {shell.value} > FILE"
        raise MomError("HOME is not set: cannot choose where to install the completion", hint=hint)
    if shell is Shell.BASH:
        data = environ.get("XDG_DATA_HOME") or f"{home}/.local/share"
        user = environ.get("BASH_COMPLETION_USER_DIR") or f"{data}/bash-completion"
        path = Path(user) / "completions" / "mom"
        return path, f"it needs the package bash-completion; without it, add to ~/.bashrc: source {path}"
    if shell is Shell.FISH:
        config = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
        return Path(config) / "fish" / "completions" / "mom.fish", "nothing else is needed"
    return Path(home) / ".zfunc" / "_mom", "add to ~/.zshrc: fpath+=~/.zfunc; autoload -Uz compinit; compinit"


def curl_words(incomplete: str) -> list[tuple[str, str]]:
    """Return what can follow in `mom curl`: the paths of adapters, mom's options, curl's long options."""
    from mom.curl.options import OPTIONS, OWN

    if incomplete.startswith("-"):
        own = [(f"--{name}", "of mom") for name in OWN]
        curls = [(f"--{name}", "of curl") for name in sorted(OPTIONS)] if len(incomplete) > 2 else []
        return [(word, meaning) for word, meaning in own + curls if word.startswith(incomplete)]
    return [(word, meaning) for word, meaning in _adapter_paths() if word.startswith(incomplete)]


def _adapter_paths() -> list[tuple[str, str]]:
    """Return the adapters' paths and base URLs, from the configuration that commands find here if it is valid."""
    from mom.cli.local_adapters import local_adapters
    from mom.gateway import HTTP_PREFIX

    return [(f"{HTTP_PREFIX}{name}/", base_url) for name, base_url in local_adapters().items()]


def adapter_names(incomplete: str) -> list[str]:
    """Return the names of adapters that begin so, from the configuration that commands find here if it is valid."""
    import os

    from mom.atlas.load import load
    from mom.cli.configuration_file import locate, read_source

    try:
        configuration = load(read_source(locate(os.environ)))
    except MomError:
        return []
    return [name for name in dict.fromkeys(each.name for each in configuration.adapters) if name.startswith(incomplete)]
