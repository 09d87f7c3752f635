"""The order in which Trial runs the tests of a stage."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

from twisted.trial.runner import TestLoader
from twisted.trial.unittest import TestCase

from exercises.manifest import STAGES
from exercises.order import suite_of
from workshop.environment import ROOT

timeout = 60  # seconds: some tests start a process

CORE = """
from twisted.trial.unittest import TestCase

class SecondTests(TestCase):
    def test_b(self): pass
    def test_a(self): pass

class FirstTests(TestCase):
    def test_c(self): pass
"""

HARDENING = """
from twisted.trial.unittest import TestCase

class HardeningTests(TestCase):
    def test_d(self): pass
"""

IN_ORDER = [
    "test_zebra.SecondTests.test_b",
    "test_zebra.SecondTests.test_a",
    "test_zebra.FirstTests.test_c",
    "test_hardening.HardeningTests.test_d",
]


def ids(suite: unittest.TestSuite | unittest.TestCase) -> list[str]:
    """Return the names of the tests in a suite, in the order in which they are run."""
    if isinstance(suite, unittest.TestSuite):
        return [name for test in suite for name in ids(test)]
    return [suite.id()]


class CoreFirstTests(TestCase):
    """A package with a core that sorts after ``test_hardening``."""

    def setUp(self) -> None:
        self.home = Path(self.mktemp()).resolve()
        stage = self.home / "stage_to_order"
        stage.mkdir(parents=True)
        text = "from exercises.order import core_first\n\ncore_first(__name__)\n"
        (stage / "__init__.py").write_text(text, encoding="utf-8")
        (stage / "test_zebra.py").write_text(CORE, encoding="utf-8")
        (stage / "test_hardening.py").write_text(HARDENING, encoding="utf-8")

    def trial(self, *words: str) -> list[str]:
        """Let Trial run the package; return the names of the tests in the order of the report."""
        command = [sys.executable, "-m", "twisted.trial", "--reporter=bwverbose", *words]
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(self.home), str(ROOT)])}
        done = subprocess.run(
            command, cwd=self.home, env=environ, capture_output=True, text=True, check=False
        )
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return re.findall(r"^stage_to_order\.(\S+) \.\.\. \[OK\]$", done.stdout, re.MULTILINE)

    def test_as_written(self) -> None:
        """The core is run first, each module from top to bottom, whatever order is asked for."""
        self.assertEqual(self.trial("stage_to_order"), IN_ORDER)
        self.assertEqual(self.trial("--order", "toptobottom", "stage_to_order"), IN_ORDER)

    def test_several_processes(self) -> None:
        """With ``-j`` nothing is lost."""
        self.assertEqual(sorted(self.trial("-j2", "stage_to_order")), sorted(IN_ORDER))

    def test_one_test(self) -> None:
        """A test, a test case and a module can be named, and are run alone."""
        for name, count in (
            ("test_hardening", 1),
            ("test_zebra", 3),
            ("test_zebra.SecondTests", 2),
            ("test_zebra.SecondTests.test_a", 1),
        ):
            found = self.trial("--order", "toptobottom", f"stage_to_order.{name}")
            expected = [test for test in IN_ORDER if test.startswith(name)]
            self.assertEqual((len(found), found), (count, expected), name)


class StageTests(TestCase):
    """The stages as they are."""

    def test_each_stage(self) -> None:
        """In Part I the hardening comes last, and no test is missing or twice there."""
        for stage in STAGES:
            if stage.part == "I":
                found = ids(TestLoader().loadByName(stage.package))
                modules = list(dict.fromkeys(name.rsplit(".", 2)[0] for name in found))
                self.assertEqual(modules, stage.test_modules)
                self.assertNotIn("test_hardening", modules[0])
                alone = [test for name in modules for test in ids(TestLoader().loadByName(name))]
                self.assertEqual(sorted(found), sorted(alone))

    def test_module_that_cannot_be_imported(self) -> None:
        """It is one error, which names it, as with Trial's own order; the others are run."""
        found = ids(suite_of(["no_such_module", __name__]))
        self.assertEqual(found[0], "no_such_module")
        self.assertIn(self.id(), found)
