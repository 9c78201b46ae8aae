"""The commands of mom, and the single boundary at which errors become words and an exit status.

A command is a function in a module of `mom.cli` that takes flags, calls the library once, renders what comes back and
returns an exit status. Nothing below prints an error or exits.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from mom.atlas.adapters import KINDS
from mom.cli.options import remove_command
from mom.cli.tree import Branch, Leaf, MomGroup, UnknownCommandError, load
from mom.console import Console
from mom.errors import ExitStatus, MomError, UsageError, not_importable
from mom.streams import lost_output, silence

_EXTRA = re.compile(r"^[Gg]ot unexpected extra argument(?:s|\(s\))? \((.*)\)$")
_NUMBER = re.compile("is not a valid int(eger)?( range)?")
# So many commands of a group are named where none is close to what was typed.
_FEW = 6
# Everything after `curl` is curl's.
_CURL = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "allow_interspersed_args": False,
    "help_option_names": [],
}
# What follows the program is the program's.
_PROGRAM = {"allow_interspersed_args": False}


def _collector_paused(context: Any) -> None:
    """Pause the garbage collector for commands that make trees and end soon."""
    from mom.yamledit.parser import collector_paused

    context.with_resource(collector_paused())


CONFIG = Branch(
    "Edit and check an Atlas configuration.",
    {
        "init": Leaf("mom.cli.config_init:init", "Create a first configuration."),
        "generate": Leaf("mom.cli.config_init:generate", "Print a first configuration on stdout."),
        "add": Leaf("mom.cli.config_add:add", "Add the HTTP adapter of an API that the catalog knows."),
        "add-http-adapter": Leaf(
            "mom.cli.add_http_adapter:add", "Add an HTTP adapter without touching any other line."
        ),
        "add-aws-adapter": Leaf("mom.cli.add_aws_adapter:add", "Add an AWS adapter, or profiles to one."),
        "add-postgres-adapter": Leaf("mom.cli.add_postgres_adapter:add", "Add a Postgres adapter, or profiles to one."),
        "add-kubernetes-adapter": Leaf(
            "mom.cli.add_kubernetes_adapter:add", "Add a Kubernetes adapter: the cluster where Atlas runs."
        ),
        "add-moment-adapter": Leaf("mom.cli.add_moment_adapter:add", "Add a Moment adapter: a service catalog."),
        "set": Leaf("mom.cli.config_set:set_", "Change what an HTTP adapter has."),
        "rename": Leaf("mom.cli.config_rename:rename", "Rename an adapter: its reference and its document together."),
        "remove": Leaf("mom.cli.config_remove:remove", "Remove an adapter: its reference and its document."),
        **{
            remove_command(kind): Leaf(
                "mom.cli.config_remove:remove_of_kind", f"Remove an adapter: {kind}.", hidden=True
            )
            for kind in KINDS
        },
        "update-http-adapter": Leaf("mom.cli.config_set:set_", "Change an HTTP adapter.", hidden=True),
        "integrations": Leaf("mom.cli.config_integrations:integrations", "List the APIs that the catalog knows."),
        "list": Leaf("mom.cli.config_list:list_adapters", "List the adapters of a configuration."),
        "show": Leaf("mom.cli.config_show:show", "Show an adapter's lines, and where it is reached."),
        "env": Leaf("mom.cli.config_env:env", "Show which environment variables a configuration needs."),
        "validate": Leaf("mom.cli.config_validate:validate", "Check Atlas configurations."),
        "diff": Leaf(
            "mom.cli.config_diff:diff", "Say what a change opens: which API, for whom, with which credential."
        ),
        "explain": Leaf("mom.cli.config_explain:explain", "Say whether a request would pass, by which entry or list."),
        "rule": Leaf("mom.cli.config_rule:rule", "Explain a rule or an error type, or list them all."),
        "schema": Leaf(
            "mom.cli.config_schema:schema", "Print the JSON Schema of a kind of document, or one for a whole file."
        ),
    },
    around=_collector_paused,
)
ATLAS = Branch(
    "Configure and run an Atlas.",
    {
        "config": CONFIG,
        "run": Leaf("mom.cli.run:run", "Run this Atlas here, on Envoy, until Ctrl-C."),
        "check": Leaf("mom.cli.check:check", "Send each API a request through the gateway, and say what is wrong."),
        "export": Branch(
            "Write the files that run this Atlas elsewhere.",
            {
                "envoy": Leaf(
                    "mom.cli.export_envoy:envoy",
                    "Write the configuration of an Envoy that serves this Atlas without mom.",
                ),
                "kubernetes": Leaf(
                    "mom.cli.export_kubernetes:kubernetes",
                    "Write a Kustomize base of this Atlas, and an overlay to fill in.",
                ),
                "compose": Leaf(
                    "mom.cli.export_compose:compose", "Write a file for Docker Compose that runs this Atlas."
                ),
                "ecs": Leaf(
                    "mom.cli.export_ecs:ecs",
                    "Write an image and a CloudFormation template that run this Atlas on Amazon ECS.",
                ),
                "systemd": Leaf("mom.cli.export_systemd:systemd", "Write a unit of systemd that runs this Atlas."),
            },
            around=_collector_paused,
        ),
        "apis": Branch(
            "Show which APIs are served.",
            {"list": Leaf("mom.cli.apis_list:apis_list", "List the APIs of a gateway, or of a configuration.")},
        ),
        "instances": Branch(
            "Show which instances run.",
            {"list": Leaf("mom.cli.instances_list:instances_list", "List the running instances of a gateway.")},
        ),
    },
)
AUTH = Branch(
    "Manage signing keys and inspect access tokens.",
    {
        "keygen": Leaf("mom.cli.auth:keygen", "Create your signing key, if there is none yet."),
        "rotate": Leaf("mom.cli.auth:rotate", "Replace your signing key with a new one."),
        "jwks": Leaf("mom.cli.auth:jwks", "Print your public keys as a JWK Set."),
        "token": Leaf("mom.cli.auth:token", "Print the token that mom curl would send."),
        "status": Leaf("mom.cli.auth:status", "Show which identity mom curl would use for a gateway, and why."),
        "inspect": Leaf("mom.cli.auth:inspect", "Show what a token contains and why a gateway would refuse it."),
    },
)
ROOT = Branch(
    "Keep API credentials out of every client: edit, check and run an Atlas, and call APIs through it.",
    {
        "atlas": ATLAS,
        "auth": AUTH,
        "curl": Leaf(
            "mom.cli.curl:curl",
            "Run curl with signed requests (see mom curl --help).",
            settings=_CURL,
            completes="mom.cli.completion:curl_words",
        ),
        "exec": Leaf(
            "mom.cli.exec:exec_",
            "Run a program whose SDKs call APIs through a gateway.",
            settings=_PROGRAM,
            needs_words=True,
        ),
    },
)


def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Print the version; with -v also Python's and Envoy's.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", hidden=True)] = False,
    show_completion: Annotated[
        str | None,
        typer.Option("--show-completion", metavar="SHELL", help="Print the completion script for bash, zsh or fish."),
    ] = None,
    install_completion: Annotated[
        str | None,
        typer.Option("--install-completion", metavar="SHELL", help="Install it; no start-up file is changed."),
    ] = None,
) -> None:
    """Handle the options before any command. `mom --version` alone is handled before this module is imported."""
    console = Console()
    if version:
        from mom.cli.versions import versions

        console.data(versions(os.environ, verbose=verbose))
    elif verbose:
        raise UsageError("-v belongs after a command, or to --version", hint="try 'mom --version -v'")
    elif show_completion is not None:
        from mom.cli.completion import script, shell_named

        console.data(script(shell_named(show_completion)))
    elif install_completion is not None:
        from mom.cli.completion import install, shell_named

        install(shell_named(install_completion), console, os.environ)
    else:
        return
    raise typer.Exit


def tree() -> MomGroup:
    """Return the command `mom`."""
    options = load("mom", Leaf("mom.cli.app:root", ""))
    if "_MOM_COMPLETE" in os.environ:
        from typer._completion_classes import completion_init

        completion_init()
    return MomGroup(
        ROOT,
        name="mom",
        params=[option for option in options.params if option.name != "help"],
        callback=options.callback,
        invoke_without_command=True,
    )


def run(arguments: Sequence[str]) -> int:
    """Run the command tree with `arguments` and return the exit status. No exception leaves this function."""
    console = Console()
    before, _ = _groups(arguments)
    if arguments[len(before) :][:1] == ["help"]:
        # As git and cargo take it, at each level.
        after = [word for word in arguments[len(before) :] if word != "help"]
        arguments = [*before, *after, "--help"]
    try:
        for stream in (sys.stdout, sys.stderr):
            # A file name or a terminal that is not UTF-8 must not turn output into a traceback.
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        status = tree().main(args=list(arguments), prog_name="mom", standalone_mode=False)
        sys.stdout.flush()
    except MomError as error:
        console.error(error)
        return int(error.exit_status)
    except UnknownCommandError as error:
        return _unknown(console, error)
    except typer.TyperException as error:
        return _usage(console, error, arguments)
    except (KeyboardInterrupt, typer.Abort):
        return int(ExitStatus.INTERRUPTED)
    except BrokenPipeError:
        # The reader is gone (`mom … | head`).
        silence(sys.stdout)
        return int(ExitStatus.FAILED)
    except Exception as error:
        if isinstance(error, OSError) and (lost := lost_output(error)):
            console.error(lost)
            return int(lost.exit_status)
        if isinstance(error, ImportError):
            console.error(not_importable(error))
            return int(ExitStatus.FAILED)
        # A bug is reported in one line too.
        if os.environ.get("MOM_DEBUG"):
            raise
        hint = "this is a bug in mom; MOM_DEBUG=1 shows where"
        console.error(MomError(f"internal error: {type(error).__name__}: {error}", hint=hint))
        return int(ExitStatus.FAILED)
    return int(status or 0)


def _unknown(console: Console, error: UnknownCommandError) -> int:
    path = error.context.command_path
    names = list(_groups(path.split()[1:])[1].listed)
    commands = f"its commands: {', '.join(names)}" if len(names) <= _FEW else f"try '{path} --help'"
    hint = f"did you mean '{error.meant}'?" if error.meant else commands
    console.error(MomError(f"{path} has no command {error.word!r}", hint=hint))
    return int(ExitStatus.USAGE)


def _groups(arguments: Sequence[str]) -> tuple[Sequence[str], Branch]:
    """Return the words at the beginning that name groups, and the group that they lead to."""
    branch = ROOT
    for number, word in enumerate(arguments):
        child = branch.commands.get(word)
        if not isinstance(child, Branch):
            return arguments[:number], branch
        branch = child
    return arguments, branch


def _path(arguments: Sequence[str]) -> str:
    """Return the command that `arguments` begin with."""
    words, branch = _groups(arguments)
    after = arguments[len(words) :][:1]
    return " ".join(["mom", *words, *(after if after and after[0] in branch.commands else ())])


def _usage(console: Console, error: typer.TyperException, arguments: Sequence[str]) -> int:
    """Report a usage error: what is wrong, and which help to read."""
    if type(error).__name__ == "NoArgsIsHelpError":
        for line in error.format_message().rstrip("\n").split("\n"):
            console.say(line)
        return int(ExitStatus.USAGE)
    context = getattr(error, "ctx", None)
    hint = f"try '{context.command_path if context else _path(arguments)} --help'"
    message = error.format_message().rstrip(".")
    if context is not None and type(error).__name__ == "NoSuchOption":
        message = error.message.rstrip(".")
        hint = _other_option(error, context) or hint
    message = _NUMBER.sub("is not a whole number", message)
    message = _EXTRA.sub(r"unexpected argument: \1", message)
    console.error(MomError(message[:1].lower() + message[1:], hint=hint))
    return int(error.exit_code)


def _other_option(error: Any, context: Any) -> str | None:
    from mom.cli.meant import meant_option

    shown = [each for each in context.command.params if not getattr(each, "hidden", False)]
    options = [name for each in shown if each.param_type_name == "option" for name in each.opts]
    files = any(each.param_type_name == "argument" and (each.metavar or "").startswith("[FILE]") for each in shown)
    close = error.possibilities or ()
    return meant_option(error.option_name, options, close, command=context.command_path, files=files)
