"""The stages of the workshop, in their order: the one place that lists them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .order import test_files

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Stage:
    """One stage.

    :ivar number: its place in the order, from 1.
    :ivar title: its name in every list.
    :ivar part: ``"I"``, the tests are given; ``"II"``, they are described;
        ``"III"``, the learner makes the list.
    :ivar minutes: the time planned for it; ``None`` is the rest of the day.
    :ivar writes: the names that the learner writes, by module of ``myhttp``.
    :ivar lesson: what it teaches, in one sentence.
    """

    number: int
    title: str
    part: str
    minutes: int | None
    writes: dict[str, tuple[str, ...]]
    lesson: str

    @property
    def package(self) -> str:
        """The name under which Trial runs it, such as ``exercises.stage1``."""
        return f"exercises.stage{self.number}"

    @property
    def folder(self) -> Path:
        """Where its README and its tests are: in Parts II and III the learner's."""
        return HERE / f"stage{self.number}"

    @property
    def contract(self) -> Path:
        """The folder of the tests that every server must pass.

        In Part I they are given; in the others they are those of the solution.
        """
        if self.part == "I":
            return self.folder
        return HERE.parent / "solutions" / self.folder.name / "tests"

    @property
    def rules(self) -> Path:
        """The table of its rules: each sentence, and the tests that stand for it."""
        return HERE.parent / "solutions" / self.folder.name / "rules.md"

    @property
    def test_modules(self) -> list[str]:
        """The dotted names of its test modules, that of the hardening last."""
        return [f"{self.package}.{path.stem}" for path in test_files(self.folder)]


STAGES = (
    Stage(
        1,
        "A request is bytes",
        "I",
        10,
        {"request": ("BadRequest", "Request", "parse_request")},
        "Test a pure function before anything with a network in it.",
    ),
    Stage(
        2,
        "A response is bytes",
        "I",
        10,
        {"response": ("Response", "render_response")},
        "Assert exact bytes; the time is an argument.",
    ),
    Stage(
        3,
        "Any chunks",
        "I",
        15,
        {"reader": ("RequestReader",)},
        "TCP keeps no message boundaries.",
    ),
    Stage(
        4,
        "A protocol without a network",
        "I",
        15,
        {"channel": ("HTTPChannel", "HTTPFactory")},
        "A transport in memory shows all that a protocol does.",
    ),
    Stage(
        5,
        "Not yet",
        "I",
        15,
        {"channel": ("HTTPChannel",)},
        "An answer may come later.",
    ),
    Stage(
        6,
        "Two hours in a millisecond",
        "I",
        15,
        {"channel": ("HTTPChannel", "HTTPFactory")},
        "Timeouts matter, but no test may wait for one.",
    ),
    Stage(
        7,
        "The wire is cut",
        "I",
        15,
        {"channel": ("HTTPChannel",)},
        "A connection can break after every byte.",
    ),
    Stage(
        8,
        "How to disconnect, really",
        "I",
        20,
        {"loopback": ("Loopback", "connect", "connection_lost")},
        "A test that really connects waits for three things to go away.",
    ),
    Stage(
        9,
        "Serve files",
        "II",
        25,
        {"files": ("FileHandler",), "channel": ("HTTPChannel",)},
        "Write tests from a list of descriptions.",
    ),
    Stage(
        10,
        "Keep the connection",
        "II",
        25,
        {"channel": ("HTTPChannel", "HTTPFactory")},
        "Answers keep the order of the requests.",
    ),
    Stage(
        11,
        "Your list",
        "III",
        None,
        {"client": ("get",)},
        "Make the list of tests yourself.",
    ),
)
"""All stages, the first one first."""
