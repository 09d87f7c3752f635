"""Every command and every output that the documents show is run, and compared.

It makes a copy of the project, sets it up as the README says, and types what the
README shows; so it needs the network and half a minute, and is not named
``test_*``: ``trial workshop.test.documents`` runs it, as CI does.

In a document, ``console`` blocks are run; a ``...`` in an output stands for
anything, and a command that is shown without output must succeed.  Comments
tell what a reader does between the blocks:

- ``<!-- solve N -->``: writes stages 1 to N (here: copies the solutions, over the stubs and
  over the tests that the learner writes).
- ``<!-- file PATH -->``: writes the next block into the file.
- ``<!-- method PATH -->``: puts the method in the next block in the place of the one with its
  name.
- ``<!-- edit PATH: OLD => NEW -->``: changes one place of it.
- ``<!-- press Ctrl-C after N seconds -->``: while the next block runs.
- ``<!-- not run: WHY -->``: the next block is not run.
"""

from __future__ import annotations

import contextlib  # not the name suppress, which means something to Trial
import doctest
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from zipfile import ZipFile

from markdown_it import MarkdownIt
from twisted.trial.unittest import SkipTest, TestCase

from exercises.manifest import ROUTES, STAGES
from workshop.environment import ROOT
from workshop.judging import ROOT_NOTICE
from workshop.learner import has_been_worked_on

timeout = 600  # seconds: the first test installs the workshop

SERVERS = ("python -m toyhttp", "python -m exercises.myhttp", "python serve.py")
SILENT_SERVER = "python hello.py"
PRESS = r"press Ctrl-C after (\d+) seconds"
COMPARE = doctest.ELLIPSIS | doctest.REPORT_NDIFF


