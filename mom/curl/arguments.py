"""curl's command line, read as curl reads it: which words are options, their values, URLs; where a group ends.

The rules are those of curl's own parser, facts taken from its sources and checked against running curls:

- a word that does not start with `-` is a URL, and so is every word after `--`, and the value of `--url`;
- in a cluster of letters, the first one that takes a value eats the rest of the word, or else the next word;
- `-:` is `--next`, which starts a new group of options; the rest of its cluster is dropped;
- `--no-X` turns a boolean X off; `--expand-X` (curl 8.3) takes a value like X; `--X=value` exists since curl 8.16, and
  for a boolean the value is dropped;
- since curl 8.14.1 the rest of a cluster after `2` or `3` is dropped;
- up to curl 8.5 long options may be abbreviated and written in capitals.
"""

from __future__ import annotations

from mom.curl.options import (
    BODIES,
    DROPS_THE_REST,
    FOLLOWING,
    INFORMATIONAL,
    LETTERS,
    NOTED,
    OWN,
    PROXIES,
    WITH_VALUE,
    WITHOUT_FUNCTION,
    WITHOUT_VALUE,
)
from mom.gateway import TOKEN_HEADER

TYPE_CHECKING = False  # `typing` costs more than all of this; type checkers know the name
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mom.curl.curlrc import Setting


class Group:
    """The options of one group of URLs: those before the first `--next`, between two, or after the last.

    end: the index in `Scan.words` before which this group can be given more options. urls: how many URL words it has.
    configs: its `-K` files. follows: it asks for redirects to be followed. own_token: it names
    Atlas-Accesstoken in a header of its own. proxy: it names a proxy. connect_to: it names `--connect-to`. socket:
    it has the URL of a web socket. sends: it has a body. given: the values of the options in NOTED, and its `-K` files,
    in their order.
    """

    __slots__ = (
        "configs",
        "connect_to",
        "end",
        "follows",
        "given",
        "own_token",
        "proxy",
        "sends",
        "socket",
        "urls",
    )

    def __init__(self) -> None:
        """Have no URL and no option yet."""
        self.end = 0
        self.urls = 0
        self.configs: list[Config] = []
        self.given: list[tuple[str, str | Config]] = []
        self.follows = False
        self.own_token = False
        self.proxy = False
        self.connect_to = False
        self.sends = False
        self.socket = False


class Config:
    """A file of options on the command line: `words[index]` is `before` (as `-K`, often empty) and `path`.

    option: the index of the word that has the option. expands: curl replaces `{{variables}}` in the path first.
    settings: what `mom.curl.curlrc` read in it. was_read: whether it could be read without taking it away from curl.
    """

    __slots__ = ("before", "expands", "index", "option", "path", "settings", "was_read")

    def __init__(self, index: int, before: str, path: str, *, expands: bool) -> None:
        """Be word `index` of the command line."""
        self.index = index
        self.before = before
        self.path = path
        self.option = index if before else index - 1
        self.expands = expands
        self.settings: Sequence[Setting] = ()
        self.was_read = False


class Url:
    """A URL on the command line: `words[index]` is `before` (as `--url=`, mostly empty) and `text`.

    expands: curl replaces `{{variables}}` in it before it reads it. group: the index of its group in `Scan.groups`.
    """

    __slots__ = ("before", "expands", "group", "index", "text")

    def __init__(self, index: int, before: str, text: str, group: int, *, expands: bool) -> None:
        """Be word `index` of the command line."""
        self.group = group
        self.index = index
        self.before = before
        self.text = text
        self.expands = expands


class Scan:
    """A command line, read.

    words: what is curl's of it, mom's own options taken out. urls and groups: in their order. own: mom's own options
    and their values (empty for those that take none). ambiguous: curl will refuse this command line, or how it reads
    it is not known here; nothing can be added then. is_informational: curl only prints its help, version or manual.
    """

    __slots__ = ("ambiguous", "groups", "is_informational", "own", "urls", "words")

    def __init__(self) -> None:
        """Have no word yet, and the first group."""
        self.words: list[str] = []
        self.urls: list[Url] = []
        self.groups = [Group()]
        self.own: dict[str, str] = {}
        self.ambiguous = False
        self.is_informational = False


