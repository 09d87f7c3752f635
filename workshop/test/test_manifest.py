"""The stages and the routes through them: whether they fit the time, and the stubs."""

from __future__ import annotations

import ast
import re

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from exercises.manifest import ROUTES, STAGES, Route
from workshop.learner import MYHTTP, has_been_worked_on


class RouteTests(SynchronousTestCase):
    """What is so for every route, and what each is for."""

    def route(self, words: str) -> Route:
        """Return the one route that has these words in its title."""
        (found,) = [route for route in ROUTES if words in route.title]
        return found

    def test_minutes(self) -> None:
        """A stage takes what it takes, unless a part of it is done; the last has no end."""
        for route in ROUTES:
            for step in route.steps:
                stage = STAGES[step.stage - 1]
                where = f"{route.title}, stage {step.stage}"
                if step.part or stage.minutes is None:
                    self.assertGreaterEqual(step.minutes, 15, where)
                    self.assertLess(step.minutes, stage.minutes or 1000, where)
                else:
                    self.assertEqual(step.minutes, stage.minutes, where)

    def test_order(self) -> None:
        """No stage comes twice, and none before one that it builds on."""
        for route in ROUTES:
            numbers = [step.stage for step in route.steps]
            self.assertEqual(numbers, sorted(set(numbers)), route.title)

    def test_sum(self) -> None:
        """All that a sitting takes is its stages, the lecture and the breaks."""
        for route in ROUTES:
            for sitting in route.sittings:
                stages = sum(step.minutes for step in sitting.steps)
                self.assertEqual(sitting.minutes, stages + sitting.talk, route.title)

    def test_class(self) -> None:
        """Three hours and twenty minutes, 20 to 25 of them for talk and breaks, for all parts."""
        route = self.route("class")
        (sitting,) = route.sittings
        self.assertLessEqual(sitting.minutes, 200)
        self.assertIn(sitting.talk, range(20, 26))
        self.assertEqual({STAGES[step.stage - 1].part for step in route.steps}, {"I", "II", "III"})

    def test_half_days(self) -> None:
        """Two sittings of at most three hours and twenty minutes, and no stage is left out."""
        route = self.route("half days")
        self.assertEqual(len(route.sittings), 2)
        for sitting in route.sittings:
            self.assertLessEqual(sitting.minutes, 200)
            self.assertGreaterEqual(sitting.talk, 15)
        self.assertEqual(route.skipped, ())

    def test_alone(self) -> None:
        """Evenings of at most an hour and a half, without a lecture; no stage is left out."""
        route = self.route("alone")
        for sitting in route.sittings:
            self.assertLessEqual(sitting.minutes, 90)
            self.assertEqual(sitting.talk, 0)
        self.assertEqual(route.skipped, ())

    def test_skipped(self) -> None:
        """A route knows which stages it leaves out."""
        route = self.route("class")
        taken = {step.stage for step in route.steps}
        self.assertEqual({*route.skipped} | taken, set(range(1, len(STAGES) + 1)))
        self.assertEqual({*route.skipped} & taken, set())


class StubTests(SynchronousTestCase):
    """The modules in which the learner writes, as they are shipped."""

    def test_stages(self) -> None:
        """The head of each says in which stages it is written, all of them."""
        if has_been_worked_on():
            raise SkipTest("exercises/myhttp has been worked on: it is not as it was shipped")
        for module in {name: 0 for stage in STAGES for name in stage.writes}:
            text = (MYHTTP / f"{module}.py").read_text(encoding="utf-8")
            head = ast.get_docstring(ast.parse(text)) or ""
            named = " ".join(re.findall(r"\bstages? ([\d, and]+)", head))
            said = {int(number) for number in re.findall(r"\d+", named)}
            stages = {stage.number for stage in STAGES if module in stage.writes}
            self.assertEqual(said, stages, f"{module}: its docstring names other stages")
