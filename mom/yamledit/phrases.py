"""The parsers' words for what they cannot read, in mom's: what is wrong, and what to type.

libyaml and ruamel.yaml in Python word the same thing in two ways; both get one wording. Phrases that are not listed
here pass through.
"""

from __future__ import annotations

import re

_PREFIX = "invalid YAML: "
_LOOK = "check the quotes, brackets and indentation of this line and the one above"

# What a parser says (a pattern), what is wrong, what to type. The first that fits counts.
_PHRASES: tuple[tuple[str, str, str], ...] = (
    (r"quote is not closed", "this quote is not closed", "close it with the same quote"),
    (r"unknown escape|escape sequence|hexdecimal", "an unknown escape inside double quotes", r"write `\\` for `\`"),
    (r"invalid Unicode character", "an escape that names no character", r"write `\\` for `\`"),
    (
        r"mapping values are not allowed",
        "a `:` where no key can be",
        "put a value that has a colon in quotes; else check the colon and the indentation of the line above",
    ),
    (r"mapping keys are not allowed", "a `?` where no key can be", "put the value in quotes"),
    (
        r"sequence entries are not allowed",
        "a list item cannot begin here",
        "begin the list on the line below its key, each item with `- `",
    ),
    (r"could not find expected ':'", "a key without its `:`", "write `key: value`, each on a line of its own"),
    (r"simple key|multiline|multi-line", "a key of more than one line", "write `key: value` on one line"),
    (r"flow node|flow sequence entry", "expected a value inside `{…}` or `[…]`", "close the bracket, or write a value"),
    (r"',' or '\}'", "expected `,` or `}` before this", "write a comma between two entries, or close the `{`"),
    (r"',' or '\]'", "expected `,` or `]` before this", "write a comma between two items, or close the `[`"),
    (r"found unexpected ':'", "a `:` inside a plain value", "put the value in quotes"),
    (r"cannot start any token", "a value cannot begin with this character without quotes", "put the value in quotes"),
    (r"tab character", "a tab is used for indentation", "use spaces"),
    (
        r"indicator equal to 0|range 1-9",
        "an indentation indicator of 0 after `|` or `>`",
        "write a number from 1 to 9, or none",
    ),
    (
        r"block scalar",
        "text on the line of `|` or `>`, which begin a block",
        "write the text on the next lines, indented",
    ),
    (r"(?:an? )?(?:alias|anchor)", "`*` and `&` name a part of the document", "put a value that begins so in quotes"),
    (r"undefined tag handle", "a tag (`!…`) that nothing defines", "put a value that begins with `!` in quotes"),
    (r"unknown directive", "an unknown directive: YAML has `%YAML` and `%TAG`", "remove the line"),
    (r"duplicate %?(?:YAML|TAG) directive", "a second directive of that name", "remove one of them"),
    (r"directive", "a line that begins with `%` is a directive", "put a value that begins with `%` in quotes"),
    (r"tag", "a tag (`!…`) that cannot be read", "put a value that begins with `!` in quotes"),
    (r"incompatible YAML document", "a version of YAML that cannot be read", "write `%YAML 1.2`, or remove the line"),
    (r"block collection|'-' indicator", "expected another item, which begins with `- `", _LOOK),
    (r"block mapping|expected key|<block end>", "expected a key here", _LOOK),
    (r"<document start>|document end marker", "text after the end of the document", "write `---` before it"),
    (r"node content|block node", "expected a value here", "write a value, or put it in quotes"),
    (r"outside quotes", "", "remove it, or put the value in double quotes and write it as an escape"),
    (
        r"(?:control|special) characters are not allowed|unacceptable character",
        "a control character",
        r"remove it, or write it as an escape in double quotes, such as `\x07`",
    ),
    (r"control character", "", r"remove it, or write it as an escape in double quotes, such as `\x07`"),
    (r"levels deep", "", "no configuration needs that: remove brackets, dashes or indentation"),
    (r"more than [\d,]+ nodes", "", "split the file"),
    (r"opens a template", "", "run mom on the rendered file"),
    (r"private-use", "", "remove some of them"),
)


def translate(words: str) -> tuple[str, str]:
    """Return what a parser said as a message and a hint."""
    for pattern, message, hint in _PHRASES:
        if re.search(pattern, words):
            return _PREFIX + (message or words), hint
    return _PREFIX + words, _LOOK
