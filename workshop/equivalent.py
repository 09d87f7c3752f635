"""The mutants of the solutions that nothing can tell from the original, as far as we know.

They stand in ``equivalent.json``: a reason, the mutants that it holds for, and how many inputs
each has withstood in each stage. ``python -m workshop.strength --full --write`` writes the file
anew, with the reasons that it had. An entry stands only as long as no test notices the mutant
and :mod:`workshop.fuzz` does not tell it apart: ``trial workshop.test.strength`` tries them.

``gaps.json`` has the mutants that were found to be told apart by an input, and by no test. That
was so once: now a test must notice them.
"""

from __future__ import annotations

import json
from pathlib import Path

EQUIVALENT = Path(__file__).with_name("equivalent.json")
GAPS = Path(__file__).with_name("gaps.json")
UNKNOWN = "No input is known that tells it apart, and nobody has said why there is none."

Inputs = dict[int, int]
"""How many inputs a mutant has withstood, by stage."""


def equivalents() -> dict[str, dict[str, Inputs]]:
    """Return the mutants, by reason and key."""
    data = json.loads(EQUIVALENT.read_text(encoding="utf-8"))
    return {
        reason: {
            key: {int(stage): count for stage, count in inputs.items()}
            for key, inputs in entries.items()
        }
        for reason, entries in data.items()
    }


def past_gaps() -> dict[str, list[int]]:
    """Return the stages in which mutants once were gaps, by key."""
    found: dict[str, list[int]] = json.loads(GAPS.read_text(encoding="utf-8"))
    return found


def listed(stage: int, file: str) -> set[str]:
    """Return the keys of the mutants of a module that are listed for a stage."""
    return {
        key
        for entries in equivalents().values()
        for key, inputs in entries.items()
        if stage in inputs and key.startswith(f"{file} ")
    }


def once_gaps(stage: int, file: str) -> set[str]:
    """Return the keys of the mutants of a module that once were gaps of a stage."""
    return {
        key for key, stages in past_gaps().items() if stage in stages and key.startswith(f"{file} ")
    }


def note(stage: int, file: str, withstood: dict[str, int], gaps: list[str]) -> None:
    """Write down what came of all mutants of a module: what has gone is left out.

    :param withstood: how many inputs were tried, by the key of the mutant.
    :param gaps: the keys of those that were told apart.
    """
    old = equivalents()
    for entries in old.values():
        for key, inputs in entries.items():
            if key.startswith(f"{file} "):
                inputs.pop(stage, None)
    for key, count in withstood.items():
        old.setdefault(reason_for(key, old), {}).setdefault(key, {})[stage] = count
    new = {
        reason: {key: inputs for key, inputs in sorted(entries.items()) if inputs}
        for reason, entries in sorted(old.items())
    }
    _write(EQUIVALENT, {reason: entries for reason, entries in new.items() if entries})
    before = past_gaps()
    for key in gaps:
        before[key] = sorted({*before.get(key, []), stage})
    _write(GAPS, dict(sorted(before.items())))


def reason_for(key: str, known: dict[str, dict[str, Inputs]]) -> str:
    """Return the reason that a mutant had, or one with the same change in the same function."""
    for reason, entries in known.items():
        if key in entries:
            return reason
    place, _, change = key.partition(": ")
    for reason, entries in known.items():
        for other in entries:
            old_place, _, old_change = other.partition(": ")
            if place == old_place and _what(change) == _what(old_change) and reason != UNKNOWN:
                return reason
    return UNKNOWN


def _what(change: str) -> str:
    """Return what is done, without the line in which it is done."""
    return change[change.rindex(" [") :] if " [" in change else change


def _write(path: Path, data: object) -> None:
    text = json.dumps(data, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
