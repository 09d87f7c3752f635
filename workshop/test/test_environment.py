"""The set-up: what it does, and what it says when it cannot."""

from __future__ import annotations

import importlib.util
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from twisted.trial.unittest import SkipTest, TestCase

import workshop.__main__
from exercises.manifest import STAGES
from workshop import environment
from workshop.__main__ import ACTIVATE, main, start
from workshop.descriptions import tests_in
from workshop.environment import ROOT, WINDOWS, Environment, SetUpError, provide_ensurepip

timeout = 60  # seconds: one test makes a real environment


class MakeTests(TestCase):
    """Making the virtual environment."""

    def setUp(self) -> None:
        self.patch(sys, "stdout", io.StringIO())

    def test_environment_that_works_is_kept(self) -> None:
        """A second time nothing is made: what was installed stays."""
        home = Environment(Path(self.mktemp()).resolve())
        home.make()
        (home.home / "mark").touch()
        home.make()
        self.assertTrue((home.home / "mark").exists())

    def test_broken_environment_is_made_again(self) -> None:
        """An environment whose Python is gone is replaced."""
        home = Environment(Path(self.mktemp()).resolve())
        home.home.mkdir()
        (home.home / "pyvenv.cfg").touch()
        home.make()
        self.assertTrue(home.python.exists())

    def test_something_else_is_in_the_way(self) -> None:
        """A folder that is no environment is left alone; the error names it."""
        home = Path(self.mktemp())
        home.mkdir()
        (home / "mine.txt").touch()
        error = self.assertRaises(SetUpError, Environment(home).make)
        self.assertIn(str(home), str(error))
        self.assertTrue((home / "mine.txt").exists())

    def test_old_python(self) -> None:
        """The error says which Python is needed."""
        self.patch(sys, "version_info", (3, 9, 2))
        error = self.assertRaises(SetUpError, Environment(Path("none")).make)
        self.assertEqual(str(error), "This is Python 3.9. Install 3.10 or newer, and use that.")


class InstallTests(TestCase):
    """Installing with pip."""

    def setUp(self) -> None:
        self.commands: list[Sequence[str]] = []
        self.code = 0
        self.patch(sys, "stdout", io.StringIO())
        self.patch(environment, "run", self.run_nothing)
        self.home = Environment(Path(self.mktemp()))
        self.home.home.mkdir()

    def run_nothing(self, command: Sequence[str]) -> int:
        """Note the command instead of running it."""
        self.commands.append(command)
        return self.code

    def test_once(self) -> None:
        """What is installed is not installed again: the second time needs no network."""
        self.home.install("six", stamp="1")
        self.home.install("six", stamp="1")
        self.assertEqual([command[-1] for command in self.commands], ["six"])

    def test_again_when_something_changed(self) -> None:
        """Another stamp means another installation."""
        self.home.install("six", stamp="1")
        self.home.install("six", stamp="2")
        self.assertEqual(len(self.commands), 2)

    def test_folder_is_editable(self) -> None:
        """Changes in the project's folder must take effect."""
        self.home.install(str(ROOT), stamp="1")
        self.assertEqual(self.commands[0][-2:], ["--editable", str(ROOT)])

    def test_folder_with_an_extra(self) -> None:
        """So they must when something is installed for the workshop beside it."""
        self.home.install(f"{ROOT}[workshop]", stamp="1")
        self.assertEqual(self.commands[0][-2:], ["--editable", f"{ROOT}[workshop]"])

    def test_name_of_any_requirement(self) -> None:
        """What is noted has a name that Windows allows too."""
        self.home.install("tox>=4.20", stamp="1")
        self.assertEqual([path.name for path in self.home.home.iterdir()], ["tox__4.20.installed"])

    def test_failure(self) -> None:
        """A failure is an error, and is not taken for done."""
        self.code = 1
        self.assertRaises(SetUpError, self.home.install, "six", stamp="1")
        self.assertRaises(SetUpError, self.home.install, "six", stamp="1")