class Reader:
    """Somebody who has a copy of the project and types what a document shows."""

    def __init__(self, home: Path) -> None:
        self.home = home
        # A file that is edited twice within a second, and keeps its size, would be taken for the
        # same: so no bytecode is kept.
        self.environ = {**os.environ, "COLUMNS": "80", "PYTHONDONTWRITEBYTECODE": "1"}
        for name in ("VIRTUAL_ENV", "PYTHONPATH", "TOX_ENV_NAME"):
            self.environ.pop(name, None)
        self.server: subprocess.Popen[str] | None = None
        self.interrupt_after: float | None = None  # seconds

    def copy_project(self) -> None:
        """Copy the project, without what was made in it."""
        made = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "_trial_temp*")
        shutil.copytree(ROOT, self.home, ignore=made)
        # On a terminal curl draws no progress when it prints the answer; nor shall it here.
        (self.home / ".curlrc").write_text("no-progress-meter\n", encoding="utf-8")
        self.environ["CURL_HOME"] = str(self.home)

    def read(self, document: Path) -> list[str]:
        """Do all that a document shows; return what came out otherwise than shown."""
        differences: list[str] = []
        instruction = ""
        for token in MarkdownIt().parse(document.read_text(encoding="utf-8")):
            if token.type == "html_block":
                instruction = token.content.strip().removeprefix("<!--").removesuffix("-->").strip()
                self.obey(instruction)
            elif token.type == "fence":
                if instruction.startswith("file "):
                    path = self.home / instruction.removeprefix("file ")
                    path.write_text(token.content, encoding="utf-8")
                elif instruction.startswith("method "):
                    put_method(self.home / instruction.removeprefix("method "), token.content)
                elif token.info == "console" and not instruction.startswith("not run: "):
                    press = re.fullmatch(PRESS, instruction)
                    self.interrupt_after = float(press[1]) if press else None
                    differences += self.type_all(token.content)
                instruction = ""
        self.stop_server()
        return differences

    def obey(self, instruction: str) -> None:
        """Do what a comment says, unless it is about the next block."""
        if solve := re.fullmatch(r"solve (\d+)", instruction):
            for stage in STAGES[: int(solve[1])]:
                for module in stage.writes:
                    source = ROOT / "solutions" / stage.folder.name / f"{module}.py"
                    shutil.copy(source, self.home / "exercises" / "myhttp")
                if stage.part != "I":
                    tests = self.home / "exercises" / stage.folder.name
                    shutil.copytree(stage.contract, tests, dirs_exist_ok=True)
        elif edit := re.fullmatch(r"edit (\S+): (.+) => (.+)", instruction, re.DOTALL):
            path = self.home / edit[1]
            text = path.read_text(encoding="utf-8")
            if text.count(edit[2]) != 1:
                raise ValueError(f"{edit[1]} does not have just one {edit[2]!r}")
            path.write_text(text.replace(edit[2], edit[3]), encoding="utf-8")
        elif not re.match(rf"(file|method|not run:) |{PRESS}", instruction):
            raise ValueError(f"a comment that nobody understands: {instruction!r}")

    def type_all(self, block: str) -> list[str]:
        """Run the commands of a block; return the differences to the output that it shows."""
        checker = doctest.OutputChecker()
        differences = []
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, expected = part.partition("\n")
            code, output = self.run(command)
            output = re.sub(r"[ \t]+$", "", output, flags=re.MULTILINE).strip("\n") + "\n"
            expected = expected.strip("\n") + "\n"
            if expected == "\n":
                if code:
                    differences.append(f"$ {command}\nexit code {code}\n{output}")
            elif not checker.check_output(expected, output, COMPARE):
                example = doctest.Example(command, expected)
                difference = checker.output_difference(example, output, COMPARE)
                differences.append(f"$ {command}\n{difference}")
        return differences

    def run(self, command: str) -> tuple[int, str]:
        """Run one command; return its exit code and what it printed."""
        if command == "source .venv/bin/activate":
            self.environ["PATH"] = f"{self.home}/.venv/bin:{self.environ['PATH']}"
            return 0, ""
        if command.startswith((*SERVERS, SILENT_SERVER)):
            self.stop_server()
            self.server = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                cwd=self.home,
                env=self.environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            assert self.server.stdout is not None
            if command != SILENT_SERVER:
                return 0, self.server.stdout.readline()
            return 0, self.wait_for_server()
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}" if self.interrupt_after else command],
            cwd=self.home,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            output, _ = process.communicate(timeout=self.interrupt_after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate()
        return process.returncode, output.replace(f"{ROOT_NOTICE}\n", "")

    def wait_for_server(self) -> str:
        """Wait until a server that does not say so can be asked; return why it cannot."""
        assert self.server is not None and self.server.stdout is not None
        while self.server.poll() is None:
            with (
                contextlib.suppress(ConnectionRefusedError),
                socket.create_connection(("127.0.0.1", 8080)),
            ):
                return ""
            time.sleep(0.05)
        return self.server.stdout.read()

    def stop_server(self) -> None:
        """End the server that was started last, as Ctrl-C would."""
        if self.server is not None:
            self.server.terminate()
            self.server.communicate()
            self.server = None


def put_method(path: Path, block: str) -> None:
    """Put a method in the place of the one with its name.

    :param block: its text, indented or not.
    """
    block = textwrap.indent(textwrap.dedent(block), "    ")
    text = path.read_text(encoding="utf-8")
    name = re.search(r"def (\w+)", block)
    assert name is not None
    (old,) = re.findall(rf"^    def {name[1]}\(.*?(?=^    def |\Z)", text, re.DOTALL | re.MULTILINE)
    path.write_text(text.replace(old, block + "\n"), encoding="utf-8")


class DocumentTests(TestCase):
    """The documents tell the truth."""

    def setUp(self) -> None:
        if sys.platform == "win32":
            raise SkipTest("the documents show what is typed on Linux and macOS")
        if has_been_worked_on():
            raise SkipTest("exercises/myhttp has been worked on: it is not as it was shipped")
        if shutil.which("curl") is None:
            raise SkipTest("the documents show curl: install it")
        self.reader = Reader(Path(self.mktemp()).resolve())
        self.reader.copy_project()
        self.addCleanup(self.reader.stop_server)

    def test_documents(self) -> None:
        """First the README, by somebody who has just cloned; then all others."""
        differences = {"README.md": self.reader.read(ROOT / "README.md")}
        self.reader.obey(f"solve {STAGES[-1].number}")
        documents = [stage.folder / "README.md" for stage in STAGES]
        documents += [*sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md"]
        for document in documents:
            differences[str(document.relative_to(ROOT))] = self.reader.read(document)
        self.assert_found_from_any_folder()
        wrong = [f"{name}:\n{text}" for name, texts in differences.items() for text in texts]
        self.assertEqual(wrong, [], "\n\n" + "\n".join(wrong))

    def assert_found_from_any_folder(self) -> None:
        """Run a stage where none of the project's folders is; there must be no warning."""
        self.reader.home, home = Path(self.mktemp()).resolve(), self.reader.home
        self.reader.home.mkdir()
        code, output = self.reader.run(f"{home}/.venv/bin/trial exercises.stage1")
        self.assertEqual(code, 0, output)
        self.assertNotRegex(output, "(?i)warning|PEP 302")


class WheelTests(TestCase):
    """What those get who install the server alone."""

    def test_packages(self) -> None:
        """A wheel has ``toyhttp`` in it, typed, with its plugin, and none of the workshop."""
        reader = Reader(Path(self.mktemp()).resolve())
        reader.copy_project()
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", "."]
        subprocess.run([*build, "."], cwd=reader.home, check=True)
        (wheel,) = reader.home.glob("*.whl")
        names = ZipFile(wheel).namelist()
        self.assertIn("toyhttp/py.typed", names)
        packages = {name.partition("/")[0] for name in names}
        self.assertEqual(
            {name for name in packages if "dist-info" not in name}, {"toyhttp", "twisted"}
        )
        plugins = [name for name in names if name.startswith("twisted/")]
        self.assertEqual(plugins, ["twisted/plugins/toyhttp_plugin.py"])


class ReadmeTests(TestCase):
    """What the README says about the project is so."""

    def setUp(self) -> None:
        self.readme = (ROOT / "README.md").read_text(encoding="utf-8")

    def test_command_of_ci(self) -> None:
        """The second command is the one that CI runs."""
        self.assertIn("$ python3 -m workshop test\n", self.readme)
        self.assertIn("python3 -m workshop test\n", (ROOT / ".ci" / "run").read_text())

    def test_table_of_stages(self) -> None:
        """The table is that of the manifest."""
        for stage in STAGES:
            title = f"[{stage.title}](exercises/stage{stage.number}/README.md)"
            minutes = stage.minutes or "the rest"
            names = [*stage.writes]
            if stage.part != "I":
                names[:0] = [name.rpartition(".")[2] for name in stage.test_modules]
            modules = ", ".join(f"`{name}.py`" for name in names)
            row = f"| {stage.number} | {title} | {modules} | {stage.lesson} | {minutes} |"
            self.assertIn(row, self.readme)

    def test_table_of_routes(self) -> None:
        """So is that of the routes, a row for each sitting."""
        for route in ROUTES:
            for number, sitting in enumerate(route.sittings):
                steps = ", ".join(
                    f"{step.stage}{step.part and f': {step.part}'} ({step.minutes})"
                    for step in sitting.steps
                )
                title = "" if number else route.title
                cells = (title, steps, str(sitting.talk or ""), str(sitting.minutes))
                row = " ".join(f"| {cell}".rstrip() for cell in cells) + " |"
                self.assertIn(row, self.readme)

    def test_skipped(self) -> None:
        """The stages that the class skips are named."""
        *some, last = ROUTES[0].skipped
        words = f"It skips stages {', '.join(map(str, some))} and {last}."
        self.assertIn(words, " ".join(self.readme.split()))

    def test_minutes(self) -> None:
        """The page of each stage says how long it takes."""
        for stage in STAGES:
            page = (stage.folder / "README.md").read_text(encoding="utf-8")
            minutes = f" {stage.minutes} minutes." if stage.minutes else " The rest of the day."
            self.assertIn(minutes, page.split("##")[0], f"page of stage {stage.number}")

    def test_links(self) -> None:
        """Every link to a file of the project leads somewhere."""
        for document in [ROOT / "README.md", *ROOT.glob("*/**/*.md"), ROOT / "CONTRIBUTING.md"]:
            if any(part.startswith(".") for part in document.relative_to(ROOT).parts):
                continue
            # What stands in a fragment will stand in CHANGELOG.md.
            folder = ROOT if document.parent.name == "newsfragments" else document.parent
            for target in re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8")):
                if not target.startswith("http"):
                    self.assertTrue((folder / target).exists(), f"{document}: {target}")
