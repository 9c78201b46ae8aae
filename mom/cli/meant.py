"""What was probably meant by an option that a command does not have."""

from __future__ import annotations

from collections.abc import Sequence

# What other tools call it; of several the first that the command has.
_SYNONYMS = {
    "--address": ("--listen",),
    "--bind": ("--listen",),
    "--config": ("--file",),
    "--dir": ("--output-dir", "--credentials-dir"),
    "--dotenv": ("--env-file",),
    "--env": ("--env-file",),
    "--gateway": ("--base-url",),
    "--host": ("--listen",),
    "--json": ("--format json",),
    "--out": ("--output-dir",),
    "--port": ("--listen",),
    "--preview": ("--dry-run",),
    "--token": ("--token-file",),
    "-c": ("--file",),
    "-p": ("--listen",),
}


def meant_option(typed: str, known: Sequence[str], close: Sequence[str], *, command: str, files: bool) -> str | None:
    """Return a hint, None where nothing is close.

    known: the options of the command, long and short. close: those of them whose letters are much the same. command:
    how it is called, such as `mom atlas run`. files: whether its arguments are files.
    """
    if files and typed in {"-f", "--file", "--config", "-c"}:
        return f"give the file as an argument: {command} FILE"
    for other in _SYNONYMS.get(typed, ()):
        if other.partition(" ")[0] in known:
            return f"did you mean '{other}'?"
    # A word of a longer name: `--name` for `--adapter-name`.
    words = [name for name in known if typed.removeprefix("--") in name.removeprefix("--").split("-")]
    if len(typed) > 2 and len(words) == 1:
        return f"did you mean '{words[0]}'?"
    if not close:
        return None
    from difflib import SequenceMatcher

    from mom.cli.options import ALIASES

    meant = max(close, key=lambda name: SequenceMatcher(None, typed, name).ratio())
    return f"did you mean '{ALIASES.get(meant, meant)}'?"
