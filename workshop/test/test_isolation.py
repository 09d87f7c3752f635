"""Each test begins as the one before it began.

Whatever these tests do would harm nobody if it were not undone: they change what is in their
own process, and write files into the folder that they are in.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from twisted.trial.unittest import SkipTest

from workshop.isolation import remove
from workshop.processes import end_tree
from workshop.test.judged import HEAD, JudgedTestCase

timeout = 60  # seconds: some of them start a worker

CHANGES = {
    "the working folder": (
        "os.chdir(os.path.dirname(os.path.dirname(os.getcwd())))",
        "os.path.basename(os.path.dirname(os.getcwd())) == HOME",
    ),
    "what is in the folder": (
        "open('a', 'w').close(); os.mkdir('b'); open('b/c', 'w').close(); os.chmod('b', 0)",
        "os.listdir('.') == []",
    ),
    "the environment": ("os.environ['WORKSHOP'] = 'a'", "'WORKSHOP' not in os.environ"),
    "a variable less": ("del os.environ['PATH']", "'PATH' in os.environ"),
    "another environment": ("os.environ = {}", "'PATH' in os.environ"),
    "sys.path": ("sys.path.insert(0, 'nowhere')", "'nowhere' not in sys.path"),
    "another sys.path": ("sys.path = []", "sys.path"),
    "a handler": (
        "signal.signal(signal.SIGINT, signal.SIG_IGN)",
        "signal.getsignal(signal.SIGINT) is signal.default_int_handler",
    ),
    "a module less": ("del sys.modules['json']", "'json' in sys.modules"),
    "a false module": ("sys.modules['json'] = object()", "__import__('json').dumps(1) == '1'"),
    "a module more": ("sys.modules['mine'] = object()", "'mine' not in sys.modules"),
    "a function of a module": ("os.getpid = lambda: 0", "os.getpid() > 0"),
    "a built-in function": ("import builtins; builtins.sum = id", "sum([1, 1]) == 2"),
    "a function that few know": (
        "import calendar; calendar.leapdays = id",
        "__import__('calendar').leapdays(2000, 2001) == 1",
    ),
    "a method": ("TestCase.assertEqual = lambda *_: 7", "self.assertEqual(1, 1) != 7"),
    "a method of Twisted": (
        "from twisted.internet.task import Clock; Clock.seconds = lambda _: 7",
        "__import__('twisted.internet.task').internet.task.Clock().seconds() == 0",
    ),
    "a name of the server": (
        "from exercises.myhttp import request; request.BadRequest = id",
        "__import__('sys').modules['exercises.myhttp.request'].BadRequest is BadRequest",
    ),
    "a name of the test module": ("globals()['HOME'] = 1", "HOME != 1"),
    "a list of the test module": ("LIST.append(1)", "LIST == []"),
    "an attribute of the test case": ("type(self).extra = 1", "not hasattr(self, 'extra')"),
    "umask": ("os.umask(0)", "os.umask(0o22) != 0"),
    "the limit of recursion": ("sys.setrecursionlimit(5000)", "sys.getrecursionlimit() < 5000"),
    "the filters of warnings": (
        "import warnings; warnings.simplefilter('error')",
        "__import__('warnings').filters[0][0] != 'error'",
    ),
    "the standard output": ("sys.stdout = None", "sys.stdout is not None"),
    "trace": ("sys.settrace(lambda *_: None)", "sys.gettrace() is None"),
}
"""What a test changes, and an expression that is true when that is undone."""

POSIX = ("umask", "a handler")

TEXT = """
import signal

HOME = os.path.basename(os.getcwd())
LIST = []


