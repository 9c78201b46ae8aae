"""The report as JUnit XML, in the form that CI services agree on: a suite for each file, a case for each problem."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from mom.cli.reports import Checked
from mom.problems import Problem, Severity

# What XML 1.0 cannot hold, not even escaped (section 2.2).
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(checked: Sequence[Checked], *, strict: bool) -> str:
    """Return the report. A file without problems is one passing case; warnings pass unless `strict`, notes always."""
    root = ET.Element("testsuites", name="mom atlas config validate")
    for found in checked:
        suite = ET.SubElement(root, "testsuite", name=_text(found.file))
        for problem in found.problems:
            severity = problem.severity
            _case(suite, problem, fails=severity is Severity.ERROR or (strict and severity is Severity.WARNING))
        if not found.problems:
            ET.SubElement(suite, "testcase", classname=_text(found.file), name="valid")
        _count(suite, suite)
    _count(root, root)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, problem: Problem, *, fails: bool) -> None:
    file = _text(problem.place.file)
    # Services tell cases apart by name, so the place is part of it.
    name = f"{problem.rule} ({problem.place.line}:{problem.place.column})"
    case = ET.SubElement(suite, "testcase", classname=file, name=name)
    lines = [f"{problem.place}: {problem.severity}: {problem.message}"]
    lines += [f"in {problem.path}"] if problem.path else []
    lines += [f"{place}: {words}" for place, words in problem.related]
    lines += [f"hint: {problem.hint}"] if problem.hint else []
    text = _text("\n".join(lines))
    if fails:
        failure = ET.SubElement(case, "failure", type=problem.rule, message=_text(problem.message))
        failure.text = text
    else:
        ET.SubElement(case, "system-out").text = text


def _count(element: ET.Element, within: ET.Element) -> None:
    element.set("tests", str(len(within.findall(".//testcase"))))
    element.set("failures", str(len(within.findall(".//failure"))))
    element.set("errors", "0")


def _text(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
