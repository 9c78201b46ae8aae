"""The report as JUnit XML, in the form that CI services agree on: a suite for each file, a case for each problem."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from mom.cli.formats import Checked
from mom.console import in_lines
from mom.problems import Problem, Severity
from mom.streams import visible


def render(checked: Sequence[Checked], *, strict: bool) -> str:
    """Return the report. A file without problems is one passing case; warnings pass unless `strict`, notes always."""
    root = ET.Element("testsuites", name="mom atlas config validate")
    for report in checked:
        suite = ET.SubElement(root, "testsuite", name=visible(report.file))
        for problem in report.problems:
            severity = problem.severity
            _case(suite, problem, fails=severity is Severity.ERROR or (strict and severity is Severity.WARNING))
        if not report.problems:
            ET.SubElement(suite, "testcase", classname=visible(report.file), name="valid")
        _count(suite, suite)
    _count(root, root)
    return document(root)


def document(root: ET.Element) -> str:
    """Return the text of a report whose element is `root`, indented."""
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, problem: Problem, *, fails: bool) -> None:
    file = visible(problem.place.file)
    # Services tell cases apart by name, so the place is part of it.
    name = f"{problem.rule} ({problem.place.line}:{problem.place.column})"
    case = ET.SubElement(suite, "testcase", classname=file, name=name)
    lines = [f"{problem.place}: {problem.severity}: {problem.message}"]
    lines += [f"in {problem.path}"] if problem.path else []
    lines += [f"{place}: {words}" for place, words in problem.related]
    lines = [visible(line) for line in lines] + [f"hint: {in_lines(problem.hint)}"]
    text = "\n".join(lines)
    if fails:
        failure = ET.SubElement(case, "failure", type=problem.rule, message=visible(problem.message))
        failure.text = text
    else:
        ET.SubElement(case, "system-out").text = text


def _count(element: ET.Element, within: ET.Element) -> None:
    element.set("tests", str(len(within.findall(".//testcase"))))
    element.set("failures", str(len(within.findall(".//failure"))))
    element.set("errors", "0")
