"""`mom atlas config validate`: files in, every problem of every file out, and an exit status for CI."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mom.atlas.rules.catalogue import problem_of
from mom.cli.config_fix import FixOptions, fixed
from mom.cli.configuration_file import configuration_file
from mom.cli.configuration_folder import configurations_in
from mom.cli.credential_options import CredentialOption, CredentialsDir, EnvFileOption
from mom.cli.formats import Checked, Format, count, summary, write
from mom.cli.options import CheckOption, DiffOption, DryRunOption, QuietOption, VerboseOption
from mom.console import Console
from mom.errors import ExitStatus, MomError, UnreadableError, UsageError
from mom.files import read_file
from mom.problems import Place, Problem, Severity
from mom.streams import STDIN, read_stdin
from mom.yamledit.source import MAX_BYTES, decode

if TYPE_CHECKING:
    from mom.atlas.documents import Stream
    from mom.run.credentials import Credentials


Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FILE]...",
        help="Atlas configurations, or folders of them; - for stdin. Default: $MOM_CONFIG, else the nearest atlas.yml.",
        show_default=False,
    ),
]
FormatOption = Annotated[
    Format | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="How to report on stdout: text, json, github, sarif or junit. Default: github in GitHub Actions, "
        "else text.",
        show_default=False,
    ),
]


def validate(
    *,
    files: Files = None,
    form: FormatOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Fail for warnings too.")] = False,
    env: Annotated[bool, typer.Option("--env", help="Check too that every variable has a value here.")] = False,
    credential: CredentialOption = None,
    credentials_dir: CredentialsDir = None,
    env_file: EnvFileOption = None,
    fix: Annotated[bool, typer.Option("--fix", help="Fix what has one safe fix, then report the rest.")] = False,
    dry_run: DryRunOption = False,
    diff: DiffOption = False,
    check: CheckOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> int:
    """Check Atlas configurations, and fix what is safe to fix.

    Reports every problem of every file, with its place and a hint. In a
    folder, all *.yml and *.yaml files with documents of an Atlas are checked.

    Exits 0 if all files are valid, 1 if one is not, or cannot be read.
    Documents of other tools are left alone.

    --env looks where mom atlas run would: in the environment and in what
    --env-file, --credential and --credentials-dir name, each of which implies
    it. A command is run only where --credential names it here: once.

    Examples: mom atlas config validate atlas.yml
              mom atlas config validate --fix --diff
    """
    console = Console(quiet=quiet)
    if (dry_run or diff or check) and not fix:
        raise UsageError("-n, --diff and --check are about --fix", hint="add --fix")
    form = form or _default_format(fix=fix)
    options = FixOptions(dry_run=dry_run, diff=diff, check=check, form=form) if fix else None
    files = _with_stdin_once(files or [configuration_file(None, quiet=quiet, verbose=verbose).path], console)
    if options is not None:
        options.refuse_two_outputs(files)
    with contextlib.ExitStack() as stack:
        credentials = None
        if env or credential or credentials_dir or env_file:
            credentials = stack.enter_context(_begun(credential or (), credentials_dir, env_file))
        checked = [each for file in files for each in _checked(file, options, console, credentials)]
    write(checked, form, console, strict=strict, messages=options is not None and options.uses_stdout(files))
    console.say(summary(checked))
    failed = count(checked, Severity.ERROR) or (strict and count(checked, Severity.WARNING))
    would_change = options is not None and options.check and any(each.fixes for each in checked)
    return int(ExitStatus.FAILED if failed else ExitStatus.WOULD_CHANGE if would_change else ExitStatus.DONE)


def _default_format(*, fix: bool) -> Format:
    """Return the format of a report where none is asked for: annotations in a workflow of GitHub, else text."""
    return Format.GITHUB if os.environ.get("GITHUB_ACTIONS") == "true" and not fix else Format.TEXT


def _with_stdin_once(files: list[str], console: Console) -> list[str]:
    """Return the files without a second `-`, which would read what the first has read already."""
    if files.count("-") > 1:
        console.warning("`-` is given more than once: stdin is read and checked once")
    return [file for number, file in enumerate(files) if file != "-" or number == files.index("-")]


def _checked(
    file: str, options: FixOptions | None, console: Console, credentials: Credentials | None
) -> Iterator[Checked]:
    """Yield what is wrong with a file, stdin or each configuration of a folder."""
    if file == "-" or not os.path.isdir(file):  # noqa: PTH112 - unlike pathlib it raises for no name
        yield _check(file, options, console, credentials)
        return
    empty = True
    try:
        for candidate in configurations_in(file):
            empty = False
            yield _check(candidate.path, options, console, credentials, content=candidate.content)
    except UnreadableError as error:
        yield Checked(file, (_unreadable(file, error),))
        return
    if empty:
        message = f"no Atlas configuration in the folder {file}"
        hint = "only *.yml and *.yaml files with a document of an Atlas count"
        yield Checked(file, (problem_of(Place(file, 1, 1), "file", message, hint=hint),))


def _check(
    file: str,
    options: FixOptions | None,
    console: Console,
    credentials: Credentials | None,
    *,
    content: Stream | MomError | None = None,
) -> Checked:
    """Return a file's problems, or stdin's. That it cannot be read is one of them, and hides no other file's.

    content: of the file, where it was read before.
    """
    from mom.atlas.documents import read
    from mom.atlas.forms import Forms

    name = STDIN if file == "-" else file
    fixes: tuple[Problem, ...] = ()
    diff = ""
    try:
        if options is not None:
            data, fixes, diff = fixed(file, options, console)
            content = read(decode(data, name), Forms())
        elif content is None:
            data = read_stdin(MAX_BYTES) if file == "-" else read_file(file, MAX_BYTES, pipes=True)
            content = read(decode(data, name), Forms())
    except MomError as error:
        content = error
    if isinstance(content, MomError):
        return Checked(name, (_unreadable(name, content),))
    return Checked(name, tuple(_problems(content, credentials)), fixes, diff)


def _unreadable(file: str, error: MomError) -> Problem:
    from mom.atlas.beginning import with_beginning

    hint = with_beginning(error).hint if isinstance(error, UnreadableError) else error.hint
    return problem_of(Place(file, 1, 1), "file", error.message, hint=hint)


@contextlib.contextmanager
def _begun(given: Sequence[str], folder: str | None, env_file: str | None) -> Iterator[Credentials]:
    """Read the sources of variables, and run the commands among them once. Raises MomError."""
    from mom.run.credential_options import read_credentials

    with contextlib.closing(read_credentials(os.environ, given, folder, env_file)) as credentials:
        credentials.begin()
        yield credentials


def _problems(stream: Stream, credentials: Credentials | None) -> list[Problem]:
    """Return what is wrong with a configuration and, where `credentials` are given and it is valid, with those."""
    from mom.atlas.load import configuration_of, is_unreadable
    from mom.atlas.rules.variable_rules import doubtful_variables, uses
    from mom.atlas.validate import check

    problems, typed = check(stream)
    if credentials is None or is_unreadable(problems):
        return problems
    configuration = configuration_of(stream.source.name, typed)
    used = list(uses(configuration.adapters))
    wrong = [(use, credentials.problem(use)) for use in used]
    values = {use.name: "" if problem else str(credentials.value(use.name)) for use, problem in wrong}
    return [
        *problems,
        *(problem for _, problem in wrong if problem is not None),
        *doubtful_variables(configuration.adapters, values),
    ]
