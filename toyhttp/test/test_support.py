"""``docs/http.md``, which says what is supported: each rule has a test, and it is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from twisted.trial.unittest import SkipTest, TestCase

timeout = 30

HOME = Path(__file__).resolve().parents[2]
PAGE = HOME / "docs" / "http.md"
NEW_TESTS = "toyhttp/test/test_rules.py"

ANSWERS = ("yes", "choice", "partly", "no")
"""The words with which a row says whether a rule is kept."""

_ROW = re.compile(r"\| ([0-9]+\.[0-9]+) \| (.*?) \((RFC [^()]+|no RFC)\) \| (.*?)((?:<br>.*)?) \|")
_LINK = re.compile(r"\[`([^`]+)`\]\(([^)]+)\)")
_SECTION = re.compile(r"RFC (?P<rfc>[0-9]+)|\b(?P<section>(?:[0-9]+|[A-D])(?:\.[0-9]+)*)\b")

_IN_BRACKETS = re.compile(r"\([^()]*RFC [^()]*\)")

Section = tuple[str, str]


class Row(NamedTuple):
    """One rule of the page.

    :ivar number: such as ``2.10``.
    :ivar rule: what it says.
    :ivar sections: of which RFCs it is, as it is written, or ``no RFC``.
    :ivar answer: whether toyhttp keeps it; the first word is one of ``ANSWERS``.
    :ivar tests: the names of tests, and the files in which they are, from ``docs/``.
    """

    number: str
    rule: str
    sections: str
    answer: str
    tests: list[tuple[str, str]]


def read_rows(page: str) -> list[Row]:
    """Return the rules of the page."""
    rows = []
    for line in page.splitlines():
        if match := _ROW.fullmatch(line):
            number, rule, sections, answer, tests = match.groups()
            rows.append(Row(number, rule, sections, answer, _LINK.findall(tests)))
    return rows


def read_sections(text: str) -> set[Section]:
    """Return the sections of RFCs that a text names, such as ``("1945", "5.1")``."""
    found, rfc = set(), ""
    for match in _SECTION.finditer(text):
        if match["rfc"]:
            rfc = match["rfc"]
        elif rfc:
            found.add((rfc, match["section"]))
    return found


def is_about(one: Section, other: Section) -> bool:
    """Tell whether a section is another one, or one of them is a part of the other."""
    first, second = (f"{section}." for _, section in (one, other))
    return one[0] == other[0] and (first.startswith(second) or second.startswith(first))


@cache
def read_tests(path: Path) -> dict[str, str]:
    """Return the tests in a file, such as ``AnswerTests.test_head``, and what they say.

    That is the docstring of the test and that of its class.
    """
    found = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    said = [ast.get_docstring(method) or "", ast.get_docstring(node) or ""]
                    # What a learner is to write yet is no test.
                    if "is not written yet" not in ast.unparse(method):
                        found[f"{node.name}.{method.name}"] = " ".join(said)
    return found


class PageTests(TestCase):
    """The page, as it stands in the project; an installed package does not have it."""

    def setUp(self) -> None:
        """Read the page."""
        for needed in (PAGE, HOME / "exercises", HOME / "solutions"):
            if not needed.exists():
                raise SkipTest(f"this is not the project's folder: there is no {needed}")
        self.page = PAGE.read_text(encoding="utf-8")
        self.rows = read_rows(self.page)

    def test_every_row_is_read(self) -> None:
        """Every line of a table that has tests in it is a rule."""
        lines = [line for line in self.page.splitlines() if line.startswith("|") and "](" in line]
        self.assertEqual(len(lines), len(self.rows))
        self.assertGreater(len(self.rows), 100)

    def test_numbers(self) -> None:
        """The rules are numbered from 1 in each section, and none stands there twice."""
        expected: dict[str, int] = {}
        for row in self.rows:
            section, _, number = row.number.partition(".")
            expected[section] = expected.get(section, 0) + 1
            self.assertEqual(int(number), expected[section], f"rule {row.number}")
        rules = [row.rule for row in self.rows]
        self.assertEqual([rule for rule in rules if rules.count(rule) > 1], [])

    def test_answers(self) -> None:
        """Each says whether it is kept, and why if it is not."""
        for row in self.rows:
            word = re.split("[:;, ]", row.answer)[0]
            self.assertIn(word, ANSWERS, f"rule {row.number}")
            if word != "yes":
                self.assertRegex(row.answer, r"\A[a-z]+: .", f"rule {row.number}")

    def test_each_has_a_test(self) -> None:
        """Whatever it says, a test shows it."""
        self.assertEqual([row.number for row in self.rows if not row.tests], [])

    def test_tests_exist(self) -> None:
        """Each link leads to a file that has the test of this name."""
        for row in self.rows:
            for name, link in row.tests:
                path = (PAGE.parent / link).resolve()
                self.assertTrue(path.is_file(), f"rule {row.number}: no file {link}")
                self.assertTrue(path.is_relative_to(HOME), f"rule {row.number}: {link}")
                self.assertIn(name, read_tests(path), f"rule {row.number}: no test {name}")
                self.assertIn(".test_", name, f"rule {row.number}: {name} is no test")

    def test_tests_name_the_section(self) -> None:
        """One of the tests of each rule names a section that the rule is from."""
        for row in self.rows:
            wanted = read_sections(row.sections)
            self.assertEqual(bool(wanted), row.sections != "no RFC", f"rule {row.number}")
            said = [read_tests((PAGE.parent / link).resolve())[name] for name, link in row.tests]
            groups = [group for text in said for group in _IN_BRACKETS.findall(text)]
            named = {section for group in groups for section in read_sections(group)}
            if wanted and not any(is_about(one, other) for one in wanted for other in named):
                self.fail(f"rule {row.number}: of {sorted(wanted)}, but tests of {sorted(named)}")

    def test_every_new_test_is_linked(self) -> None:
        """The tests that were written for the page stand on it."""
        linked = {name for row in self.rows for name, link in row.tests if NEW_TESTS in link}
        names = {name for name in read_tests(HOME / NEW_TESTS) if ".test_" in name}
        self.assertEqual(names - linked, set())

    def test_links(self) -> None:
        """All other links of the page lead to something, too."""
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", self.page):
            if not link.startswith("https://"):
                self.assertTrue((PAGE.parent / link).exists(), f"link to {link}")
