"""Files of curl's options, ~/.curlrc and those of `-K`, read as curl reads them, and which settings are refused.

The rules are those of curl's `tool_parsecfg.c` and `tool_findfile.c`, curl 7.61 to 8.21: white space is what C's
`isspace` takes for it; a line is an option's name, with dashes or without, or a cluster of letters after one dash;
after a name without a dash `=` and `:` separate, too; a value may be quoted; `config` and `-K` include another file, up
to ten deep. Up to curl 8.5 long names may be abbreviated.

curl reads ~/.curlrc before the command line, so what it says about where to connect wins over ours. Such a line is
refused with its place; all other lines are followed.
"""

from __future__ import annotations

import os

from mom.curl.options import LETTERS, OPTIONS, WITH_VALUE
from mom.gateway import TOKEN_HEADER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mom.auth.base_url import Gateway
    from mom.curl.arguments import Group, Scan

_SPACE = " \t\n\v\f\r"
_COMMENTS = ("#", "/", "*")
# Deeper than any curl goes; a file that includes itself ends there, too.
_DEPTH = 10
_MOST_FILES = 100
MAX_BYTES = 1 << 20

# Where a connection goes although the URL names the gateway. Of several, the first one given wins.
_REROUTES = ("abstract-unix-socket", "connect-to", "unix-socket")
# Who says which address a name has; of no use against https, where the certificate's name is checked.
_RESOLVERS = ("dns-servers", "doh-url")
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "v": "\v"}


class Setting:
    """One option of a file. names: the long options that some curl takes it for. value: unquoted, "" for none.

    path, line: its place; the line counts from 1.
    """

    __slots__ = ("line", "names", "path", "value")

    def __init__(self, names: tuple[str, ...], value: str, path: str, line: int) -> None:
        """Be the option `names` with `value` in line `line` of `path`."""
        self.names = names
        self.value = value
        self.path = path
        self.line = line


def settings(text: str, path: str, depth: int = _DEPTH, budget: list[int] | None = None) -> Iterator[Setting]:
    """Yield the options of `text`, the content of `path`, with those of the files that it includes in their place.

    Raises MomError for an included file that only curl can read (a pipe, stdin), since its content cannot be checked.
    """
    budget = [_MOST_FILES] if budget is None else budget
    for number, line in enumerate(text.split("\n"), 1):
        if "\0" in line:
            # curl drops it and the line ending, and so joins the line with the next.
            from mom.errors import MomError

            raise MomError(f"{path}:{number}: the line has a NUL character", hint="remove it")
        for setting in _of_line(line, path, number):
            yield setting
            if "config" in setting.names and setting.value:
                budget[0] -= 1
                if depth == 0 or budget[0] < 0:
                    raise _refusal(setting, "includes files too deeply", "include fewer files")
                yield from settings(_included(setting), setting.value, depth - 1, budget)


def _included(setting: Setting) -> str:
    """Return the text of the file that `setting` includes; empty where there is none, which curl reports itself."""
    # `expand-config`: what is in the braces is curl's to know.
    content = None if setting.value == "-" or "{{" in setting.value else read(setting.value)
    if content is None:
        raise _refusal(setting, "includes a file that only curl can read", "include a regular file")
    return content


def read(path: str) -> str | None:
    """Return a file's text: empty if it cannot be read, None if it is a pipe, a device or too large."""
    import stat

    if path == os.devnull:
        return ""

    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))
    except (OSError, ValueError):
        return ""
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            # A link to /dev/null is a way to have no .curlrc; nothing can be read from a folder.
            empty = stat.S_ISDIR(status.st_mode) or os.path.samestat(status, os.stat(os.devnull))
            return "" if empty else None
        with open(descriptor, "rb", closefd=False) as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    return data.decode("latin-1") if len(data) <= MAX_BYTES else None


def _of_line(line: str, path: str, number: int) -> list[Setting]:
    """Return the options of a line: one, or those of a cluster of letters."""
    line = line.lstrip(_SPACE)
    if not line or line.startswith(_COMMENTS):
        return []
    separators = _SPACE if line.startswith("-") else _SPACE + "=:"
    end = min((at for at in map(line.find, separators) if at >= 0), default=len(line))
    name, rest = line[:end], line[end:].lstrip(separators)
    value = _unquoted(rest[1:]) if rest.startswith('"') else _word(rest)
    if name.startswith("--") and "=" in name:
        # curl 8.16
        name, _, value = name.partition("=")
    if name.startswith("-") and not name.startswith("--"):
        return [Setting((long,), given, path, number) for long, given in _cluster(name[1:], value)]
    return [Setting(names, value, path, number)] if (names := _names(name.removeprefix("--"))) else []


def _cluster(letters: str, value: str) -> Iterator[tuple[str, str]]:
    for position, letter in enumerate(letters):
        name = LETTERS.get(letter)
        if name is None:
            return
        if name in WITH_VALUE:
            yield name, letters[position + 1 :] or value
            return
        yield name, ""


def _names(name: str) -> tuple[str, ...]:
    """Return the options that some curl takes `name` for: itself, else all that begin so."""
    name = name.removeprefix("expand-")
    if name in OPTIONS:
        return (name,)
    lower = name.lower().removeprefix("expand-")
    if lower.startswith("no-"):
        return ()
    return tuple(option for option in OPTIONS if lower and option.startswith(lower))


def _word(text: str) -> str:
    end = min((at for at in map(text.find, _SPACE) if at >= 0), default=len(text))
    return text[:end]


