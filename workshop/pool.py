"""Workers, and the jobs that they do: several at once, each in a process that may be killed.

This module does not import Twisted, which takes a quarter of a second: a worker does,
while the process that started it goes on.
"""

from __future__ import annotations

import heapq
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from .environment import ROOT
from .jobs import Job, Outcome, Problem
from .processes import end_tree

GRACE = 1.0  # seconds: so much longer than Trial's own limit waits that of the pool
MEMORY = "/dev/shm"  # where Linux has files that no disk is asked for
STARTING = 60.0  # seconds that a worker may take until it is ready


class WorkerError(Exception):
    """A worker could not be started; the text is what it said."""


@dataclass
class Run:
    """A job, and what has come of it.

    :ivar hanging: the names of tests that are left out, as they hang on another server.
    :ivar tells: whether a test that hangs here is put there, so that others leave it out.
    :ivar tests: the file of each test that the modules have, by its name.
    :ivar unloaded: why a file could not be imported, by its name.
    :ivar once: how tests that are run a second time, in another worker, ended the first.
    :ivar left: the names of those that are still to be run; ``None`` before the first.
    :ivar outcomes: how each test ended, as far as they have.
    :ivar problem: what kept all of them from being run.
    :ivar done: whether there is no more to come.
    """

    job: Job
    hanging: set[str] = field(default_factory=set)
    tells: bool = False
    tests: dict[str, str] = field(default_factory=dict)
    unloaded: dict[str, Problem] = field(default_factory=dict)
    once: dict[str, Outcome] = field(default_factory=dict)
    left: list[str] | None = None
    outcomes: list[Outcome] = field(default_factory=list)
    problem: Problem | None = None
    done: bool = False

    @property
    def order(self) -> dict[str, Any]:
        """What a worker is told to do."""
        hung = sum(outcome.how == "hung" for outcome in self.outcomes)
        return {
            **vars(self.job),
            "only": self.job.only if self.left is None else self.left,
            "leave_out": [*self.job.leave_out, *self.hanging],
            "patience": self.job.patience - hung,
        }

    @property
    def failed(self) -> list[Outcome]:
        """The outcomes of the tests that found something wrong."""
        return [outcome for outcome in self.outcomes if outcome.failed]


