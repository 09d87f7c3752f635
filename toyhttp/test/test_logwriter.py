"""The log that nobody waits for: lines that are written, dropped, counted and told of."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from threading import Event

from twisted.trial.unittest import TestCase

from toyhttp.logwriter import DescriptorOutput, FileOutput, LogWriter

timeout = 30

FULL = OSError(errno.ENOSPC, "No space left on device")


class FakeOutput:
    """An output that the test holds up, breaks, and reads."""

    def __init__(self) -> None:
        self.data = b""
        self.begun, self.may_go_on = Event(), Event()
        self.may_go_on.set()
        self.before: Callable[[], object] = lambda: None
        self.most = 10**9

    def write(self, data: bytes) -> int:
        """Take some of it when the test lets it."""
        self.begun.set()
        self.may_go_on.wait(20)
        self.before()
        self.data += data[: self.most]
        return min(len(data), self.most)


class LogWriterTests(TestCase):
    """What becomes of lines."""

    def setUp(self) -> None:
        """Make an output, and a list for what is reported."""
        self.output = FakeOutput()
        self.reports: list[str] = []

    def closed(self, writer: LogWriter) -> list[bytes]:
        """Close a writer, and return the lines that were written."""
        writer.close(20)
        return self.output.data.splitlines()

    def test_lines(self) -> None:
        """They are written in their order, whatever the output takes at once."""
        for most in (1, 7, 10**9):
            self.output.data, self.output.most = b"", most
            writer = LogWriter(self.output)
            for number in range(2000):
                writer.write(f"{number}\n")
            self.assertEqual(self.closed(writer), [b"%d" % number for number in range(2000)])

    def test_nothing(self) -> None:
        """Without a line there is no thread, and nothing to close."""
        LogWriter(self.output).close(20)
        self.assertFalse(self.output.begun.is_set())

    def test_output_that_waits(self) -> None:
        """Nobody waits for it; what is too much is dropped, counted, and told of."""
        self.output.may_go_on.clear()
        writer = LogWriter(self.output, limit=10)
        writer.write("first\n")
        self.assertTrue(self.output.begun.wait(20))
        for number in range(25):
            writer.write(f"{number}\n")
        self.output.may_go_on.set()
        expected = [b"first", *(b"%d" % number for number in range(10))]
        lost = b"15 lines of the log were lost: it could not be written in time."
        self.assertEqual(sorted(self.closed(writer)), sorted([*expected, lost]))

    def test_report(self) -> None:
        """A log in which only its own lines may stand tells of it elsewhere."""
        self.output.may_go_on.clear()
        writer = LogWriter(self.output, self.reports.append, limit=1)
        writer.write("first\n")
        self.assertTrue(self.output.begun.wait(20))
        for _ in range(3):
            writer.write("x\n")
        self.output.may_go_on.set()
        self.assertEqual(self.closed(writer), [b"first", b"x"])
        lost = "2 lines of the log were lost: it could not be written in time."
        self.assertEqual(self.reports, [lost])

    def test_close_does_not_wait_for_ever(self) -> None:
        """An output that takes nothing does not keep the program from its end."""
        self.output.may_go_on.clear()
        writer = LogWriter(self.output)
        writer.write("x\n")
        self.assertTrue(self.output.begun.wait(20))
        writer.close(0.001)
        self.assertEqual(self.output.data, b"")
        self.output.may_go_on.set()

    def write_one(self, writer: LogWriter, line: str) -> None:
        """Write a line, and wait until the output was asked to take it."""
        self.output.begun.clear()
        writer.write(line)
        self.assertTrue(self.output.begun.wait(20))

    def test_disk_that_is_full_for_a_while(self) -> None:
        """It is said once; then it goes on, and says how many lines are missing."""
        errors = [FULL, FULL]

        def fail() -> None:
            if errors:
                raise errors.pop()

        self.output.before = fail
        writer = LogWriter(self.output, self.reports.append)
        for line in ("a\n", "b\n", "c\n"):
            self.write_one(writer, line)
        self.assertEqual(self.closed(writer), [b"c"])
        first, second = self.reports
        self.assertIn("No space left on device", first)
        self.assertEqual(second, "2 lines of the log were lost: it could not be written in time.")

    def test_torn_line(self) -> None:
        """What follows a line that was written in part stands in a line of its own."""
        errors = [None, FULL]
        reported = Event()

        def report(sentence: str) -> None:
            self.reports.append(sentence)
            reported.set()

        def fail() -> None:
            error = errors.pop(0) if errors else None
            if error is not None:
                raise error

        self.output.before, self.output.most = fail, 3
        writer = LogWriter(self.output, report)
        self.write_one(writer, "abcdef\n")
        self.assertTrue(reported.wait(20))
        self.output.most = 100
        self.write_one(writer, "ghi\n")
        self.assertEqual(self.closed(writer), [b"abc", b"ghi"])
        self.assertIn("1 lines", self.reports[-1])


class OutputTests(TestCase):
    """Real files and pipes."""

    def test_pipe(self) -> None:
        """What has a descriptor is written to."""
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        self.addCleanup(os.close, writing)
        writer = LogWriter(DescriptorOutput(writing))
        writer.write("h\u00e9\ud800\n")
        writer.close(20)
        self.assertEqual(os.read(reading, 100), b"h\xc3\xa9\\ud800\n")

    def test_appends(self) -> None:
        """What is in a file stays there."""
        path = Path(self.mktemp())
        path.write_bytes(b"before\n")
        output = FileOutput(path)
        self.addCleanup(output.close)
        output.write(b"after\n")
        self.assertEqual(path.read_bytes(), b"before\nafter\n")

    def test_rotation(self) -> None:
        """If the file was renamed or removed, there is a new one of its name."""
        path, old = Path(self.mktemp()), Path(self.mktemp())
        output = FileOutput(path)
        self.addCleanup(output.close)
        output.write(b"a\n")
        if os.name == "nt":
            return  # there nobody can rename a file that is open
        path.rename(old)
        output.write(b"b\n")
        self.assertEqual((old.read_bytes(), path.read_bytes()), (b"a\n", b"b\n"))
        path.unlink()
        output.write(b"c\n")
        self.assertEqual(path.read_bytes(), b"c\n")

    def test_rotation_that_fails(self) -> None:
        """If there can be no new file, it is an error, and tried again."""
        folder = Path(self.mktemp())
        folder.mkdir()
        output = FileOutput(folder / "log")
        self.addCleanup(output.close)
        if os.name == "nt":
            return
        folder.rename(f"{folder}.old")
        self.assertRaises(OSError, output.write, b"a\n")
        folder.mkdir()
        output.write(b"b\n")
        self.assertEqual((folder / "log").read_bytes(), b"b\n")
