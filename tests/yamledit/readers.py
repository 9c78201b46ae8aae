"""Two readers of YAML that are not mom's: ruamel.yaml in Python for 1.2, PyYAML for 1.1.

Both give tagged values a form that can be compared, and None for a stream that they refuse.
"""

from __future__ import annotations

import re
import warnings
from typing import Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError


class _Loader11(yaml.SafeLoader):
    pass


class _Constructor12(SafeConstructor):
    pass


def _tagged(constructor: Any, suffix: str, node: Any) -> Any:
    """Construct a value of an unknown tag as what it would be without, beside the tag."""
    if node.id == "scalar":
        return (suffix, node.value)
    if node.id == "sequence":
        return (suffix, constructor.construct_sequence(node, deep=True))
    return (suffix, constructor.construct_mapping(node, deep=True))


_Loader11.add_multi_constructor("", _tagged)
_Loader11.add_constructor("tag:yaml.org,2002:value", lambda _, node: node.value)
_Constructor12.add_multi_constructor("", _tagged)


# At column 0, before white space or the end of a line, `---` is a marker wherever it stands (YAML 1.2.2, 9.1.2).
_MARKER = re.compile(r"(?:\A\ufeff?|(?<=[\n\r]))---(?=[ \t\r\n]|\Z)")


def _whole(text: str, read: list[Any]) -> list[Any] | None:
    """Return what was read, None if documents are missing: after an empty block scalar ruamel.yaml skips a marker."""
    return read if len(read) >= len(_MARKER.findall(text)) else None


def read_11(text: str) -> list[Any] | None:
    """Return the documents of a stream as PyYAML reads it."""
    try:
        return _whole(text, list(yaml.load_all(text, _Loader11)))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return None


def read_12(text: str) -> list[Any] | None:
    """Return the documents of a stream as ruamel.yaml's parser in Python reads it."""
    reader = YAML(typ="safe", pure=True)
    reader.Constructor = _Constructor12
    try:
        with warnings.catch_warnings():
            # Anchors that are used twice, and the like: what somebody wrote is not this test's matter.
            warnings.simplefilter("ignore")
            return _whole(text, list(reader.load_all(text)))
    except (YAMLError, ValueError, TypeError, RecursionError, NotImplementedError):
        return None