class Worker:
    """A process that does one job after the other.

    :param events: where what it tells is put, with the worker; at its end, ``None``.
    :param folder: where its tests may write.
    :param module: what it runs, which does jobs as :mod:`workshop.worker` does.
    """

    def __init__(
        self,
        events: queue.SimpleQueue[tuple[Worker, dict[str, Any] | None]],
        folder: Path,
        module: str = "workshop.worker",
    ) -> None:
        folder.mkdir()
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,  # so that all that it starts can be ended with it
        )
        self.events = events
        self.run: Run | None = None
        self.begun = ""
        self.planned: list[str] = []
        self.ready = False
        self.spent = False
        self.late = False
        self.deadline = time.monotonic() + STARTING
        self.said = b""
        self.threads = [
            threading.Thread(target=target, args=(stream,), daemon=True)
            for target, stream in (
                (self._read_events, self.process.stdout),
                (self._read_errors, self.process.stderr),
            )
        ]
        for thread in self.threads:
            thread.start()

    def _read_events(self, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                self.events.put((self, json.loads(line)))
        self.events.put((self, None))

    def _read_errors(self, stream: IO[bytes]) -> None:
        """Keep the end of what it says to nobody: there is why it broke down."""
        with stream:
            while data := os.read(stream.fileno(), 65536):
                self.said = (self.said + data)[-4096:]

    def begin(self, run: Run) -> None:
        """Let it do a job."""
        self.run, self.begun = run, ""
        self.expect()
        assert self.process.stdin is not None
        with suppress(OSError):  # if it has gone, the thread that reads tells it
            self.process.stdin.write(json.dumps(run.order).encode() + b"\n")
            self.process.stdin.flush()

    def expect(self) -> None:
        """Give it so much time for what comes next."""
        limit = self.run.job.limit if self.run is not None else STARTING
        self.deadline = time.monotonic() + limit + GRACE

    def kill(self) -> None:
        """End it, whatever it does, with all that it has started."""
        end_tree(self.process)

    def close(self) -> None:
        """End it, and wait until it is gone and all that it told was read."""
        self.kill()
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.close()
        self.process.wait()
        for thread in self.threads:
            thread.join(timeout=1)


class Pool:
    """Some workers, which are replaced when they break down or must be killed.

    :param size: how many; ``None`` is one for each processor, but at most four.
    :param module: what each of them runs.
    """

    def __init__(self, size: int | None = None, module: str = "workshop.worker") -> None:
        self._module = module
        self._events: queue.SimpleQueue[tuple[Worker, dict[str, Any] | None]] = queue.SimpleQueue()
        self._queue: list[tuple[int, int, Run]] = []
        self._submitted = 0
        self._started = 0
        in_memory = MEMORY if os.access(MEMORY, os.W_OK | os.X_OK) else None
        self._folder = Path(tempfile.mkdtemp(prefix="workshop-", dir=in_memory)).resolve()
        self._workers = [self._start() for _ in range(size or min(4, os.cpu_count() or 1))]

    def __enter__(self) -> Pool:
        """Return the pool; at the end of the block it is closed."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the pool."""
        self.close()

    def close(self) -> None:
        """End the workers, and remove what the tests wrote."""
        import shutil

        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            worker.close()
        self._workers = []
        shutil.rmtree(self._folder, ignore_errors=True)

    def submit(self, job: Job, priority: int = 0) -> Run:
        """Have a job done; :meth:`wait` waits for it.

        :param priority: jobs with a lower number are done before it.
        """
        return self.begin(Run(job), priority)

    def begin(self, run: Run, priority: int = 0) -> Run:
        """Have the job of a run done, and return the run."""
        self._put(run, priority)
        return run

    def forget(self) -> None:
        """Do no more of the jobs that no worker has begun."""
        for _, _, run in self._queue:
            run.done = True
        self._queue = []

    def wait(self, runs: Iterable[Run]) -> None:
        """Go on until these are done.

        :raises WorkerError: if no worker can be started.
        """
        waiting = [run for run in runs if not run.done]
        while waiting:
            self._step()
            waiting = [run for run in waiting if not run.done]

    def _put(self, run: Run, priority: int) -> None:
        self._submitted += 1
        heapq.heappush(self._queue, (priority, self._submitted, run))
        self._assign()

    def _start(self) -> Worker:
        self._started += 1
        return Worker(self._events, self._folder / str(self._started), self._module)

    def _assign(self) -> None:
        """Give the workers that have nothing to do the jobs that come next."""
        for worker in self._workers:
            if worker.ready and not worker.spent and worker.run is None and self._queue:
                worker.begin(heapq.heappop(self._queue)[2])

    def _step(self) -> None:
        """Take what happens next."""
        busy = [
            worker
            for worker in self._workers
            if worker.run is not None or worker.spent or not worker.ready
        ]
        deadline = min(worker.deadline for worker in busy)
        try:
            worker, event = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            for worker in busy:
                if worker.deadline <= time.monotonic():
                    worker.late = True
                    worker.deadline += 3600
                    worker.kill()
            return
        if worker not in self._workers:
            return
        if event is None:
            self._replace(worker)
        elif "ready" in event:
            worker.ready = True
            self._assign()
        elif worker.run is not None:
            worker.expect()
            self._note(worker, worker.run, event)

    def _note(self, worker: Worker, run: Run, event: dict[str, Any]) -> None:
        """Take what a worker tells about its job."""
        if "tests" in event:
            run.tests, run.left = event["tests"], event["planned"]
            worker.planned = event["planned"]
            run.unloaded = {file: Problem(**problem) for file, problem in event["unloaded"].items()}
        elif "begun" in event:
            worker.begun = event["begun"]
        elif "ended" in event:
            outcome = Outcome(**event["ended"])
            if outcome.test in run.once and not outcome.failed:
                outcome = replace(run.once[outcome.test], flaky=True)
            run.outcomes.append(outcome)
            if outcome.how == "hung" and outcome.failed and run.tells:
                run.hanging.add(outcome.test)
            self._tick_off(run, worker)
        elif "again" in event:
            planned = set(worker.planned)
            run.outcomes = [outcome for outcome in run.outcomes if outcome.test not in planned]
        elif "spent" in event:
            worker.spent = True
        elif "done" in event:
            worker.run, worker.spent = None, event["done"]
            run.done = True
            self._assign()

    def _tick_off(self, run: Run, worker: Worker) -> None:
        """Note that the test which a worker has begun is not to be run again."""
        run.left = [name for name in run.left or [] if name != worker.begun]
        worker.begun = ""

    def _replace(self, worker: Worker) -> None:
        """Put another worker in the place of one that has gone; let it do what is left."""
        worker.kill()  # what it has started may still be there
        code = worker.process.wait()
        worker.close()
        if not worker.ready:
            raise WorkerError(worker.said.decode(errors="replace"))
        self._workers[self._workers.index(worker)] = self._start()
        run = worker.run
        if run is None:
            return
        if worker.begun or not worker.spent:
            self._note_end(worker, run, code)
        if (
            run.problem is not None
            or not run.left
            or run.order["patience"] <= 0
            or (run.job.stop and run.failed)
        ):
            run.done = True
        else:
            self._put(run, -1)

    def _note_end(self, worker: Worker, run: Run, code: int) -> None:
        """Note that a test, or the import of them, has ended a worker."""
        subject = "It" if worker.begun else "The import of the tests"
        ends = ("ProcessEnded", f"{subject} ends the process, with code {code}.")
        if worker.late:
            seconds = f"{run.job.limit:.0f} seconds"
            ends = ("TimeLimit", f"{subject} is not at its end after {seconds}.")
        if not worker.begun:
            run.problem = Problem(*ends)
            return
        outcome = Outcome(worker.begun, "hung" if worker.late else "died", *ends)
        if run.job.confirm and outcome.test not in run.once:
            run.once[outcome.test] = outcome  # it is still the first of those that are left
            return
        if run.tells:
            run.hanging.add(outcome.test)
        run.outcomes.append(outcome)
        self._tick_off(run, worker)
