"""Start a program as a user does, for the tests that need a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import Timer

from twisted.trial.unittest import TestCase

import toyhttp

ROOT = Path(toyhttp.__file__).resolve().parent.parent
PATIENCE = 30  # seconds: how long a process may take before it is killed


def start(
    test: TestCase, *argv: str, cwd: Path | None = None, unbuffered: bool = False
) -> subprocess.Popen[str]:
    """Start ``python -m`` with these words; it is ended after the test, or when it takes too long.

    :param cwd: the folder that it runs in; without one, that of the test.
    :param unbuffered: whether what is printed into a pipe comes out at once, and not, as a
        user has it, when it is flushed.
    """
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    if unbuffered:
        environment["PYTHONUNBUFFERED"] = "1"
    paths = (str(ROOT), environment.get("PYTHONPATH", ""))
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    process = subprocess.Popen(
        [sys.executable, "-m", *argv],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # A process that is killed closes its pipes, so whoever reads from them goes on.
    watchdog = Timer(PATIENCE, process.kill)
    watchdog.daemon = True
    watchdog.start()

    def end() -> None:
        process.kill()
        process.communicate()
        watchdog.cancel()

    test.addCleanup(end)
    return process
