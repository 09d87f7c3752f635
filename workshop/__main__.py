"""``python -m workshop``: one command for everybody.

``start`` and ``test`` must run on a Python that has nothing installed yet, so
this module, and all that it imports, need the standard library alone.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .environment import ROOT, WINDOWS, Environment, SetUpError, run
from .judging import judge_command

ACTIVATE = r".venv\Scripts\activate" if WINDOWS else "source .venv/bin/activate"

NEXT = f"""
The set-up works. These tests are red until you write exercises/myhttp/request.py;
exercises/stage1/README.md says how. In each new terminal, type this first:

    {ACTIVATE}

Then run the tests, again and again:

    trial exercises.stage1"""

GREEN = f"""
The set-up works, and stage 1 is green. In each new terminal, type this first:

    {ACTIVATE}"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the words of ``argv`` name, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m workshop", description="The guide to the workshop."
    )
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)
    commands.add_parser("start", help="set up, and run the tests of stage 1")
    command = commands.add_parser("test", help="set up, and run all checks, with tox")
    command.add_argument("tox", nargs="*", help="for tox, behind --: such as -- -e lint")
    command = commands.add_parser("judge", help="say how good the tests of a stage are")
    command.add_argument("stage", type=int, metavar="STAGE", help="its number, such as 9")
    command.add_argument("--json", action="store_true", help="print data, for programs")
    command.add_argument("--idle", action="store_true", help="name the tests that catch nothing")
    command.add_argument("--tests", metavar="FOLDER", help="judge the tests in this folder")
    arguments = parser.parse_args(argv)
    if arguments.command == "judge":
        return judge_command(arguments.stage, arguments.tests, arguments.json, arguments.idle)
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
    """Install the workshop, run the tests of stage 1 and say what comes next.

    :returns: 0 if the tests could be run, whether they are red or green.
    """
    metadata = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    environment.install(f"{ROOT}[workshop]", stamp=f"{ROOT}\n{metadata}")
    environment.add_command("workshop")
    environment.check("twisted.trial.unittest", "exercises.stage1")
    code = run([str(environment.python), "-m", "twisted.trial", "exercises.stage1"])
    print(NEXT if code else GREEN)
    return 0


if __name__ == "__main__":
    sys.exit(main())
