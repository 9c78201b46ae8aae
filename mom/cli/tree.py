"""The command tree. Only the module of the command that runs is imported; help of a group needs none of them.

A group is a table of names; a command is a line in it: where its function is, and its summary.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from mom.cli import help as help_text
from mom.cli.options import ALIASES

if TYPE_CHECKING:
    from typer._click.core import Command, Context

HELP = {"help_option_names": ["-h", "--help"]}
_HELP_OF_HELP = "Show this help."
# A command that removes is never suggested for one that does not, nor the other way round.
_REMOVING = ("remove", "delete", "rm", "del", "drop", "unset")


class Leaf(NamedTuple):
    """A command: `module:function`, a summary of one line, and settings of its context.

    hidden: another name for a command, which works and is in no list. needs_words: alone it shows its help, as a group
    does.
    """

    where: str
    summary: str
    settings: Mapping[str, Any] = MappingProxyType({})
    completes: str | None = None
    hidden: bool = False
    needs_words: bool = False


class Branch(NamedTuple):
    """A group of commands. `around` is called with the context before one of them runs."""

    summary: str
    commands: Mapping[str, Branch | Leaf]
    around: Callable[[Any], None] | None = None

    @property
    def listed(self) -> dict[str, Branch | Leaf]:
        """The commands that help and completion show."""
        return {name: child for name, child in self.commands.items() if isinstance(child, Branch) or not child.hidden}


def paths(branch: Branch, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words that call each command below `branch`."""
    for name, child in branch.listed.items():
        if isinstance(child, Branch):
            yield from paths(child, (*before, name))
        else:
            yield (*before, name)


class MomCommand(TyperCommand):
    """A command that prints its help in mom's form."""

    def format_help(self, ctx: Context, formatter: Any) -> None:
        """Write the help into `formatter`."""
        formatter.write(help_text.render(self, ctx))

    def get_help_option(self, ctx: Context) -> Any:
        """Return the option that shows the help, worded as the rest is."""
        return _worded(super().get_help_option(ctx))

    def make_parser(self, ctx: Context) -> Any:
        """Return the parser of the options, which takes each by its aliases too."""
        parser: Any = super().make_parser(ctx)
        # Where it would be the beginning of another option, a former name is not taken: that one is meant.
        own = [option for parameter in self.params for option in parameter.opts]
        usable = {alias: name for alias, name in ALIASES.items() if not any(each.startswith(alias) for each in own)}
        for parameter in self.params:
            if aliases := [alias for alias, name in usable.items() if name in parameter.opts]:
                parser.add_option(obj=parameter, opts=aliases, dest=parameter.name)
        return parser


class CompletingCommand(MomCommand):
    """A command with its own completion, for what is not in its signature."""

    completer: Callable[[str], list[tuple[str, str]]]

    def shell_complete(self, ctx: Context, incomplete: str) -> list[Any]:  # noqa: ARG002
        """Return what can follow, with its meaning."""
        from typer._click.shell_completion import CompletionItem

        return [CompletionItem(word, help=meaning) for word, meaning in self.completer(incomplete)]


