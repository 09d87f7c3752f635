"""The command ``workshop judge``.

The workers are started before anything else: they take a quarter of a second until
they are ready, and all that this process needs is imported meanwhile.
"""

from __future__ import annotations

import importlib.util
import io
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .environment import ROOT, Environment

WORKERS = 2
LONG = 3.0  # seconds
NEEDS = ("twisted", "rich")


def judge_command(number: int, tests: str | None, as_json: bool, idle: bool) -> int:
    """Judge the tests of a stage, and print the verdict.

    :param number: the stage's number.
    :param tests: the folder that they are in; ``None`` is the stage's own.
    :param as_json: whether to print data.
    :param idle: whether to find the tests that catch nothing.
    :returns: 0 if they are valid and thorough, 1 if not, 2 if there is no such stage.
    """
    if any(importlib.util.find_spec(name) is None for name in NEEDS):
        return judge_elsewhere(sys.argv[1:])
    from .pool import Pool

    with Pool(WORKERS) as pool, patience():
        from .judge import UsageError, judge

        if not as_json:
            from .report import show
        try:
            folder = Path(tests) if tests is not None else None
            verdict = judge(number, folder, pool, thoroughly=idle)
        except UsageError as error:
            print(f"workshop: {error}", file=sys.stderr)
            return 2
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")
        if as_json:
            print(json.dumps(verdict.as_data(), indent=2))
        else:
            show(verdict, idle)
    return 0 if verdict.valid and verdict.thorough else 1


@contextmanager
def patience() -> Iterator[None]:
    """Say on a terminal that it takes long, if it does: then tests hang."""
    timer = threading.Timer(LONG, print, ["Some tests take long ..."], {"file": sys.stderr})
    timer.daemon = True
    if sys.stderr.isatty():
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def judge_elsewhere(words: list[str]) -> int:
    """Run the same command with the workshop's own Python, which has all that it needs."""
    environment = Environment(ROOT / ".venv")
    if not environment.python.exists() or Path(sys.prefix).resolve() == environment.home:
        print(
            "workshop: Twisted or rich is missing here. Type this first: python3 -m workshop start",
            file=sys.stderr,
        )
        return 1
    command = [str(environment.python), "-m", "workshop", *words]
    return subprocess.run(command, cwd=ROOT, check=False).returncode
