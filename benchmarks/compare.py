"""How fast toyhttp is, and what it costs: beside its peers, in one run.

``python -m benchmarks.compare`` prints the tables in docs/benchmarks.md, and with
``--write`` puts them there.  It needs ``ab``, ``wrk`` and ``nginx``, and aiohttp and h11.

Each server is a process of its own on 127.0.0.1, all on the same core, and the load
comes from another one.  In each round all servers are measured, one after the other, so
that what disturbs the machine disturbs them all.  A ratio is that of two servers in the
same round; its median over the rounds is what is held against the bar.  But where other
programs disturbed most measurements, it is the ratio of CPU time, which suffers less.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import feed, load
from .hello import BODY
from .load import TOOLS, Reading
from .peers import (
    AS_IT_COMES,
    FILES,
    FLOOR,
    FLOOR_KEEP,
    IDLE,
    SMALL,
    WITH_LOG,
    NotMeasured,
    Peer,
    Running,
    busy_time,
    cpu_time,
    forget_peak,
    memory,
    pin,
    program,
    run,
)

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
BEGIN, END = "[//]: # (the tables begin)", "[//]: # (the tables end)"

MANY = 9000  # idle connections
HALF = b"GET /index.ht"  # half a request line
LARGE = 100 * 1024 * 1024
DOWNLOADS = 5  # in each round, because one takes a tenth of a second
MIB = 1024 * 1024
IN_PROPORTION = 2  # a time may grow by so many times what the size does: caches are small
QUIET = 0.1  # the CPU time that other programs may have, in cores
FLAT = 2 * MIB  # memory that does not grow by more is flat


@dataclass(frozen=True)
class Row:
    """One line of the first table.

    :ivar case: what was asked for.
    :ivar tool: what measured it.
    :ivar result: what came out.
    :ivar spread: between which values the rounds were.
    :ivar cpu: the same ratio, from the CPU time that the servers needed for an answer.
    :ivar judged_by_cpu: whether it is that which is held against the bar.
    :ivar bar: what is wanted; empty if nothing is.
    :ivar holds: whether it is so.
    """

    case: str
    tool: str
    result: str
    spread: str = ""
    bar: str = ""
    holds: bool = True
    cpu: str = ""
    judged_by_cpu: bool = False


@dataclass
class Tables:
    """All that was measured.

    :ivar rows: the ratios, and what is not one.
    :ivar rates: the lines of the second table, cell by cell.
    :ivar disturbed: how much CPU time other programs had, for each measurement, in cores.
    :ivar problems: what went wrong, a line for each.
    """

    rows: list[Row] = field(default_factory=list)
    rates: list[list[str]] = field(default_factory=list)
    disturbed: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """How thoroughly to measure.

    :ivar rounds: how often.
    :ivar seconds: how long each server has load in a round.
    :ivar server_cpu: the core of the servers; ``None`` for any.
    :ivar folder: a place for files, and for what the servers write.
    :ivar patience: how often a measurement is repeated, at most, that others have disturbed.
    """

    rounds: int
    seconds: float
    server_cpu: int | None
    folder: Path
    patience: int

    @property
    def root(self) -> Path:
        """The folder that the servers serve."""
        return self.folder / "root"


def say(text: str) -> None:
    """Tell whoever waits how far it is."""
    print(text, file=sys.stderr, flush=True)


def interleave(
    plan: Plan, servers: Sequence[Running], measure: Callable[[Running], Reading]
) -> dict[str, list[Reading]]:
    """Measure each server once in each round, and begin each round with another one."""
    readings: dict[str, list[Reading]] = {server.name: [] for server in servers}
    for i in range(plan.rounds):
        first = i % len(servers)
        for server in [*servers[first:], *servers[:first]]:
            reading = measure_one(server, measure)
            for _ in range(plan.patience):
                if reading.disturbed <= QUIET:
                    break
                reading = min(reading, measure_one(server, measure), key=lambda one: one.disturbed)
            readings[server.name].append(reading)
    return readings


def measure_one(server: Running, measure: Callable[[Running], Reading]) -> Reading:
    """Measure a server, what it costs, and how much others disturb."""

    def seconds() -> tuple[float, float, float]:
        own = os.times()
        return (
            time.perf_counter(),
            cpu_time(server.pid),
            busy_time() - own.user - own.system - own.children_user - own.children_system,
        )

    before = seconds()
    reading = measure(server)
    whole, cpu, others = (b - a for a, b in zip(before, seconds(), strict=True))
    disturbed = max(others - cpu, 0) / whole
    return replace(reading, cpu=cpu / max(reading.answers, 1), disturbed=disturbed)


@contextlib.contextmanager
def all_running(plan: Plan, peers: Sequence[Peer], tables: Tables) -> Iterator[list[Running]]:
    """Start these servers; those that cannot be started are problems."""
    with contextlib.ExitStack() as stack:
        servers = []
        for peer in peers:
            try:
                server = run(peer, plan.root, plan.folder, plan.server_cpu)
                servers.append(stack.enter_context(server))
            except NotMeasured as error:
                tables.problems.append(str(error))
        yield servers


def add_rates(
    tables: Tables,
    case: str,
    tool: str,
    readings: dict[str, list[Reading]],
    bars: dict[str, float],
    unit: float = 1,
) -> None:
    """Add the rates of all servers, and the ratios to those that have a bar or are asked for."""
    rates = {name: [one.rate / unit for one in found] for name, found in readings.items()}
    cpus = {name: statistics.median(one.cpu for one in found) for name, found in readings.items()}
    tables.disturbed += [one.disturbed for found in readings.values() for one in found]
    for name, found in readings.items():
        remarks = dict.fromkeys(remark for one in found for remark in one.remarks)
        digits = 0 if statistics.median(rates[name]) >= 100 else 1
        tables.rates.append(
            [
                case,
                tool,
                name,
                f"{statistics.median(rates[name]):,.{digits}f}",
                f"{min(rates[name]):,.{digits}f} to {max(rates[name]):,.{digits}f}",
                f"{cpus[name] * 1e6:,.0f}",
                "; ".join(remarks),
            ]
        )
        wrong = [remark for remark in remarks if remark != "closes"]
        tables.problems += [f"{case}, {tool}, {name}: {remark}" for remark in wrong]
    # The rate of a small answer is that of one core; of a large one, that of the client, too.
    disturbed = statistics.median(one.disturbed for found in readings.values() for one in found)
    noisy = disturbed > QUIET and tool in TOOLS
    logged = "toyhttp" + WITH_LOG
    for name in rates:
        if name == "toyhttp":
            continue
        # One is toyhttp, with its log if the other has one, too.
        one, other = (logged if name.endswith(WITH_LOG) else "toyhttp"), name
        result = "{} × " + name
        if name == logged:
            one, other, result = name, "toyhttp", "with its access log {} of it without"
        ratios = [a / b for a, b in zip(rates[one], rates[other], strict=True)]
        ratio = statistics.median(ratios)
        by_cpu = cpus[other] / cpus[one] if cpus[one] else 0.0
        bar = bars.get(name)
        tables.rows.append(
            Row(
                case,
                tool,
                result.format(f"**{ratio:.2f}**"),
                f"{min(ratios):.2f} to {max(ratios):.2f}",
                f"{bar:g}" if bar else "",
                (by_cpu if noisy else ratio) >= (bar or 0),
                f"{by_cpu:.2f}" if by_cpu else "",
                noisy,
            )
        )


# The cases


def measure_small(plan: Plan, tables: Tables, case: str, keep: bool) -> None:
    """Ask for a small answer, again and again."""
    peers = [*SMALL, FLOOR_KEEP if keep else FLOOR]
    with all_running(plan, peers, tables) as servers:
        for server in servers:
            load.check(server.name, server.port, "/", BODY)
        for tool, measure in TOOLS.items():
            say(f"{case}, {tool} ...")

            def once(server: Running, seconds: float = plan.seconds, measure=measure) -> Reading:
                return measure(f"http://127.0.0.1:{server.port}/", len(BODY), keep, seconds)

            for server in servers:
                once(server, 1)
            readings = interleave(plan, servers, once)
            add_rates(tables, case, tool, readings, BARS[case].get(tool, {}))


def close_case(plan: Plan, tables: Tables) -> None:
    """Ask for a small answer, one connection for each request."""
    measure_small(plan, tables, SMALL_CLOSE, False)


def keep_case(plan: Plan, tables: Tables) -> None:
    """Ask for a small answer, many times on a connection."""
    measure_small(plan, tables, SMALL_KEEP, True)


def file_case(plan: Plan, tables: Tables) -> None:
    """Ask for a file of 1 KiB, one connection for each request."""
    right = (plan.root / "small.txt").read_bytes()
    say(f"{SMALL_FILE}, ab ...")
    with all_running(plan, FILES, tables) as servers:

        def once(server: Running, seconds: float = plan.seconds) -> Reading:
            url = f"http://127.0.0.1:{server.port}/small.txt"
            return TOOLS["ab"](url, len(right), False, seconds)

        for server in servers:
            load.check(server.name, server.port, "/small.txt", right)
            once(server, 1)
        readings = interleave(plan, servers, once)
    add_rates(tables, SMALL_FILE, "ab", readings, BARS[SMALL_FILE]["ab"])


def large_case(plan: Plan, tables: Tables) -> None:
    """Ask for a file of 100 MiB, and read it as fast as it comes."""
    right = (plan.root / "large.bin").read_bytes()
    say(f"{LARGE_FILE} ...")
    with all_running(plan, FILES, tables) as servers:
        own = next(server for server in servers if server.name == "toyhttp")
        load.check(own.name, own.port, "/small.txt", (plan.root / "small.txt").read_bytes())
        forget_peak(own.pid)
        before = memory(own.pid)
        for server in servers:
            load.check(server.name, server.port, "/large.bin", right)

        def once(server: Running) -> Reading:
            rates = [load.download(server.port, "/large.bin", LARGE) for _ in range(DOWNLOADS)]
            return Reading(statistics.harmonic_mean(rates), DOWNLOADS)

        readings = interleave(plan, servers, once)
        grown = memory(own.pid, "VmHWM") - before
    add_rates(tables, LARGE_FILE, "one client", readings, BARS[LARGE_FILE]["one client"], MIB)
    tables.rows.append(
        Row(
            LARGE_FILE,
            "VmHWM",
            f"memory at its highest: {grown / MIB:.2f} MiB more than before",
            bar=f"flat: {FLAT // MIB} MiB",
            holds=grown <= FLAT,
        )
    )


def idle_case(plan: Plan, tables: Tables) -> None:
    """Hold many connections that have sent half a request line; answer a request among them."""
    sizes: dict[str, list[float]] = {}
    times: dict[str, list[float]] = {}
    delays: dict[str, list[float]] = {}
    for i in range(plan.rounds):
        for peer in IDLE:
            say(f"{IDLE_MANY}, {peer.name}, round {i + 1} ...")
            sent = b"" if peer is FLOOR else HALF
            with run(peer, plan.root, plan.folder, plan.server_cpu) as server:
                load.wait(server.port, 500)
                alone = statistics.median(load.wait(server.port, 500))
                files, before = load.descriptors(server.pid), memory(server.pid)
                with load.idle_connections(server.port, MANY, sent) as clients:
                    time.sleep(0.5)
                    after = memory(server.pid)
                    among = statistics.median(load.wait(server.port, 500))
                    opened = load.descriptors(server.pid) - files
                late = time.monotonic() + 30
                while load.descriptors(server.pid) > files and time.monotonic() < late:
                    time.sleep(0.1)
                if left := max(load.descriptors(server.pid) - files, 0):
                    raise NotMeasured(f"{peer.name} still holds {left} closed connections")
                if opened < len(clients):
                    raise NotMeasured(f"{peer.name} holds {opened} connections, not {MANY}")
            sizes.setdefault(peer.name, []).append((after - before) / MANY)
            times.setdefault(peer.name, []).append(among / alone)
            delays.setdefault(peer.name, []).append(among)
    own = [a - b for a, b in zip(sizes["toyhttp"], sizes[FLOOR.name], strict=True)]
    whole = statistics.median(own)
    tables.rows.append(
        Row(
            IDLE_MANY,
            "VmRSS",
            f"**{whole:,.0f}** bytes each, above what Twisted needs",
            f"{min(own):,.0f} to {max(own):,.0f}",
            "2,048",
            whole <= 2048,
        )
    )
    for name, found in sizes.items():
        text = f"{name}: {statistics.median(found):,.0f} bytes each in all"
        tables.rows.append(Row(IDLE_MANY, "VmRSS", text, f"{min(found):,.0f} to {max(found):,.0f}"))
    ratio = statistics.median(times["toyhttp"])
    delay = statistics.median(delays["toyhttp"]) * 1e6
    tables.rows.append(
        Row(
            IDLE_MANY,
            "one client",
            f"a request among them: **{ratio:.2f}** × its time alone ({delay:.0f} µs)",
            f"{min(times['toyhttp']):.2f} to {max(times['toyhttp']):.2f}",
            "at most 2",
            ratio <= 2,
        )
    )


def feed_case(plan: Plan, tables: Tables) -> None:
    """Read a request that comes in small pieces."""
    say("a request in small pieces ...")
    for what, table in feed.NAMES.items():
        best = replace(table, feeds=feed.OWN).measure(max(plan.rounds, 15))
        for name in feed.OWN:
            growth, most = table.growth(best, name), IN_PROPORTION * table.factor
            result = f"{name}: **{growth:.1f}** × the time for {table.factor} × the size"
            tables.rows.append(
                Row(what, "feed", result, bar=f"at most {most:g}", holds=growth <= most)
            )


SMALL_CLOSE = "small answer, a connection each"
SMALL_KEEP = "small answer, keep-alive"
SMALL_FILE = "1 KiB file"
LARGE_FILE = "100 MiB file"
IDLE_MANY = f"{MANY:,} idle connections"

BARS: dict[str, dict[str, dict[str, float]]] = {
    SMALL_CLOSE: {
        "ab": {
            "floor": 0.75,
            "twisted.web": 2.2,
            "twisted.web" + AS_IT_COMES: 2.2,
            "aiohttp": 2.2,
            "http.server": 4,
        }
    },
    # ab speaks HTTP/1.0, and there twisted.web keeps no connection; with wrk it does.
    SMALL_KEEP: {
        "ab": {"floor": 0.6, "aiohttp": 1.6, "twisted.web": 4, "twisted.web" + AS_IT_COMES: 4},
        "wrk": {},
    },
    SMALL_FILE: {"ab": {"twist web --path": 2, "python -m http.server": 4}},
    LARGE_FILE: {"one client": {"nginx": 0.8}},
}

CASES: dict[str, Callable[[Plan, Tables], None]] = {
    "close": close_case,
    "keep": keep_case,
    "file": file_case,
    "large": large_case,
    "idle": idle_case,
    "feed": feed_case,
}


# The page


def machine(plan: Plan) -> str:
    """Return what ran where."""
    cpus = len(os.sched_getaffinity(0)) if plan.server_cpu is None else os.cpu_count()
    names = ("Twisted", "aiohttp", "h11")
    python = [f"{name} {importlib.metadata.version(name)}" for name in names]
    programs = [
        f"nginx {_version('nginx', '-v', r'nginx/([0-9.]+)')}",
        f"ab {_version('ab', '-V', r'Version ([0-9.]+)')}",
        f"wrk {_version('wrk', '-v', r'wrk (?:debian/)?([0-9.]+)')}",
    ]
    where = (
        "the servers on one core, the load on another"
        if plan.server_cpu is not None
        else "servers and load on the same cores"
    )
    versions = ", ".join([f"Python {platform.python_version()}", *python, *programs])
    return (
        f"{time.strftime('%Y-%m-%d', time.gmtime())}: {platform.system()}, "
        f"{platform.machine()}{_processor()}, {cpus} cores, "
        f"{where}; {plan.rounds} rounds of {plan.seconds:.0f} s. {versions}."
    )


def _processor() -> str:
    with contextlib.suppress(OSError):
        found = re.search("model name.*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
        if found:
            return f" ({found[1]})"
    return ""


def _version(name: str, option: str, pattern: str) -> str:
    done = subprocess.run([program(name), option], capture_output=True, text=True, check=False)
    found = re.search(pattern, done.stdout + done.stderr)
    return found[1] if found else "of unknown version"


def markdown(header: Sequence[str], lines: Sequence[Sequence[str]], right: set[int]) -> str:
    """Return a table; the columns in ``right`` are numbers."""
    rule = ["---:" if i in right else "---" for i in range(len(header))]
    return "\n".join(f"| {' | '.join(line)} |" for line in [header, rule, *lines])


def render(tables: Tables, heading: str) -> str:
    """Return all that was measured, as Markdown."""
    ratios = [
        [row.case, row.tool, row.result, row.spread, row.cpu, row.bar, _verdict(row)]
        for row in tables.rows
    ]
    parts = [heading]
    if tables.disturbed:
        parts.append(
            f"Other programs had {statistics.median(tables.disturbed):.2f} cores of CPU time "
            f"meanwhile; in the worst measurement, {max(tables.disturbed):.2f}."
        )
    if tables.problems:
        parts.append("\n".join(["**Something went wrong:**", "", *_items(tables.problems)]))
    if ratios:
        header = ["case", "measured with", "toyhttp is", "rounds", "by CPU time", "bar", ""]
        parts.append(markdown(header, ratios, {3, 4, 5}))
    if tables.rates:
        header = ["case", "measured with", "server", "in a second", "rounds", "µs of CPU each", ""]
        parts.append(markdown(header, tables.rates, {3, 4, 5}))
    return "\n\n".join(parts) + "\n"


def _items(lines: Sequence[str]) -> list[str]:
    return [f"- {line}" for line in lines]


def _verdict(row: Row) -> str:
    if not row.bar:
        return ""
    verdict = "holds" if row.holds else "**missed**"
    return f"{verdict}, by CPU time" if row.judged_by_cpu else verdict


def write_page(text: str) -> None:
    """Put the tables into the page, in the place of those before."""
    page = PAGE.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise NotMeasured(f"{PAGE} has no {BEGIN} and {END}")
    PAGE.write_text(f"{before}{begin}\n\n{text}\n{end}{after}", encoding="utf-8")


def allow_descriptors(count: int) -> None:
    """Let this process and those that it starts open so many files each.

    :raises NotMeasured: if the system does not allow it.
    """
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(count, hard)))
        except (OSError, ValueError) as error:
            raise NotMeasured(
                f"the limit of open files is {hard}, and {count} are needed: raise it "
                f"(ulimit -Hn {count})"
            ) from error


def make_files(root: Path) -> None:
    """Make the files that are served."""
    root.mkdir()
    (root / "small.txt").write_bytes(b"0123456789abcde\n" * 64)
    (root / "large.bin").write_bytes(os.urandom(MIB) * (LARGE // MIB))


def main() -> int:
    """Measure, print the tables as Markdown, and tell whether all went well."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare")
    parser.add_argument("--rounds", type=int, default=5, help="(default: 5)")
    parser.add_argument(
        "--patience",
        type=int,
        default=2,
        metavar="TIMES",
        help="how often to repeat what other programs have disturbed (default: 2)",
    )
    parser.add_argument("--quick", action="store_true", help="two short rounds, to try it out")
    parser.add_argument("--only", action="append", choices=CASES, help="may be repeated")
    parser.add_argument("--write", action="store_true", help="into docs/benchmarks.md, too")
    arguments = parser.parse_args()

    cpus = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    load_cpu, server_cpu = (cpus[0], cpus[-1]) if len(cpus) > 1 else (None, None)
    rounds, seconds = (2, 1.0) if arguments.quick else (arguments.rounds, 2.0)
    tables = Tables()
    with tempfile.TemporaryDirectory() as name:
        plan = Plan(rounds, seconds, server_cpu, Path(name), arguments.patience)
        try:
            for needed in ("ab", "wrk", "nginx"):
                program(needed)
            heading = machine(plan)
            allow_descriptors(MANY + 500)
            pin(load_cpu)
            make_files(plan.root)
        except NotMeasured as error:
            say(f"python -m benchmarks.compare: {error}")
            return 1
        for case in arguments.only or CASES:
            try:
                CASES[case](plan, tables)
            except NotMeasured as error:
                tables.problems.append(f"{case}: {error}")
                say(tables.problems[-1])
    text = render(tables, heading)
    print(text)
    if arguments.write:
        write_page(text)
    return 1 if tables.problems else 0


if __name__ == "__main__":
    sys.exit(main())
