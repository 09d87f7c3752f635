"""Bytes that nobody would think of, for the reader, the channel and the files.

``python -m benchmarks.fuzz`` tries a million inputs on the checks of
``toyhttp/test/invariants.py``, and exits with 1 if one of them found something.  A part
of the inputs is drawn by Hypothesis, from nearly good requests; the others are found
by atheris, which changes them again and again and looks which ways through the code of
``toyhttp`` they take.  It has no wheel for some systems: there it is left out.

Each input is tried with another way to cut it, and another client and handler; the same
seed makes the same choices.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

from twisted.logger import globalLogBeginner

SHARES = {"reader": 0.25, "channel": 0.05, "rude": 0.1, "files": 0.3, "agreement": 0.3}
"""What is tried, and with how many of the inputs."""

BY_HYPOTHESIS = 0.02
"""How many of them it draws: its requests are better than others, and cost more."""

CHOICES = 4  # bytes at the beginning of each input, which say how the others are tried

SEEDS = [
    b"GET /\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"HEAD /a?b HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n",
    b"GET http://h/ HTTP/1.9\nA: b\n c\n\n",
    b"POST / HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc",
    b"POST / HTTP/1.0\r\nConnection: keep-alive\r\ncontent-length:03\r\n\r\nabc\r\nGET /\r\n",
    3 * b"GET / HTTP/1.0\nConnection: keep-alive\n\n",
    b"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"/../../secret",
    b"/%2e%2e/www-private/secret",
    bytes([0, 41, 0, 53]),
    bytes([0, 0, 1, 2, 3, 4, 5, 6, 7]),
    bytes([0, *range(8), 0, 0, 0, 0, 0, 0]),
    bytes([0, 10, 14, 15, 24, 30]),
    bytes([64, 0, 0]),
]
"""What the fuzzer begins with."""

WORDS = [
    *("GET ", "HEAD ", "POST ", "OPTIONS ", " HTTP/1.0", " HTTP/1.1", " HTTP/2.0", "\\x0d\\x0a"),
    *("\\x0a", "\\x0d\\x0a\\x0d\\x0a", "\\x0a\\x0a", "Content-Length: ", "Connection: keep-alive"),
    *("Connection: close", "Transfer-Encoding: chunked", "Host: h", "/%2e%2e/", "..", "http://h/"),
    *("\\x0d\\x0a ", "\\x00", "\\xff", "Range: bytes=0-3", "%00", "?", "99999999999999999999"),
]
"""What it puts between: a dictionary as libFuzzer has it."""

Check = Callable[[bytes, Random], None]


def make_check(name: str, folder: Path) -> Check:
    """Return a check; ``folder`` is an empty one, for files."""
    from toyhttp.test import agreement, invariants

    if name == "files":
        return invariants.Files(folder).check
    checks: dict[str, Check] = {
        "reader": invariants.check_reader,
        "channel": invariants.check_channel,
        "rude": invariants.check_rude_channel,
        "agreement": agreement.check_agreement,
    }
    return checks[name]


def run_atheris(name: str, inputs: int, seed: int, folder: Path) -> None:
    """Let atheris find inputs; it ends the process, with another code than 0 if it fails."""
    import atheris

    with atheris.instrument_imports(include=["toyhttp"], exclude=["toyhttp.test"]):
        import toyhttp.files  # noqa: F401

    from toyhttp.test import invariants

    (folder / "tree").mkdir()
    check = make_check(name, folder / "tree")
    compose = (lambda sent: sent) if name == "files" else invariants.compose
    seeds = folder / "seeds"
    seeds.mkdir()
    for number, sent in enumerate(SEEDS):
        (seeds / str(number)).write_bytes(CHOICES * b"\0" + sent)
    words = folder / "words"
    words.write_text("".join(f'"{word}"\n' for word in WORDS))

    def test(data: bytes) -> None:
        sent, choices = compose(data[CHOICES:]), int.from_bytes(data[:CHOICES], "big")
        try:
            check(sent, Random(choices))
        except Exception:
            print(f"found by: {name}, {sent!r}, Random({choices})", flush=True)
            raise

    options = [f"-runs={inputs}", f"-seed={seed}", "-max_len=400", f"-dict={words}"]
    options += [
        f"-artifact_prefix={folder}/",
        "-timeout=20",
        "-verbosity=0",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(seeds)], test)
    atheris.Fuzz()


def run_hypothesis(name: str, inputs: int, seed: int, folder: Path) -> None:
    """Let Hypothesis draw inputs."""
    import hypothesis
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st

    from toyhttp.test.deliveries import streams

    check = make_check(name, folder)
    sent = st.binary(min_size=1, max_size=16).map(lambda data: b"@" + data)
    count = 0

    @hypothesis.seed(seed)
    @settings(
        database=None,
        deadline=None,
        max_examples=inputs,
        suppress_health_check=list(HealthCheck),
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
    )
    @given(sent if name == "files" else streams, st.integers(0, 2**32 - 1))
    def test(sent: bytes, choices: int) -> None:
        nonlocal count
        count += 1
        check(sent, Random(choices))

    test()
    print(f"Done {count} runs")


def start(way: str, name: str, inputs: int, seed: int) -> bool:
    """Run one part in a process of its own, print how it went, and tell if it found anything."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.fuzz", "--part", way, name]
    command += ["--inputs", str(inputs), "--seed", str(seed)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="backslashreplace"
    )
    seconds = time.perf_counter() - began
    count = re.search(r"(?:number_of_executed_units: |Done )(\d+)", done.stdout)
    if done.returncode or count is None:
        found = f"{name}, {way}: something was found after {seconds:.0f} s"
        print(found, done.stdout[-6000:], sep="\n", flush=True)
        return True
    print(f"{name}, {way}: {count[1]} inputs in {seconds:.0f} s, nothing found", flush=True)
    return False


def main() -> int:
    """Run all parts, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz")
    parser.add_argument("--inputs", type=int, default=1_000_000, help="in all (default: 1000000)")
    parser.add_argument("--seed", type=int, default=1, help="(default: 1)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once (default: 2)")
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part is not None:
        way, name = arguments.part
        globalLogBeginner.beginLoggingTo([], redirectStandardIO=False)
        run = run_atheris if way == "atheris" else run_hypothesis
        with tempfile.TemporaryDirectory() as folder:
            run(name, arguments.inputs, arguments.seed, Path(folder))
        return 0
    ways = {"Hypothesis": BY_HYPOTHESIS, "atheris": 1 - BY_HYPOTHESIS}
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: it is left out, and its inputs with it")
        del ways["atheris"]
    parts = [
        (way, name, max(int(arguments.inputs * share * part), 1), arguments.seed)
        for way, part in ways.items()
        for name, share in SHARES.items()
    ]
    began = time.perf_counter()
    with ThreadPoolExecutor(arguments.jobs) as executor:
        found = sum(executor.map(lambda part: start(*part), parts))
    inputs = sum(part[2] for part in parts)
    seconds = time.perf_counter() - began
    print(f"{inputs} inputs in {seconds:.0f} s, {found} parts found something")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
