"""Each sentence of a stage's rules has a test, or says that the tests leave it open."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from exercises.manifest import STAGES
from workshop.rules import TABLE, main, problems, read_table, sentences_of, skeleton

timeout = 30

PAGE = """# Stage 1: Bytes

- A bullet above is no rule.

## What to write

| name | what it does |
|---|---|
| `parse(head)` | a `Request`, or `None`. It never waits |
| `a\\|b` | two | 15.0 |

Prose is no rule.

- One line.
- A line that
  goes on, with `a. b` and 1.5 in it. A second sentence. (A third, in brackets.)
- **Dates.** In seconds:

  ```text
  - not a rule
  ```
  `Behind` the fence.

### More

1. Numbered. 204 has no body.
   - Nested?

## The next heading

- A bullet below is no rule.
"""

SENTENCES = [
    "`parse(head)`: a `Request`, or `None`.",
    "It never waits",
    "`a|b`: two; 15.0",
    "One line.",
    "A line that goes on, with `a. b` and 1.5 in it.",
    "A second sentence.",
    "(A third, in brackets.)",
    "In seconds:",
    "`Behind` the fence.",
    "Numbered.",
    "204 has no body.",
    "Nested?",
]


class PageTests(SynchronousTestCase):
    """The sentences of a page."""

    def test_sentences(self) -> None:
        """Bullets, numbered items and rows of tables below the heading, cut into sentences."""
        self.assertEqual(sentences_of(PAGE, "What to write"), SENTENCES)

    def test_no_heading(self) -> None:
        """A page without the heading is an error, not a page without rules."""
        error = self.assertRaises(ValueError, sentences_of, PAGE, "The specification")
        self.assertIn("'## The specification'", str(error))

    def test_every_stage_has_rules(self) -> None:
        """The heading is found on every page, and rules below it."""
        for stage in STAGES:
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                main(["--skeleton", str(stage.number)])
            self.assertGreater(printed.getvalue().count("\n"), 8, stage.title)


class TableTests(SynchronousTestCase):
    """What is wrong with a table of rules."""

    TESTS = ("SmallTests.test_one", "SmallTests.test_two")

    def problems(self, *rows: str) -> list[str]:
        """Return what is wrong with a table for two sentences."""
        return problems(["One.", "`a|b` two."], read_table("\n".join([TABLE, *rows])), self.TESTS)

    def test_complete(self) -> None:
        """A test for a sentence, several tests, or none and the reason for that."""
        found = self.problems(
            "| One. | `SmallTests.test_one`, `SmallTests.test_two` |",
            "| `a\\|b` two. | left open: nobody needs it |",
        )
        self.assertEqual(found, [])

    def test_explanation(self) -> None:
        """A sentence that asks for nothing needs no test."""
        found = self.problems(
            "| One. | `SmallTests.test_one` |",
            "| `a\\|b` two. | explanation |",
        )
        self.assertEqual(found, [])

    def test_missing_sentence(self) -> None:
        """A sentence that is not in the table."""
        found = self.problems("| One. | `SmallTests.test_one` |")
        self.assertEqual(found, ["not in the table: `a|b` two."])

    def test_sentence_that_is_gone(self) -> None:
        """A row for what the page does not say."""
        found = self.problems(
            "| One. | `SmallTests.test_one` |",
            "| `a\\|b` two. | left open |",
            "| Three. | left open |",
        )
        self.assertEqual(found, ["not on the page: Three."])

    def test_no_such_test(self) -> None:
        """A test that is not there, perhaps because it was renamed."""
        found = self.problems(
            "| One. | `SmallTests.test_one`, `SmallTests.test_none` |",
            "| `a\\|b` two. | left open |",
        )
        self.assertEqual(found, ["no such test: SmallTests.test_none (One.)"])

    def test_nothing_said(self) -> None:
        """A row that names no test, and does not say that it is left open."""
        found = self.problems(
            "| One. | |",
            "| `a\\|b` two. | some test or other |",
        )
        self.assertEqual(found, ["no test: One.", "no test: `a|b` two."])

    def test_a_word_beside_the_tests(self) -> None:
        """Beside tests nothing else stands: what is half left open must be told by the page."""
        found = self.problems(
            "| One. | `SmallTests.test_one`, perhaps |",
            "| `a\\|b` two. | left open |",
        )
        self.assertEqual(found, ["no test: One."])

    def test_the_same_sentence_twice(self) -> None:
        """Two rows for one sentence are one too many."""
        found = self.problems(
            "| One. | `SmallTests.test_one` |",
            "| One. | left open |",
            "| `a\\|b` two. | left open |",
        )
        self.assertEqual(found, ["twice in the table: One."])

    def test_row_of_three_cells(self) -> None:
        """A pipe that is not escaped is told, with its row."""
        error = self.assertRaises(ValueError, self.problems, "| a|b | left open |")
        self.assertIn("| a|b | left open |", str(error))

    def test_skeleton(self) -> None:
        """The table to begin with has all sentences, and the tests that were named before."""
        rows = [("One.", "`SmallTests.test_one`"), ("Gone.", "left open")]
        text = skeleton(["One.", "`a|b` two."], rows)
        self.assertEqual(text, f"{TABLE}\n| One. | `SmallTests.test_one` |\n| `a\\|b` two. | |\n")


class CommandTests(SynchronousTestCase):
    """``python -m workshop.rules``."""

    def command(self, *words: str) -> tuple[int, str]:
        """Return the exit code, and what was printed."""
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            code = main(words)
        return code, printed.getvalue()

    def test_no_table(self) -> None:
        """A stage without a table is not complete."""
        self.patch(type(STAGES[0]), "rules", Path(self.mktemp()))
        code, printed = self.command("1")
        self.assertEqual(code, 1)
        self.assertIn("Stage 1: there is no", printed)


class StageTests(SynchronousTestCase):
    """The tables of the project."""

    def test_tables(self) -> None:
        """Every sentence of every stage is in its table, and every test there exists."""
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            code = main([])
        self.assertEqual(code, 0, f"\n{printed.getvalue()}")
