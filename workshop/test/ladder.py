"""The ladder: each stage is one rung, and no rung is missing or twice there.

Each suite runs in a process of its own, as :mod:`workshop.suite` does it.  So it is not
named ``test_*``, and CI runs it once: ``trial workshop.test.ladder``.
"""

from __future__ import annotations

import ast
from difflib import SequenceMatcher
from importlib import import_module
from itertools import pairwise
from pathlib import Path

from twisted.trial.unittest import SkipTest, TestCase

from exercises.manifest import STAGES, Stage
from workshop.descriptions import hidden, tests_in
from workshop.environment import ROOT
from workshop.jobs import Job, Outcome
from workshop.learner import MYHTTP, has_been_worked_on
from workshop.pool import Pool
from workshop.suite import run_suite

timeout = 60  # seconds: each test starts several processes

MODULES = {module for stage in STAGES for module in stage.writes}
"""The modules that learners write."""

NAIVE = ROOT / "workshop" / "test" / "naive"
"""Servers that pass the core of a stage, and not its hardening."""

STEP = 80
"""How many lines of a module may be other ones than in the step before."""


def rungs() -> list[tuple[str, int]]:
    """Return the packages of the solutions, the steps of a stage before the stage itself.

    :returns: pairs of a package and the number of the stage that it has reached.
    """
    found = []
    for stage in STAGES:
        steps = (ROOT / "solutions").glob(f"stage{stage.number}_step*")
        found += [(f"solutions.{path.name}", stage.number - 1) for path in sorted(steps)]
        found.append((f"solutions.stage{stage.number}", stage.number))
    return found


def changed_lines(before: Path, after: Path) -> int:
    """Return how many lines are added and removed, as ``diff`` shows them."""
    old, new = (path.read_text(encoding="utf-8").splitlines() for path in (before, after))
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    return len(old) + len(new) - 2 * sum(block.size for block in blocks)


class SolutionTests(TestCase):
    """The solution of a stage climbs to its own rung, and no higher."""

    def test_solution_passes_its_stage_and_all_before(self) -> None:
        """The solution of stage N passes the tests of stages 1 to N."""
        for stage in STAGES:
            outcomes = run_suite(f"solutions.stage{stage.number}", *range(1, stage.number + 1))
            failed = [outcome for outcome in outcomes if outcome.how != "passed"]
            self.assertEqual(failed, [], f"solution {stage.number}")

    def test_solution_fails_the_stage_after(self) -> None:
        """The solution of stage N fails each test module of stage N + 1."""
        for stage in STAGES[:-1]:
            outcomes = run_suite(f"solutions.stage{stage.number}", stage.number + 1)
            for module in STAGES[stage.number].test_modules:
                own = [outcome for outcome in outcomes if outcome.module in ("", module)]
                failed = [outcome for outcome in own if outcome.how != "passed"]
                self.assertNotEqual(failed, [], f"solution {stage.number}, {module}")

    def test_solution_holds_only_what_the_stage_writes(self) -> None:
        """A folder has the modules of the manifest, and those that any package needs."""
        for stage in STAGES:
            folder = ROOT / "solutions" / f"stage{stage.number}"
            expected = {*stage.writes, "__init__", "broken", f"test_stage{stage.number}"}
            self.assertEqual({path.stem for path in folder.glob("*.py")}, expected)


class StepTests(TestCase):
    """From one solution to the next it is no large step."""

    def test_path(self) -> None:
        """Each package goes on with the path of the one before."""
        paths = [list(import_module(server).__path__) for server, _ in rungs()]
        for before, after in pairwise(paths):
            self.assertEqual(after[1:], before, f"the path of {after[0]}")

    def test_small(self) -> None:
        """No module has more changed lines than ``STEP``."""
        for (one, _), (other, _) in pairwise(rungs()):
            folders = [Path(folder) for folder in import_module(one).__path__]
            for after in Path(import_module(other).__path__[0]).glob("*.py"):
                before = [folder / after.name for folder in folders if after.stem in MODULES]
                before = [path for path in before if path.exists()]
                if before:
                    changed = changed_lines(before[0], after)
                    self.assertLessEqual(changed, STEP, f"lines, from {before[0]} to {after}")

    def test_green(self) -> None:
        """A step within a stage is a refactoring: it passes the tests of all stages before."""
        for server, reached in rungs():
            if "_step" in server:
                outcomes = run_suite(server, *range(1, reached + 1))
                failed = [outcome for outcome in outcomes if outcome.how != "passed"]
                self.assertEqual(failed, [], server)

    def test_step_is_not_yet_the_stage(self) -> None:
        """And it fails some of the stage's own."""
        for server, reached in rungs():
            if "_step" in server:
                outcomes = run_suite(server, reached + 1)
                self.assertNotEqual([one for one in outcomes if one.how != "passed"], [], server)


