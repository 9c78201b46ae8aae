"""The report as SARIF 2.1.0 (OASIS), which code scanning services and editors read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mom import __version__
from mom.atlas.rules.catalogue import RULES, Rule
from mom.cli.formats import Checked
from mom.console import to_json
from mom.problems import Place, Problem

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_INDEX = {rule: index for index, rule in enumerate(RULES)}


def render(checked: Sequence[Checked]) -> str:
    """Return the log of one run, with every rule of mom, every file, and a result for each problem."""
    # A file may be given twice; the log's lists are sets.
    artifacts = {uri: index for index, uri in enumerate(dict.fromkeys(_uri(report.file) for report in checked))}
    rules = [_descriptor(rule) for rule in RULES.values()]
    run = {
        "tool": {"driver": {"name": "mom", "version": __version__, "semanticVersion": __version__, "rules": rules}},
        # Our columns count code points; SARIF's default are units of UTF-16 (section 3.14.17).
        "columnKind": "unicodeCodePoints",
        "artifacts": [{"location": {"uri": uri}} for uri in artifacts],
        "results": [
            _result(problem, artifacts[_uri(report.file)]) for report in checked for problem in report.problems
        ],
    }
    return to_json({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _descriptor(rule: Rule) -> dict[str, Any]:
    """Return a rule as SARIF's reporting descriptor (section 3.49)."""
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.words},
        "fullDescription": {"text": f"{rule.words} {rule.explanation}"},
        "help": {"text": f"{rule.explanation} Fix: {rule.hint}."},
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _result(problem: Problem, artifact: int) -> dict[str, Any]:
    text = f"{problem.message}. {problem.hint}"
    region = {
        "startLine": problem.place.line,
        "startColumn": problem.place.column,
        "endColumn": problem.place.column + problem.width,
    }
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": _uri(problem.place.file), "index": artifact},
            "region": region,
        }
    }
    if problem.path:
        location["logicalLocations"] = [{"fullyQualifiedName": problem.path}]
    result: dict[str, Any] = {
        "ruleId": problem.rule,
        "ruleIndex": _INDEX[problem.rule],
        "level": problem.severity.value,
        "message": {"text": text},
        "locations": [location],
    }
    if problem.related:
        result["relatedLocations"] = [_related(place, words) for place, words in dict.fromkeys(problem.related)]
    return result


def _related(place: Place, words: str) -> dict[str, Any]:
    region = {"startLine": place.line, "startColumn": place.column}
    return {
        "physicalLocation": {"artifactLocation": {"uri": _uri(place.file)}, "region": region},
        "message": {"text": words},
    }


def _uri(file: str) -> str:
    """Return a file's name as a URI reference: relative stays relative, to the folder in which mom ran."""
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(os.fsencode(path.as_posix()))
