"""Writing a log, and never waiting for it.

A pipe that nobody reads, a terminal that was stopped with Ctrl-S and a slow disk make
whoever writes to them wait.  A server that waits serves nobody.  So a thread writes.  What
it has not taken is kept, up to a limit; more is dropped, counted, and told of later.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Final, Protocol

LIMIT: Final = 10_000
"""How many lines may wait to be written."""

_AT_ONCE: Final = 500  # lines that are written with one call


class Output(Protocol):
    """What a log is written to."""

    def write(self, data: bytes) -> int:
        """Write some of it, at least one byte; return how many.  It may make its caller wait.

        :raises OSError: if it cannot be written now; it is tried again with later lines.
        """


class DescriptorOutput:
    """An open file, a pipe or a terminal.

    :param descriptor: its number.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, data: bytes) -> int:
        return os.write(self._descriptor, data)


class FileOutput:
    """A file to which is appended; if it was renamed or removed, a new one of its name.

    So programs that rotate logs need not tell the server.

    :param path: its name.
    :raises OSError: if it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._descriptor = self._open()

    def write(self, data: bytes) -> int:
        if not self._is_the_same():
            descriptor = self._open()
            os.close(self._descriptor)
            self._descriptor = descriptor
        return os.write(self._descriptor, data)

    def close(self) -> None:
        """Close it."""
        os.close(self._descriptor)

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        return os.open(self._path, flags | getattr(os, "O_BINARY", 0), 0o666)

    def _is_the_same(self) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._descriptor))
        except FileNotFoundError:
            return False


class LogWriter:
    """Lets a thread write lines to an output.

    :param output: where they go.
    :param report: what is called, in that thread, with a sentence about lines that were
        lost; without one, the sentence is written to the output, as a line.
    :param limit: how many lines may wait.
    """

    def __init__(
        self,
        output: Output,
        report: Callable[[str], object] | None = None,
        limit: int = LIMIT,
    ) -> None:
        self._output = output
        self._report = report
        self._limit = limit
        self._lines: SimpleQueue[str | None] = SimpleQueue()
        self._lock = Lock()  # of the two that follow
        self._lost = 0
        self._thread: Thread | None = None
        self._failing = False
        self._torn = False  # the last line that is written lacks its end

    def write(self, line: str) -> None:
        """Have a line written, its line end included.  It neither waits nor raises."""
        if self._lines.qsize() >= self._limit:
            self._lose(1)
            return
        self._lines.put(line)
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = Thread(target=self._run, name="log writer", daemon=True)
                    self._thread.start()

    def close(self, seconds: float = 0.5) -> None:
        """Write what waits, but take no longer than so many seconds."""
        if self._thread is not None:
            self._lines.put(None)
            self._thread.join(seconds)

    def _lose(self, number: int) -> None:
        with self._lock:
            self._lost += number

    def _run(self) -> None:
        """Write lines until there are no more to come."""
        going_on = True
        while going_on:
            lines = [self._lines.get()]
            while len(lines) < _AT_ONCE and not self._lines.empty():
                lines.append(self._lines.get())
            if None in lines:
                going_on = False
            self._write_lines([line for line in lines if line is not None])

    def _write_lines(self, lines: list[str]) -> None:
        """Write some lines, or lose them; then tell of those that were lost."""
        data = "".join(lines).encode("utf-8", "backslashreplace")
        try:
            self._write_all(b"\n" + data if self._torn else data)
        except OSError as error:
            if self._report is not None and not self._failing:
                self._report(f"The log cannot be written: {error}. It is tried again.")
            self._failing = True
            return
        self._failing = False
        with self._lock:
            lost, self._lost = self._lost, 0
        if lost:
            sentence = f"{lost} lines of the log were lost: it could not be written in time."
            if self._report is not None:
                self._report(sentence)
            else:
                self._write_lines([sentence + "\n"])

    def _write_all(self, data: bytes) -> None:
        """Write it all, or note how many lines of it are lost.

        :raises OSError: if it cannot be written.
        """
        while data:
            try:
                size = self._output.write(data)
            except OSError:
                self._lose(data.lstrip(b"\n").count(b"\n"))
                raise
            self._torn = data[size - 1 : size] != b"\n"
            data = data[size:]