def _unquoted(text: str) -> str:
    """Return the text before the closing quote, escapes replaced."""
    result = []
    characters = iter(text)
    for character in characters:
        if character == '"':
            break
        if character == "\\":
            following = next(characters, "")
            character = _ESCAPES.get(following, following)  # noqa: PLW2901
        result.append(character)
    return "".join(result)


def check_curlrc(paths: Sequence[str], scan: Scan, gateway: Gateway) -> list[Setting]:
    """Return the options of the files at `paths`, curl's .curlrc, and note whether they set the user's own token.

    Raises MomError with the line of one that would lead the token elsewhere, or start a group of its own: these files
    are read before the command line, and what is added there could not win over them.
    """
    options: list[Setting] = []
    for path in paths:
        text = read(path)
        if text is None:
            from mom.errors import MomError

            raise MomError(f"{path} is not a regular file of at most {MAX_BYTES:,} bytes", hint=_LEAVE_OUT)
        options += settings(text, path)
    for setting in options:
        refuse(setting, gateway, rerouted_by=_REROUTES, hint=_LEAVE_OUT)
        # It counts for the first group.
        scan.groups[0].own_token = scan.groups[0].own_token or _is_token(setting)
    return options


def _is_token(setting: Setting) -> bool:
    """Whether `setting` is a header with the user's own token."""
    header = setting.value.replace(";", ":").partition(":")[0]
    return "header" in setting.names and header.strip().lower() == TOKEN_HEADER.lower()


_LEAVE_OUT = "omit that file by -q as the first argument, or pass the option yourself"


def check_configs(scan: Scan, words: list[str], gateway: Gateway, *, copy: bool) -> None:
    """Read the `-K` files of `scan` into their `settings`, and note which groups bring a token of their own.

    What can be read only once (a pipe, stdin) is copied to a file without a name, whose place in `words` becomes its
    path; without `copy` it is not read. Raises MomError as `check_curlrc` does; a `connect-to` is harmless here, since
    ours is before the `-K`.
    """
    for group in scan.groups:
        for config in group.configs:
            text = None if config.expands or config.path == "-" else read(config.path)
            if text is None and copy:
                if config.expands and "{{" in config.path:
                    from mom.errors import MomError

                    raise MomError(f"{config.path} names a file that only curl knows", hint="write its path")
                data = _read_once(config.path)
                words[config.index] = config.before + _unnamed_file(data)
                text = data.decode("latin-1")
            config.was_read = text is not None
            config.settings = tuple(settings(text or "", config.path))
            for setting in config.settings:
                refuse(setting, gateway, rerouted_by=_REROUTES[::2], hint="give the option on the command line")
                group.own_token = group.own_token or _is_token(setting)


def _read_once(path: str) -> bytes:
    """Return what is in a pipe, or on stdin for `-`, as curl would read it: until its end."""
    from mom.errors import MomError

    try:
        with open(0 if path == "-" else path, "rb", closefd=path != "-") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        from mom.files import unreadable

        raise unreadable(path, error) from None
    if len(data) > MAX_BYTES:
        raise MomError(f"cannot read {path}: it is larger than {MAX_BYTES:,} bytes")
    return data


def _unnamed_file(data: bytes) -> str:
    """Return a path by which the program that this process becomes can read `data`, from an unnamed file."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("options", 0)
    else:
        import tempfile

        with tempfile.TemporaryFile() as stream:
            descriptor = os.dup(stream.fileno())
        os.set_inheritable(descriptor, True)
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return f"/dev/fd/{descriptor}"


def refuse(setting: Setting, gateway: Gateway, *, rerouted_by: tuple[str, ...], hint: str) -> None:
    """Raise MomError if `setting` leads the token elsewhere, or starts a group, which would go without a token."""
    for name in setting.names:
        if name == "next":
            raise _refusal(
                setting, "starts a group of requests that would have no token", "write --next on the command line"
            )
        if name in rerouted_by or (name == "resolve" and _resolves(setting.value, gateway)):
            raise _refusal(setting, "could send the token to another host", hint)
        if name in _RESOLVERS and gateway.scheme == "http" and not gateway.loopback:
            raise _refusal(setting, "could send the token to another host", hint)


def _resolves(value: str, gateway: Gateway) -> bool:
    """Whether a `resolve` concerns the gateway's name: with the pin in place, no other is looked up."""
    host = value.lower().lstrip("+-").partition("]:" if "[" in value else ":")[0].lstrip("[")
    return host in ("*", gateway.host) or "{{" in host


def _refusal(setting: Setting, reason: str, hint: str) -> Exception:
    from mom.errors import MomError

    return MomError(f"{setting.path}:{setting.line}: `{setting.names[0]}` {reason}", hint=hint)


def given(group: Group, curlrc: Sequence[Setting]) -> list[tuple[str, str]]:
    """Return what ~/.curlrc, the command line and its `-K` files say in `group`: options with values, in their order.

    The command line's are those in `arguments.NOTED`.
    """
    values = [(name, setting.value) for setting in curlrc for name in setting.names]
    for option, part in group.given:
        if isinstance(part, str):
            values.append((option, part))
        else:
            values += [(name, setting.value) for setting in part.settings for name in setting.names]
    return values


def allows(protocols: str, scheme: str) -> bool:
    """Whether `protocols`, the value of curl's `--proto`, lets `scheme` be used (curl: `proto2num`)."""
    allowed = True
    for token in protocols.split(","):
        name = token.lstrip("=+-")
        modifiers = token[: len(token) - len(name)]
        action = modifiers[-1:] or "+"
        matches = name.lower() in (scheme, "all")
        if action == "=":
            allowed = matches
        elif matches:
            allowed = action == "+"
    return allowed
