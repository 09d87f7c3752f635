"""End processes with all that they have started; the standard library has no call for that."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>


def adopt_orphans() -> None:
    """Become the parent of what the children leave behind, where the system can do that (Linux)."""
    if sys.platform == "linux":
        with suppress(ImportError, OSError, AttributeError):
            from ctypes import CDLL

            CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children_of(pid: int) -> list[int]:
    """Return the children of a process; none where the system does not tell (Linux does)."""
    found: list[int] = []
    with suppress(OSError):
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            with suppress(OSError):
                found += map(int, path.read_text().split())
    return found


def descendants_of(pid: int) -> list[int]:
    """Return the children of a process, and theirs, and so on."""
    found = children_of(pid)
    for child in found:
        found += children_of(child)
    return found


def end_tree(process: subprocess.Popen[bytes]) -> None:
    """End a process that leads a group, that group, and what is known to descend from it."""
    if process.returncode is not None:
        return  # somebody has waited for it: its number may be that of another one
    if sys.platform == "win32":
        process.kill()
        return
    pids = [process.pid]
    with suppress(OSError):
        os.kill(process.pid, signal.SIGSTOP)  # so that it starts no more
        pids += descendants_of(process.pid)
        os.killpg(process.pid, signal.SIGKILL)
    for pid in pids:
        with suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def end_this_tree() -> None:
    """End this process and all that it has started; on Windows that takes a program."""
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(os.getpid())], check=False)
    os._exit(0)
