"""Set up the workshop's virtual environment, and run what stands in it.

This module runs before anything is installed: it imports the standard library alone.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 10)
WINDOWS = os.name == "nt"


class SetUpError(Exception):
    """The set-up cannot go on; the text says what to do about it."""


class Environment:
    """A virtual environment.

    :param home: the folder that it is in, or will be made in.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.scripts = home / ("Scripts" if WINDOWS else "bin")
        self.python = self.scripts / ("python.exe" if WINDOWS else "python")

    def make(self) -> None:
        """Make the environment, unless it is there and its Python and pip work.

        :raises SetUpError: if Python is too old, if something else is in the way, or
            if Python came without ``venv`` and it cannot be installed.
        """
        if sys.version_info < OLDEST:
            raise SetUpError(
                "This is Python {}.{}. Install {}.{} or newer, and use that.".format(
                    *sys.version_info[:2], *OLDEST
                )
            )
        if self._works():
            return
        if self.home.exists() and not (self.home / "pyvenv.cfg").exists():
            raise SetUpError(f"{self.home} is no virtual environment. Move it away, and try again.")
        provide_ensurepip()
        print(f"Making a virtual environment in {self.home} ...", flush=True)
        try:
            venv.create(self.home, clear=True, symlinks=not WINDOWS, with_pip=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise SetUpError(f"The environment could not be made: {error}") from error

    def install(self, requirement: str, stamp: str) -> None:
        """Install with pip, unless this was done before: then no network is needed.

        :param requirement: what ``pip install`` is given: a name, or a folder, which
            is installed as it stands, so that changes in it take effect. Either may
            be followed by the name of an extra in brackets.
        :param stamp: anything that changes when the installation must be repeated.
        :raises SetUpError: if pip fails.
        """
        name = re.sub(r"[^\w.-]", "_", Path(requirement).name)  # Windows is particular
        done = self.home / f"{name}.installed"
        if done.exists() and done.read_text(encoding="utf-8") == stamp:
            return
        print(f"Installing {requirement} ...", flush=True)
        folder = Path(requirement.partition("[")[0])
        editable = ["--editable"] if folder.is_dir() else []
        if run([str(self.python), "-m", "pip", "install", "--quiet", *editable, requirement]):
            raise SetUpError("pip could not install it: see above. Is there a network?")
        done.write_text(stamp, encoding="utf-8")

    def add_command(self, name: str) -> None:
        """Let ``NAME`` run ``python -m NAME`` of this environment, once that is activated.

        A package does this with an entry point; but the workshop is in no package.
        """
        if WINDOWS:
            text = f'@"%~dp0python.exe" -m {name} %*\n'
            (self.scripts / f"{name}.cmd").write_text(text, encoding="utf-8")
            return
        path = self.scripts / name
        text = f'#!/bin/sh\nexec {shlex.quote(str(self.python))} -m {name} "$@"\n'
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def check(self, *modules: str) -> None:
        """See that these can be imported.

        :raises SetUpError: if one cannot.
        """
        if run([str(self.python), "-c", f"import {', '.join(modules)}"]):
            raise SetUpError(f"The environment is broken. Delete {self.home}, and try again.")

    def _works(self) -> bool:
        """Tell whether the environment's Python starts and has pip."""
        try:
            probe = [str(self.python), "-c", "import pip"]
            return subprocess.run(probe, stderr=subprocess.DEVNULL, check=False).returncode == 0
        except OSError:
            return False


def provide_ensurepip() -> None:
    """Install the part of Python that makes environments, where Debian left it out.

    :raises SetUpError: if it is missing and cannot be installed from here.
    """
    if importlib.util.find_spec("ensurepip") is not None:
        return
    package = "python{}.{}-venv".format(*sys.version_info[:2])
    if shutil.which("apt-get") is None:
        raise SetUpError("This Python has no 'ensurepip'. Install it, and try again.")
    become_root = [] if os.geteuid() == 0 else ["sudo"]
    if become_root and shutil.which("sudo") is None:
        raise SetUpError(f"Type this as root, and try again: apt-get install {package}")
    for words in (["update"], ["install", "--yes", package]):
        command = [*become_root, "apt-get", *words]
        print(f"This Python has no 'ensurepip': {' '.join(command)}", flush=True)
        if run(command):
            raise SetUpError("apt-get failed: see above.")
    importlib.invalidate_caches()


def run(command: Sequence[str]) -> int:
    """Run a program in the project's folder, and return its exit code."""
    return subprocess.run(command, cwd=ROOT, check=False).returncode