class LauncherTests(TestCase):
    """A command that is no part of any package."""

    def setUp(self) -> None:
        self.home = Environment(Path(self.mktemp()).resolve() / "it's a folder")
        self.home.scripts.mkdir(parents=True)

    def test_it_runs_the_module(self) -> None:
        """It starts the environment's Python, wherever that is, and hands on the words."""
        if WINDOWS:
            raise SkipTest("the launcher is another one")
        self.home.python.symlink_to(sys.executable)
        (self.home.home / "greet.py").write_text("import sys; print(sys.argv[1:]); sys.exit(3)")
        self.home.add_command("greet")
        command = [str(self.home.scripts / "greet"), "a b", "$c"]
        done = subprocess.run(command, cwd=self.home.home, capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (3, b"['a b', '$c']\n"), done.stderr)

    def test_windows(self) -> None:
        """There it is a batch file beside Python."""
        self.patch(environment, "WINDOWS", True)
        self.home.add_command("greet")
        text = (self.home.scripts / "greet.cmd").read_text()
        self.assertEqual(text, '@"%~dp0python.exe" -m greet %*\n')


class CheckTests(TestCase):
    """Whether the environment has what it needs."""

    def test_module_that_is_there(self) -> None:
        """What can be imported is all right."""
        home = Environment(Path(self.mktemp()))
        home.python = Path(sys.executable)
        home.check("json", "sys")

    def test_module_that_is_missing(self) -> None:
        """What cannot is an error, which says what to do."""
        home = Environment(Path(self.mktemp()))
        home.python = Path(sys.executable)
        self.patch(environment, "run", lambda command: 1)
        error = self.assertRaises(SetUpError, home.check, "json")
        self.assertIn(f"Delete {home.home}", str(error))


class EnsurepipTests(TestCase):
    """Debian's Python comes without the part that makes environments."""

    def setUp(self) -> None:
        self.commands: list[str] = []
        self.programs = {"apt-get", "sudo"}
        self.patch(environment, "run", lambda command: self.commands.append(" ".join(command)))
        self.patch(shutil, "which", lambda name: name if name in self.programs else None)
        self.patch(importlib.util, "find_spec", lambda name: None)
        self.patch(sys, "version_info", (3, 11, 2))
        self.patch(sys, "stdout", io.StringIO())

    def become(self, user: int) -> None:
        """Let this process be that of another user."""
        if not hasattr(os, "geteuid"):
            os.geteuid = lambda: user  # type: ignore[attr-defined, unused-ignore]
            self.addCleanup(delattr, os, "geteuid")
        self.patch(os, "geteuid", lambda: user)

    def test_nothing_to_do(self) -> None:
        """A Python that is complete is left alone."""
        self.patch(importlib.util, "find_spec", lambda name: object())
        provide_ensurepip()
        self.assertEqual(self.commands, [])

    def test_root(self) -> None:
        """Root installs Debian's package for this very Python."""
        self.become(0)
        provide_ensurepip()
        expected = ["apt-get update", "apt-get install --yes python3.11-venv"]
        self.assertEqual(self.commands, expected)

    def test_user_with_sudo(self) -> None:
        """Others ask sudo, which asks them."""
        self.become(1000)
        provide_ensurepip()
        expected = ["sudo apt-get update", "sudo apt-get install --yes python3.11-venv"]
        self.assertEqual(self.commands, expected)

    def test_user_without_sudo(self) -> None:
        """Without sudo the error says what root must type."""
        self.become(1000)
        self.programs = {"apt-get"}
        error = self.assertRaises(SetUpError, provide_ensurepip)
        self.assertIn("apt-get install python3.11-venv", str(error))

    def test_another_system(self) -> None:
        """Where there is no apt-get, the error says what is missing."""
        self.programs = set()
        error = self.assertRaises(SetUpError, provide_ensurepip)
        self.assertIn("ensurepip", str(error))

    def test_failure(self) -> None:
        """If apt-get fails, the set-up ends."""
        self.become(0)
        self.patch(environment, "run", lambda command: 100)
        self.assertRaises(SetUpError, provide_ensurepip)


