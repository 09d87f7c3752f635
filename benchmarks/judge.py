"""How long the judge takes, beside what else does a part of it.

``python -m benchmarks.judge`` prints the tables in docs/benchmarks.md:

- the whole command ``workshop judge N``, for twelve broken servers and for all of a stage,
  beside one cold run of the same tests with ``trial``;
- the variants a second of the judge's workers, beside those of mutmut 3, on the same module
  with the same tests: stage 3's reader. mutmut prints its own rate, which leaves out the
  time in which it makes the mutants and gets ready; so does that of the judge.

The rounds are interleaved; medians count, and of the rates those of the same round are
divided.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from statistics import median

from exercises.manifest import STAGES
from solutions.broken import broken_servers, path_of
from workshop.environment import ROOT
from workshop.jobs import Job
from workshop.mutation import mutants
from workshop.pool import Pool
from workshop.strength import unnoticed

CONFIGURATION = """
[tool.mutmut]
source_paths = ["subject/reader.py"]
also_copy = ["subject"]
pytest_add_cli_args_test_selection = ["tests"]
"""
CACHE = tempfile.mkdtemp(prefix="benchmark-")
"""Where Python keeps what it has compiled, as it does for everybody who types a command twice."""

RATE = re.compile(r"([\d.]+) mutations/second")


def seconds(command: list[str], folder: Path = ROOT) -> float:
    """Run a command, and return how long it took."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": CACHE}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    quiet = subprocess.DEVNULL
    begun = time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, stdout=quiet, stderr=quiet)
    return time.perf_counter() - begun


TWELVE = """\
import runpy, sys
import solutions.broken
found = solutions.broken.broken_servers
solutions.broken.broken_servers = lambda stage: found(stage)[:12]
runpy.run_module("workshop", run_name="__main__", alter_sys=True)
"""
"""The same command, for as many broken servers as the bar is about."""


def judge_and_trial(stage: int, rounds: int, twelve: bool) -> None:
    """Compare the judge with one run of the tests that it judges."""
    folder = STAGES[stage - 1].contract
    start = ["-c", TWELVE] if twelve else ["-m", "workshop"]
    judge = [sys.executable, *start, "judge", str(stage), "--tests", str(folder)]
    with tempfile.TemporaryDirectory() as scratch:
        module = f"solutions.stage{stage}.test_stage{stage}"
        trial = [sys.executable, "-m", "twisted.trial", f"--temp-directory={scratch}/t", module]
        seconds(judge)
        seconds(trial)
        times = [(seconds(judge), seconds(trial)) for _ in range(rounds)]
    ratio = median(one / other for one, other in times)
    judged, tried = (median(column) for column in zip(*times, strict=True))
    bugs = 12 if twelve else len(broken_servers(stage))
    print(f"| {stage} | {bugs} | {judged:.2f} s | {tried:.2f} s | {ratio:.2f} |")


def make_project(folder: Path) -> None:
    """Make a project for mutmut: the reader of stage 3, and its tests."""
    subject, tests = folder / "subject", folder / "tests"
    subject.mkdir()
    tests.mkdir()
    (subject / "__init__.py").touch()
    for stage, module in ((1, "request.py"), (3, "reader.py")):
        shutil.copy(ROOT / "solutions" / f"stage{stage}" / module, subject)
    for path in STAGES[2].contract.glob("test_*.py"):
        text = path.read_text(encoding="utf-8").replace("exercises.myhttp", "subject")
        (tests / path.name).write_text(text, encoding="utf-8")
    (folder / "pyproject.toml").write_text(CONFIGURATION, encoding="utf-8")


def rate_of_mutmut(workers: int) -> float:
    """Return how many mutants a second mutmut says that it has run."""
    with tempfile.TemporaryDirectory() as scratch:
        make_project(Path(scratch))
        command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(workers)]
        done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=True)
    found = RATE.search(done.stdout)
    if found is None:
        raise RuntimeError(f"mutmut says nothing of mutations/second:\n{done.stdout[-2000:]}")
    return float(found[1])


def rate_of_judge(workers: int) -> float:
    """Return how many mutants a second the workers of the judge run."""
    path = path_of(3, "reader.py")
    made = mutants(path.name, path.read_text(encoding="utf-8"))
    with Pool(workers) as pool:
        pool.wait([pool.submit(Job(3, "solutions.stage3")) for _ in range(2 * workers)])
        begun = time.perf_counter()
        unnoticed(pool, "solutions.stage3", 3, made)
        return len(made) / (time.perf_counter() - begun)


def judge_and_mutmut(rounds: int) -> None:
    """Compare the rates of the judge and of mutmut."""
    workers = min(2, os.cpu_count() or 1)
    rates = [(rate_of_judge(workers), rate_of_mutmut(workers)) for _ in range(rounds)]
    ratio = median(one / other for one, other in rates)
    judged, mutated = (median(column) for column in zip(*rates, strict=True))
    path = path_of(3, "reader.py")
    made = len(mutants(path.name, path.read_text(encoding="utf-8")))
    print(f"| {ratio:.1f} | {judged:.0f} | {mutated:.1f} | {made} | {workers} |")


def main() -> None:
    """Measure, and print the tables as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judge")
    parser.add_argument("--rounds", type=int, default=5, help="(default: 5)")
    rounds = parser.parse_args().rounds
    names = [f"{name} {version(name)}" for name in ("Twisted", "mutmut", "pytest")]
    print(f"Python {platform.python_version()}, {', '.join(names)}, {os.cpu_count()} processors")
    print("\n| stage | broken servers | judge | trial, once | ratio |\n|---:|---:|---:|---:|---:|")
    for stage in (9, 10, 11):
        for twelve in (True, False):
            judge_and_trial(stage, 2 * rounds, twelve)
    print("\n| ratio | judge, mutants/s | mutmut, mutants/s | mutants | processes |")
    print("|---:|---:|---:|---:|---:|")
    judge_and_mutmut(rounds)
    shutil.rmtree(CACHE)


if __name__ == "__main__":
    main()