class NaiveTests(TestCase):
    """What somebody has who left out the hardening of stages 1 to 3."""

    def outcomes(self, stage: Stage, naive: int | None = None) -> dict[bool, list[Outcome]]:
        """Run a stage with naive modules; return the outcomes by whether they are of the core.

        :param naive: up to which stage the modules are naive; without it, up to this one.
        """
        number = stage.number if naive is None else naive
        modules = [module for earlier in STAGES[:number] for module in earlier.writes]
        paths = [NAIVE / f"{module}.py" for module in modules]
        sources = {path.name: path.read_text(encoding="utf-8") for path in paths if path.exists()}
        with Pool(1) as pool:
            run = pool.submit(Job(stage.number, f"solutions.stage{stage.number}", sources=sources))
            pool.wait([run])
        self.assertIsNone(run.problem, stage.title)
        found: dict[bool, list[Outcome]] = {True: [], False: []}
        for outcome in run.outcomes:
            found[not outcome.module.endswith(".test_hardening")].append(outcome)
        return found

    def test_core_needs_no_hardening(self) -> None:
        """The core of each later stage can be passed all the same, as that of these stages."""
        for stage in STAGES:
            if stage.part == "I":
                core = self.outcomes(stage)[True]
                failed = [outcome for outcome in core if outcome.how != "passed"]
                self.assertNotEqual(core, [], stage.title)
                self.assertEqual(failed, [], stage.title)

    def test_hardening_needs_no_other(self) -> None:
        """The hardening of a stage can be passed by who left out that of the stages before."""
        for stage in STAGES[1:8]:
            outcomes = self.outcomes(stage, naive=stage.number - 1)
            both = outcomes[True] + outcomes[False]
            self.assertEqual([each for each in both if each.how != "passed"], [], stage.title)

    def test_hardening_asks_for_more(self) -> None:
        """In stages 1 to 3 the hardening is red."""
        for stage in STAGES[:3]:
            failed = [outcome for outcome in self.outcomes(stage)[False] if outcome.failed]
            self.assertNotEqual(failed, [], stage.title)


class ToyhttpTests(TestCase):
    """The finished server climbs to the top."""

    def test_toyhttp_passes_all(self) -> None:
        """It passes the tests of every stage."""
        outcomes = run_suite("toyhttp", *[stage.number for stage in STAGES])
        self.assertEqual([outcome for outcome in outcomes if outcome.how != "passed"], [])


class StubTests(TestCase):
    """What the learner gets stands before the first rung."""

    def setUp(self) -> None:
        if has_been_worked_on():
            raise SkipTest("exercises/myhttp has been worked on: it is not as it was shipped")

    def test_each_test_is_red_for_its_own_reason(self) -> None:
        """Every test fails, and says which name of which stage is not written yet."""
        for stage in STAGES:
            stages = "|".join(str(number) for number in range(1, stage.number + 1))
            for outcome in run_suite("exercises.myhttp", stage.number):
                self.assertIn(outcome.error, ("NotImplementedError", "FailTest"), str(outcome))
                sentence = rf"Stage ({stages}): [\w.]+ is not written yet\."
                self.assertRegex(outcome.message, sentence, str(outcome))

    def test_every_name_has_a_stub(self) -> None:
        """Each name in the manifest is there, documented, and names the stage that begins it."""
        begun: dict[tuple[str, str], int] = {}
        for stage in STAGES:
            for module, names in stage.writes.items():
                for name in names:
                    begun.setdefault((module, name), stage.number)
        for (module, name), number in begun.items():
            tree = ast.parse((MYHTTP / f"{module}.py").read_text(encoding="utf-8"))
            nodes = {getattr(node, "name", ""): node for node in tree.body}
            self.assertIn(name, nodes, f"{module}.py")
            node = nodes[name]
            assert isinstance(node, (ast.ClassDef, ast.FunctionDef))
            self.assertTrue(ast.get_docstring(node), f"{module}.{name} has no docstring")
            self.assertIn(f"Stage {number}: {name}", ast.unparse(node), f"{module}.{name}")

    def test_stub_has_no_other_names(self) -> None:
        """The modules of ``myhttp`` are those of the manifest."""
        written = {module for stage in STAGES for module in stage.writes}
        self.assertEqual({path.stem for path in MYHTTP.glob("[!_]*.py")}, written)


class StageTests(TestCase):
    """The form that each stage has."""

    def test_stages_are_numbered(self) -> None:
        """From 1, without a gap; and each has a folder, and there is no other."""
        numbers = list(range(1, len(STAGES) + 1))
        self.assertEqual([stage.number for stage in STAGES], numbers)
        folders = {path.name for path in (ROOT / "exercises").glob("stage*")}
        self.assertEqual(folders, {f"stage{number}" for number in numbers})

    def test_folder(self) -> None:
        """It holds a README, the tests, and nothing else that must be read."""
        for stage in STAGES:
            names = {path.name for path in stage.folder.iterdir() if path.name != "__pycache__"}
            modules = {name.rpartition(".")[2] + ".py" for name in stage.test_modules}
            more = {"broken"} if stage.number == 3 else set()  # readers that are read and run
            self.assertEqual(names, {"__init__.py", "README.md", *modules, *more})

    def test_each_test_has_a_sentence_and_a_limit(self) -> None:
        """Its docstring states the requirement; its module says how long it may hang."""
        for stage in STAGES:
            for folder in {stage.folder, stage.contract}:
                for path in folder.glob("test_*.py"):
                    self.assertIn("\ntimeout = 5", path.read_text(encoding="utf-8"), str(path))
                tests = tests_in(folder)
                without = [test.test for test in tests if not test.text]
                self.assertEqual(without, [], stage.title)
                self.assertEqual(hidden(tests), [], stage.title)
            self.assertGreaterEqual(len(tests_in(stage.contract)), 8, stage.title)

    def test_descriptions(self) -> None:
        """In Part II the tests are described, ten to fourteen, as they stand in the solution."""
        for stage in STAGES:
            if stage.part == "II":
                described = {test.test: test.text for test in tests_in(stage.folder)}
                written = {test.test: test.text for test in tests_in(stage.contract)}
                self.assertTrue(10 <= len(described) <= 14, f"{stage.title}: {len(described)}")
                missing = dict(described.items() - written.items())
                self.assertEqual(missing, {}, f"stage {stage.number}: not so in the solution")

    def test_where_to_begin(self) -> None:
        """In Part III one test says where to begin."""
        for stage in STAGES:
            if stage.part == "III":
                self.assertEqual(len(tests_in(stage.folder)), 1, stage.title)