class ChangingTests(TestCase):
    def test_a(self):
        self.assertTrue(parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n"))
        assert {expected}, "before"
        {change}

    def test_b(self):
        self.assertTrue(parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n"))
        assert {expected}, "behind"
"""


class IsolationTests(JudgedTestCase):
    """What one test does is undone before the next."""

    def test_changes(self) -> None:
        """The process is as it was."""
        for name, (change, expected) in CHANGES.items():
            if name in POSIX and os.name == "nt":
                continue
            verdict = self.judge_text(HEAD + TEXT.format(change=change, expected=expected))
            states = [(test.test, test.state, test.why) for test in verdict.tests]
            wrong = [state for state in states if state[1] != "valid"]
            self.assertEqual(wrong, [], name)
            self.assertEqual(len(states), 3, verdict.problem)

    def test_import(self) -> None:
        """What is changed while the tests are imported is undone before the next server."""
        text = "import os\nassert 'WORKSHOP' not in os.environ\nos.environ['WORKSHOP'] = 'a'\n"
        verdict = self.judge_text(text + HEAD)
        self.assertEqual([test.state for test in verdict.tests], ["valid"], verdict)

    def test_fork(self) -> None:
        """A child that comes back from a test does not go on with the next one."""
        if not hasattr(os, "fork"):
            raise SkipTest("there is no fork here")
        test = self.judge_test(
            """
    def test_fork(self):
        self.assertTrue(parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n"))
        child = os.fork()
        if child:
            os.waitpid(child, 0)
"""
        )
        self.assertEqual((test.state, test.why), ("valid", ""))

    def test_what_is_left_running(self) -> None:
        """A process and a thread are ended, and named."""
        mark = Path(self.mktemp()).resolve()
        code = f"import os, pathlib, time; p = pathlib.Path({str(mark)!r}); "
        code += "p.write_text(str(os.getpid())); time.sleep(600)"
        verdict = self.judge_text(
            HEAD
            + f"""
    def test_process(self):
        import subprocess, time
        self.assertTrue(parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n"))
        subprocess.Popen([sys.executable, "-c", {code!r}], start_new_session=True)
        while not os.path.exists({str(mark)!r}) or not os.stat({str(mark)!r}).st_size:
            time.sleep(0.001)

    def test_thread(self):
        import threading, time
        self.assertTrue(parse_request(b"GET / HTTP/1.0\\r\\n\\r\\n"))
        threading.Thread(target=time.sleep, args=(600,), name="mine", daemon=True).start()

    def test_behind_it(self):
        self.assertEqual(parse_request(b"PUT / HTTP/1.0\\r\\n\\r\\n").method, b"PUT")
"""
        )
        states = {test.test.rpartition(".")[2]: (test.state, test.why) for test in verdict.tests}
        left = "leaves something running"
        thread = (left, "When it is over, a thread (mine) is still running.")
        self.assertEqual(states["test_thread"], thread)
        self.assertEqual(states["test_behind_it"], ("valid", ""))
        if os.name != "nt":
            process = (left, "When it is over, a process is still running.")
            self.assertEqual(states["test_process"], process)
        if sys.platform == "linux":
            self.assertFalse(is_running(int(mark.read_text())))


class RemoveTests(JudgedTestCase):
    """Folders are removed, and nothing else."""

    def test_link(self) -> None:
        """What a symbolic link leads to stays, with its permissions."""
        beside, folder = Path(self.mktemp()), Path(self.mktemp())
        for path in (beside, folder, folder / "closed"):
            path.mkdir()
        (beside / "a").touch()
        before = beside.stat().st_mode
        try:
            (folder / "link").symlink_to(beside.resolve())
        except OSError as error:
            raise SkipTest("no symbolic links here") from error
        (folder / "closed").chmod(0)
        remove(folder)
        self.assertFalse(folder.exists())
        self.assertEqual((beside.stat().st_mode, (beside / "a").exists()), (before, True))


class TreeTests(JudgedTestCase):
    """A process is ended with all that it has started."""

    def test_grandchild(self) -> None:
        """Even what has left its group."""
        if sys.platform != "linux":
            raise SkipTest("only Linux says what a process has started")
        sleep = "import time; time.sleep(600)"
        code = f"""
import json, subprocess, sys, time
kinds = [{{}}, {{"start_new_session": True}}]
started = [subprocess.Popen([sys.executable, "-c", {sleep!r}], **kind).pid for kind in kinds]
print(json.dumps(started), flush=True)
time.sleep(600)
"""
        command = [sys.executable, "-c", code]
        with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
            assert process.stdout is not None
            started = json.loads(process.stdout.readline())
            end_tree(process)
        self.assertEqual([pid for pid in started if is_running(pid)], [])


def is_running(pid: int) -> bool:
    """Tell whether a process is there a moment later, and is no zombie."""
    path = Path(f"/proc/{pid}/stat")
    for _ in range(100):
        try:
            if path.read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except OSError:
            return False
        time.sleep(0.01)
    return True
