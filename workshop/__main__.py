"""``python -m workshop``: one command for everybody.

``start`` and ``test`` must run on a Python that has nothing installed yet, so
this module, and all that it imports, need the standard library alone.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence

from exercises.manifest import STAGES, Stage

from .descriptions import tests_in
from .environment import ROOT, WINDOWS, Environment, SetUpError, run
from .judging import Wish, judge_command

ACTIVATE = r".venv\Scripts\activate" if WINDOWS else "source .venv/bin/activate"

IN_ORDER = ("-x", "--order", "toptobottom")

NEXT = """
{green} of {total} tests of stage 1 are green. {advice}
In each new terminal, type this first:

    {activate}

Then run the tests, again and again. They stop at the first that is red:

    {trial}"""

RED = """The first red one is above: write
exercises/myhttp/request.py, as exercises/stage1/README.md says."""

GREEN = """Go on with
exercises/stage2/README.md."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the words of ``argv`` name, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m workshop", description="The guide to the workshop."
    )
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)
    commands.add_parser("start", help="set up, and show the first red test")
    command = commands.add_parser("test", help="set up, and run all checks, with tox")
    command.add_argument("tox", nargs="*", help="for tox, behind --: such as -- -e lint")
    command = commands.add_parser("judge", help="say how good the tests of a stage are")
    command.add_argument("stage", type=int, metavar="STAGE", help="its number, such as 9")
    command.add_argument("--json", action="store_true", help="print data, for programs")
    command.add_argument("--caught", action="store_true", help="list the bugs that are caught")
    command.add_argument("--idle", action="store_true", help="name the tests that catch nothing")
    command.add_argument("--tests", metavar="FOLDER", help="judge the tests in this folder")
    command.add_argument(
        "--only", nargs="+", default=[], metavar="NAME", help="judge these descriptions alone"
    )
    command.add_argument("--reveal", action="store_true", help="tell all bugs that survive")
    arguments = parser.parse_args(argv)
    if arguments.command == "judge":
        del arguments.command
        return judge_command(Wish(**vars(arguments)))
    environment = Environment(ROOT / ".venv")
    try:
        environment.make()
        if arguments.command == "start":
            return start(environment)
        environment.install("tox>=4.20", stamp="")
        return run([str(environment.python), "-m", "tox", *arguments.tox])
    except SetUpError as error:
        print(f"workshop: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def start(environment: Environment) -> int:
    """Install the workshop, show that it works, run the first red test, and say what is next.

    :returns: 0 if all works, whether the tests are red or green.
    """
    metadata = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    environment.install(f"{ROOT}[workshop]", stamp=f"{ROOT}\n{metadata}")
    environment.add_command("workshop")
    first, second = STAGES[:2]
    environment.check("twisted.trial.unittest", first.package)
    print(flush=True)
    code = run([str(environment.python), "-m", "workshop.ready"])
    print(flush=True)
    red = run([str(environment.python), "-m", "twisted.trial", *IN_ORDER, first.package])
    stage, advice = (first, RED) if red else (second, GREEN)
    print(
        NEXT.format(
            green=count_green(environment, first),
            total=len(tests_in(first.folder)),
            advice=advice,
            activate=ACTIVATE,
            trial=" ".join(["trial", *IN_ORDER, stage.package]),
        )
    )
    return code


def count_green(environment: Environment, stage: Stage) -> int:
    """Run the tests of a stage, show nothing of it, and return how many have passed."""
    command = [str(environment.python), "-m", "twisted.trial", stage.package]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    summary = re.search(rb"^(?:PASSED|FAILED) \(.*?successes=(\d+)", done.stdout, re.MULTILINE)
    return int(summary[1]) if summary else 0


if __name__ == "__main__":
    sys.exit(main())
