"""The rules of each stage, sentence by sentence, and the tests that stand for them.

``python -m workshop.rules`` says what is missing in the tables
``solutions/stageN/rules.md``.  Each has a row for each sentence of the page's rules: the
sentence as it stands there, and the tests that fail if a server does not keep to it.  In
place of tests may stand ``left open``, if no test asks for it, or ``explanation``, if the
sentence asks for nothing; a colon and the reason may follow.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Collection, Sequence

from exercises.manifest import STAGES, Stage

from .descriptions import tests_in

TABLE = "| sentence | tests |\n|---|---|"
"""How a table begins."""

Row = tuple[str, str]
"""A sentence, and what stands beside it."""

_ITEM = re.compile(r"\s*(?:[-*]|[0-9]+\.)\s+(.*)")
_LEAD = re.compile(r"\*\*[^*]+\.\*\*\s+")
_END = re.compile(r"(?:(?<=[.!?])|(?<=[.!?]\)))\s+(?=[A-Z0-9`(*\"])")
_PIPE = re.compile(r"(?<!\\)\|")
_TESTS = re.compile(r"`\w+\.\w+`(?:, `\w+\.\w+`)*")
_NO_TEST = re.compile(r"(left open|explanation)(?:: .+)?")


def heading_of(stage: Stage) -> str:
    """Return the heading below which a stage's page has its rules."""
    return "What to write" if stage.part != "III" else "The specification"


def sentences_of(page: str, heading: str) -> list[str]:
    """Return the sentences of a page's rules.

    These are the bullets, the numbered items and the rows of tables below a heading; prose
    and what is fenced are none.

    :raises ValueError: if the page does not have the heading.
    """
    _, found, text = page.partition(f"\n## {heading}\n")
    if not found:
        raise ValueError(f"The page has no '## {heading}'.")
    lines = text.partition("\n## ")[0].splitlines()
    items: list[str] = []
    fenced = open_item = False
    for number, line in enumerate(lines):
        if line.lstrip().startswith("```"):
            fenced = not fenced
            items.append("")  # what goes on behind it is another sentence
        elif fenced:
            continue
        elif line.startswith("|"):
            following = lines[number + 1] if number + 1 < len(lines) else ""
            if not line.startswith("|-") and not following.startswith("|-"):
                name, *cells = _cells(line)
                items.append(f"{name}: {'; '.join(cells)}")
            open_item = False
        elif match := _ITEM.fullmatch(line):
            items.append(_LEAD.sub("", match[1], count=1))
            open_item = True
        elif line.startswith(" ") and open_item:
            items[-1] += f" {line.strip()}"
        elif line.strip():
            open_item = False
    return [sentence for item in items if item for sentence in _END.split(item.strip())]


def _cells(line: str) -> list[str]:
    """Return the cells of a table's row."""
    return [cell.strip().replace(r"\|", "|") for cell in _PIPE.split(line.strip())[1:-1]]


def read_table(text: str) -> list[Row]:
    """Return the rows of a table of rules.

    :raises ValueError: if a row does not have two cells.
    """
    rows = []
    for line in text.partition(TABLE)[2].strip().splitlines():
        if len(cells := _cells(line)) != 2:
            raise ValueError(rf"This is no row of two cells; a pipe in it is written \|: {line}")
        rows.append((cells[0], cells[1]))
    return rows


def problems(sentences: Sequence[str], rows: Sequence[Row], tests: Collection[str]) -> list[str]:
    """Return what is wrong with a table of rules, a line for each.

    :param sentences: those of the page.
    :param tests: the names of the stage's tests, such as ``ReaderTests.test_all``.
    """
    said = [sentence for sentence, _ in rows]
    found = [f"not in the table: {sentence}" for sentence in sentences if sentence not in said]
    found += [f"not on the page: {sentence}" for sentence in said if sentence not in sentences]
    found += [f"twice in the table: {one}" for one in dict.fromkeys(said) if said.count(one) > 1]
    for sentence, beside in rows:
        if _TESTS.fullmatch(beside):
            for name in re.findall(r"\w+\.\w+", beside):
                if name not in tests:
                    found.append(f"no such test: {name} ({sentence})")
        elif not _NO_TEST.fullmatch(beside):
            found.append(f"no test: {sentence}")
    return found


def skeleton(sentences: Sequence[str], rows: Sequence[Row]) -> str:
    """Return a table with all sentences, and beside them what ``rows`` have there."""
    known = dict(rows)
    lines = [TABLE]
    for sentence in dict.fromkeys(sentences):
        escaped = sentence.replace("|", r"\|")
        lines.append(f"| {escaped} | {known.get(sentence, '')}".rstrip() + " |")
    return "\n".join(lines) + "\n"


def describe(stage: Stage) -> tuple[list[str], str]:
    """Return what is wrong with a stage's table, and how many rows of each kind it has."""
    page = (stage.folder / "README.md").read_text(encoding="utf-8")
    sentences = sentences_of(page, heading_of(stage))
    if not stage.rules.exists():
        return [f"there is no {stage.rules.name} for its {len(sentences)} sentences"], ""
    rows = read_table(stage.rules.read_text(encoding="utf-8"))
    tests = [description.test for description in tests_in(stage.contract)]
    unnamed = [name for name in tests if not any(f"`{name}`" in beside for _, beside in rows)]
    kinds = [match[1] if (match := _NO_TEST.fullmatch(beside)) else "" for _, beside in rows]
    tested = sum(bool(_TESTS.fullmatch(beside)) for _, beside in rows)
    summary = (
        f"{len(sentences)} sentences: {tested} with tests, "
        f"{kinds.count('left open')} left open, {kinds.count('explanation')} explain; "
        f"{len(unnamed)} of {len(tests)} tests stand for none"
    )
    if unnamed:
        summary += "".join(f"\n  stands for no sentence: {name}" for name in unnamed)
    return problems(sentences, rows, tests), summary


def main(argv: Sequence[str] | None = None) -> int:
    """Print the state of the tables; return 1 if one is not complete."""
    parser = argparse.ArgumentParser(
        prog="python -m workshop.rules",
        description="Say which sentences of a stage's rules have no test.",
    )
    parser.add_argument("stages", type=int, nargs="*", metavar="N", help="its number")
    parser.add_argument(
        "--skeleton", action="store_true", help="print a table with all sentences instead"
    )
    arguments = parser.parse_args(argv)
    complete = True
    for stage in STAGES:
        if arguments.stages and stage.number not in arguments.stages:
            continue
        if arguments.skeleton:
            page = (stage.folder / "README.md").read_text(encoding="utf-8")
            before = stage.rules.read_text(encoding="utf-8") if stage.rules.exists() else ""
            print(skeleton(sentences_of(page, heading_of(stage)), read_table(before)), end="")
            continue
        wrong, summary = describe(stage)
        complete = complete and not wrong
        print("\n  ".join([f"Stage {stage.number}: {summary or wrong.pop(0)}", *wrong]))
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