class MomGroup(TyperGroup):
    """A group that imports a command when it is asked for."""

    def __init__(self, branch: Branch, *, name: str, root: Branch | None = None, **settings: Any) -> None:
        """Create the group of `branch`; `root` is the whole tree, for suggestions."""
        super().__init__(name=name, help=branch.summary, no_args_is_help=True, context_settings=dict(HELP), **settings)
        self.branch = branch
        self.root = root or branch

    def list_commands(self, ctx: Context) -> list[str]:  # noqa: ARG002
        """Return the names in the order of the table."""
        return list(self.branch.listed)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:  # noqa: ARG002
        """Return the command or group of that name, imported now."""
        if cmd_name not in self.commands and (child := self.branch.commands.get(cmd_name)):
            self.commands[cmd_name] = (
                MomGroup(child, name=cmd_name, root=self.root) if isinstance(child, Branch) else load(cmd_name, child)
            )
        return self.commands.get(cmd_name)

    def invoke(self, ctx: Context) -> Any:
        """Run what the group wants done first, then the command."""
        if self.branch.around:
            self.branch.around(ctx)
        return super().invoke(ctx)

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """Return the command that `args` begins with; raises a usage error with what was probably meant."""
        if args[0] not in self.branch.commands and not args[0].startswith("-") and not ctx.resilient_parsing:
            words = tuple(ctx.command_path.split()[1:])
            meant = suggestion(self.root, words, args[0])
            raise UnknownCommandError(args[0], meant, ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: Context, incomplete: str) -> list[Any]:
        """Return the commands that begin so, with their summaries, and the options; imports none of them."""
        from typer._click.shell_completion import CompletionItem

        commands = [
            CompletionItem(name, help=child.summary)
            for name, child in self.branch.listed.items()
            if name.startswith(incomplete)
        ]
        return commands + super(TyperGroup, self).shell_complete(ctx, incomplete)

    def format_help(self, ctx: Context, formatter: Any) -> None:
        """Write the help into `formatter`."""
        summaries = {name: child.summary for name, child in self.branch.listed.items()}
        formatter.write(help_text.render(self, ctx, commands=summaries))

    def get_help_option(self, ctx: Context) -> Any:
        """Return the option that shows the help, worded as the rest is."""
        return _worded(super().get_help_option(ctx))


class UnknownCommandError(Exception):
    """There is no such command. `meant` is the command line that was probably meant, or None."""

    def __init__(self, word: str, meant: str | None, context: Context) -> None:
        """`word` was typed in `context`; `meant`: the command line that is suggested."""
        super().__init__(word)
        self.word = word
        self.meant = meant
        self.context = context


def suggestion(root: Branch, before: tuple[str, ...], word: str) -> str | None:
    """Return the command line that `mom`, the words `before` and `word` were probably meant to be, None if unknown.

    An exact name at another level comes first, then a similar one at this level, then one at another level. Nothing is
    suggested that does the opposite.
    """
    import difflib

    every = [(), *_groups(root), *paths(root)]
    here = [path for path in every if path[:-1] == before and path]
    same = [path for path in every if path and path[-1] == word]
    for candidates in (same, here, every):
        names = {path[-1]: path for path in reversed(candidates) if path and not _opposite(word, path[-1])}
        if close := difflib.get_close_matches(word, names, n=1, cutoff=0.7):
            return " ".join(("mom", *names[close[0]]))
    return None


def _groups(branch: Branch, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, child in branch.commands.items():
        if isinstance(child, Branch):
            yield (*before, name)
            yield from _groups(child, (*before, name))


def _opposite(typed: str, name: str) -> bool:
    return (typed.split("-", maxsplit=1)[0] in _REMOVING) != (name.split("-", maxsplit=1)[0] in _REMOVING)


def load(name: str, leaf: Leaf) -> Command:
    """Import the function of a command and return the command."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    callback = _imported(leaf.where)
    settings = {**HELP, **leaf.settings}
    kind = CompletingCommand if leaf.completes else MomCommand
    shows_help = settings["help_option_names"] != []
    app.command(
        name,
        cls=kind,
        context_settings=settings,
        add_help_option=shows_help,
        no_args_is_help=leaf.needs_words,
    )(callback)
    command = typer.main.get_command(app)
    command.help = inspect.cleandoc(callback.__doc__ or "")
    if leaf.completes and isinstance(command, CompletingCommand):
        command.completer = _imported(leaf.completes)
    return command


def _imported(where: str) -> Any:
    """Return the function that `where`, `module:function`, names."""
    module, _, function = where.partition(":")
    return getattr(importlib.import_module(module), function)


def _worded(option: Any) -> Any:
    if option is not None:
        option.help = _HELP_OF_HELP
    return option