class BareTests(TestCase):
    """A Python on which nothing is installed yet."""

    def test_import(self) -> None:
        """The commands that set up can be imported there."""
        missing = ("twisted", "zope", "rich")
        text = f"import sys; sys.modules.update(dict.fromkeys({missing})); import workshop.__main__"
        done = subprocess.run(
            [sys.executable, "-c", text], cwd=ROOT, capture_output=True, text=True, check=False
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class CommandTests(TestCase):
    """The command line."""

    def setUp(self) -> None:
        self.stderr = io.StringIO()
        self.patch(sys, "stderr", self.stderr)

    def test_no_command(self) -> None:
        """Without a command the usage is shown, with exit code 2."""
        error = self.assertRaises(SystemExit, main, [])
        self.assertEqual(error.code, 2)
        self.assertIn("COMMAND", self.stderr.getvalue())

    def test_error(self) -> None:
        """A set-up that cannot go on is one line, and exit code 1."""
        self.patch(sys, "version_info", (3, 9, 2))
        self.assertEqual(main(["start"]), 1)
        expected = "workshop: This is Python 3.9. Install 3.10 or newer, and use that.\n"
        self.assertEqual(self.stderr.getvalue(), expected)


class StartTests(TestCase):
    """What the first command says when all is installed."""

    def setUp(self) -> None:
        self.codes = {"workshop.ready": 0, "twisted.trial": 1}
        self.commands: list[list[str]] = []
        self.green = 0
        self.total = len(tests_in(STAGES[0].folder))
        self.stdout = io.StringIO()
        self.home = Environment(Path("nowhere"))
        for name in ("install", "add_command", "check"):
            self.patch(self.home, name, lambda *args, **options: None)
        self.patch(workshop.__main__, "run", self.run_nothing)
        self.patch(workshop.__main__, "count_green", lambda home, stage: self.green)
        self.patch(sys, "stdout", self.stdout)

    def run_nothing(self, command: Sequence[str]) -> int:
        """Note the command; what it prints is not ours."""
        self.stdout.write(f"({command[2]})\n")
        self.commands.append([*command[1:]])
        return self.codes[command[2]]

    def test_order(self) -> None:
        """First that the machine can do it, then the first red test alone, then what is next."""
        self.assertEqual(start(self.home), 0)
        first, second = self.commands
        self.assertEqual(first, ["-m", "workshop.ready"])
        options = ["-x", "--order", "toptobottom"]
        self.assertEqual(second, ["-m", "twisted.trial", *options, "exercises.stage1"])
        said = self.stdout.getvalue().replace("\n", " ")
        self.assertRegex(said, r"\(workshop.ready\).*\(twisted.trial\).*trial -x --order")

    def test_red(self) -> None:
        """It says how many are green, which page to read, and what to type."""
        start(self.home)
        said = self.stdout.getvalue()
        self.assertIn(f"0 of {self.total} tests of stage 1 are green.", said)
        page = "exercises/stage1/README.md"
        commands = (f"    {ACTIVATE}\n", "    trial -x --order toptobottom exercises.stage1\n")
        for words in (page, *commands):
            self.assertIn(words, said)

    def test_some_are_green(self) -> None:
        """Who has begun is told how far they are."""
        self.green = 12
        start(self.home)
        self.assertIn(f"12 of {self.total} tests of stage 1 are green.", self.stdout.getvalue())

    def test_all_are_green(self) -> None:
        """Who is done is sent on to the next stage."""
        self.codes["twisted.trial"] = 0
        self.green = self.total
        start(self.home)
        said = self.stdout.getvalue()
        self.assertIn(f"{self.total} of {self.total} tests of stage 1 are green.", said)
        self.assertIn("    trial -x --order toptobottom exercises.stage2\n", said)

    def test_machine_that_cannot(self) -> None:
        """The tests are run all the same, as most stages need no network; the exit code is 1."""
        self.codes["workshop.ready"] = 1
        self.assertEqual(start(self.home), 1)
        self.assertIn("0 of", self.stdout.getvalue())


class CountTests(TestCase):
    """How many tests of a stage are green."""

    def count(self, text: str) -> int:
        """Count in a project with one stage, which has one module of tests."""
        folder = Path(self.mktemp()).resolve()
        (folder / "exercises" / "stage1").mkdir(parents=True)
        for name in ("exercises", "exercises/stage1"):
            (folder / name / "__init__.py").touch()
        (folder / "exercises" / "stage1" / "test_a.py").write_text(text)
        self.patch(workshop.__main__, "ROOT", folder)
        home = Environment(folder)
        home.python = Path(sys.executable)
        return workshop.__main__.count_green(home, STAGES[0])

    def test_green_and_red(self) -> None:
        """The green ones alone are counted."""
        text = """
from twisted.trial.unittest import TestCase
class A(TestCase):
    def test_a(self): pass
    def test_b(self): self.fail()
    def test_c(self): pass
    def test_d(self): 1/0
"""
        self.assertEqual(self.count(text), 2)

    def test_none_is_green(self) -> None:
        """What cannot be loaded is red."""
        self.assertEqual(self.count("import nothing.such"), 0)