def scan(
    arguments: Sequence[str], installed: Callable[[], Mapping[str, bool]], version: Callable[[], tuple[int, ...]]
) -> Scan:
    """Read `arguments`, the words after `mom curl`.

    `installed` gives the long options of the curl at hand and whether each takes a value (`options.parse_help`); it is
    called only for a long option that the tables lack. `version` gives that curl's version; it is called only for what
    curls of different versions read differently. Raises UsageError for a mistake in one of mom's own options.
    """
    return _Scanner(arguments, installed, version).run()


class _Scanner:
    def __init__(
        self,
        arguments: Sequence[str],
        installed: Callable[[], Mapping[str, bool]],
        version: Callable[[], tuple[int, ...]],
    ) -> None:
        self.arguments = arguments
        self.installed = installed
        self.version = version
        self.next = 0
        self.result = Scan()

    def run(self) -> Scan:
        result = self.result
        options = True
        while self.next < len(self.arguments) and not result.ambiguous and not result.is_informational:
            word = self.arguments[self.next]
            self.next += 1
            if not options or not word.startswith("-"):
                self.url(len(result.words), "", word)
                result.words.append(word)
            elif word == "--":
                options = False
                result.groups[-1].end = len(result.words)
                result.words.append(word)
            elif word.startswith("--"):
                self.long(word)
            else:
                self.cluster(word)
        result.words += self.arguments[self.next :]
        if options:
            result.groups[-1].end = len(result.words)
        return result

    def long(self, word: str) -> None:
        """Read a word that starts with two dashes and is longer."""
        name, equals, value = word[2:].partition("=")
        if name in OWN or name.startswith("mom-"):
            self.own(name, equals, value)
            return
        off = name.startswith("no-")
        expands = name.startswith("expand-")
        name = name.removeprefix("no-") if off else name.removeprefix("expand-")
        option = self.resolve(name)
        if option is None:
            if not (off or expands) and _closest(name) == "base-url":
                raise _usage_error(f"neither curl nor mom curl has an option --{name}", hint="did you mean --base-url?")
            self.give_up(word)
            return
        canonical, takes_value = option
        if off:
            # Only booleans can be turned off, and turned off they ask for nothing.
            self.result.words.append(word)
            self.result.ambiguous = takes_value
        elif not takes_value or canonical == "help":
            if expands and canonical != "help":
                self.give_up(word)
            elif canonical == "next":
                self.close_group()
                self.result.words.append(word)
            else:
                self.note(canonical)
                self.result.words.append(word)
        elif equals:
            self.value(canonical, len(self.result.words), f"{word.partition('=')[0]}=", value, expands=expands)
            self.result.words.append(word)
        else:
            self.separate_value(canonical, word, expands=expands)

    def cluster(self, word: str) -> None:
        """Read a word of one dash and letters."""
        for position in range(1, len(word)):
            name = LETTERS.get(word[position])
            if name is None:
                self.give_up(word)
                return
            rest = word[position + 1 :]
            if name in WITH_VALUE and name != "help":
                if rest:
                    self.value(name, len(self.result.words), word[: position + 1], rest, expands=False)
                    self.result.words.append(word)
                else:
                    self.separate_value(name, word, expands=False)
                return
            if name == "next":
                self.close_group()
                break
            self.note(name)
            if self.result.is_informational or (name in WITHOUT_FUNCTION and rest and self.version() >= DROPS_THE_REST):
                break
        if len(word) == 1:
            self.give_up(word)
        else:
            self.result.words.append(word)

    def separate_value(self, name: str, word: str, *, expands: bool) -> None:
        """Take the next word as the value of option `name`, which is written as `word`."""
        if self.next == len(self.arguments):
            self.give_up(word)
            return
        index = len(self.result.words)
        value = self.arguments[self.next]
        self.next += 1
        self.result.words += [word, value]
        self.value(name, index + 1, "", value, expands=expands)

    def value(self, name: str, index: int, before: str, value: str, *, expands: bool) -> None:
        """Note what option `name` says with `value`, which is in word `index` after `before`."""
        group = self.result.groups[-1]
        if name == "url":
            self.url(index, before, value, expands=expands)
        elif name == "header":
            header = value.replace(";", ":").partition(":")[0]
            group.own_token = group.own_token or header.strip().lower() == TOKEN_HEADER.lower()
        elif name == "config":
            config = Config(index, before, value, expands=expands)
            group.configs.append(config)
            group.given.append((name, config))
        elif name in NOTED:
            group.given.append((name, value))
        elif name == "connect-to":
            group.connect_to = True
        elif name in PROXIES:
            group.proxy = True
        if name in BODIES:
            group.sends = True

    def note(self, name: str) -> None:
        """Note what option `name`, which takes no value, says."""
        if name in FOLLOWING:
            self.result.groups[-1].follows = True
        elif name in INFORMATIONAL:
            self.result.is_informational = True

    def url(self, index: int, before: str, text: str, *, expands: bool = False) -> None:
        self.result.urls.append(Url(index, before, text, len(self.result.groups) - 1, expands=expands))
        group = self.result.groups[-1]
        group.urls += 1
        group.socket = group.socket or text[:6].lower().startswith(("ws://", "wss://"))

    def close_group(self) -> None:
        group = self.result.groups[-1]
        # Before curl 8.0, `--next` without a URL before it starts no group; later ones refuse it.
        if group.urls or group.configs:
            group.end = len(self.result.words)
            self.result.groups.append(Group())

    def give_up(self, word: str) -> None:
        """Leave the rest of the command line to curl, which reads it in a way that is not known here."""
        self.result.words.append(word)
        self.result.ambiguous = True

    def resolve(self, name: str) -> tuple[str, bool] | None:
        """Return the option that curl takes `name` for, and whether that takes a value; None where there is none."""
        for exact in (name, name.lower()):
            if exact in WITH_VALUE:
                return exact, True
            if exact in WITHOUT_VALUE:
                return exact, False
        known = self.installed()
        lower = name.lower()
        if lower in known:
            return lower, known[lower]
        matches = [option for option in known if lower and option.startswith(lower)]
        return (matches[0], known[matches[0]]) if len(matches) == 1 else None

    def own(self, name: str, equals: str, value: str) -> None:
        """Take one of mom's own options out of the command line."""
        if name not in OWN:
            own = ", ".join(f"--{option}" for option in OWN)
            meant = _closest(name)
            raise _usage_error(
                f"mom curl has no option --{name}",
                hint=f"did you mean --{meant}?" if meant else f"its own are {own}; every other one is curl's",
            )
        if not OWN[name]:
            if equals:
                raise _usage_error(f"--{name} takes no value")
        elif not equals:
            if self.next == len(self.arguments):
                raise _usage_error(f"--{name} needs a value")
            value = self.arguments[self.next]
            self.next += 1
        self.result.own[name] = value


def _usage_error(message: str, hint: str | None = None) -> Exception:
    # Imported for an error only: `enum`, which it needs, takes 4 ms.
    from mom.errors import UsageError

    return UsageError(message, hint=hint)


def _closest(name: str) -> str | None:
    """Return the option of mom's own that `name` was probably meant to be."""
    import difflib

    # What most of them begin with would make any two look alike.
    options = {option.removeprefix("mom-"): option for option in OWN}
    close = difflib.get_close_matches(name.lower().removeprefix("mom-"), options, n=1, cutoff=0.75)
    return options[close[0]] if close else None
