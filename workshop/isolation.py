"""Each test begins in an empty folder of its own, and in a process that is as it was.

What a test has changed is put back behind it: the working folder, the environment, the
modules, the handlers of signals and so on.  What it has started is ended.  This keeps one
test from disturbing the next one.  It is no protection from a test that means harm:
docs/judge.md says what is.
"""

from __future__ import annotations

import _thread
import builtins
import gc
import io
import locale
import os
import shutil
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from os import _exit, getpid  # the tests may put others in their place
from pathlib import Path
from types import ModuleType
from typing import Any

from .processes import adopt_orphans, descendants_of

GRACE = 0.2  # seconds for a thread or a process that is about to end
HEAP_TYPE = 1 << 9  # the flag of a class that can be changed
STREAMS = ("stdin", "stdout", "stderr")
CONTAINERS = (dict, list, set, bytearray)
BUILTINS = vars(builtins)
DATA = (float, str, bytes, tuple)
SIGNALS = [
    getattr(signal, f"SIG{name}")
    for name in ["INT", "TERM", "HUP", "QUIT", "ALRM", "CHLD", "PIPE", "USR1", "USR2", "BREAK"]
    if hasattr(signal, f"SIG{name}")
]
SETTINGS: list[tuple[Callable[[], Any], Callable[[Any], Any]]] = [
    (sys.getrecursionlimit, sys.setrecursionlimit),
    (sys.getswitchinterval, sys.setswitchinterval),
    (sys.gettrace, sys.settrace),
    (sys.getprofile, sys.setprofile),
    (threading.gettrace, threading.settrace),
    (threading.getprofile, threading.setprofile),
    (socket.getdefaulttimeout, socket.setdefaulttimeout),
    (gc.isenabled, lambda on: gc.enable() if on else gc.disable()),
    (lambda: locale.setlocale(locale.LC_ALL), lambda name: locale.setlocale(locale.LC_ALL, name)),
]
"""What is set for the whole process, as pairs of a function that tells and one that sets it."""

Owner = ModuleType | type


class Namespaces:
    """The names that some modules and classes have, as they are when this is made.

    :param owners: the modules and classes.
    """

    def __init__(self, owners: Iterable[Owner]) -> None:
        self._owners = list(owners)
        self._now = [vars(owner) for owner in self._owners]
        self._then = [dict(names) for names in self._now]

    def restore(self) -> bool:
        """Put back what was changed; return whether anything was."""
        numbers = list(range(len(self._owners)))
        try:
            pairs = zip(numbers, self._now, self._then, strict=True)
            numbers = [number for number, now, then in pairs if now != then]
        except Exception:
            pass  # something there cannot be compared with what took its place
        return sum(map(self._restore, numbers)) > 0

    def _restore(self, number: int) -> bool:
        owner, now, then = self._owners[number], self._now[number], self._then[number]
        changed = False
        for name in {**now, **then}:
            if name in now and name in then and now[name] is then[name]:
                continue
            if _is_bookkeeping(owner, name, now, then):
                if name in now:
                    then[name] = now[name]
                continue
            changed = True
            with suppress(Exception):
                if name in then:
                    _set(owner, name, then[name])
                elif isinstance(owner, type):
                    type.__delattr__(owner, name)
                else:
                    del vars(owner)[name]
        return changed


def _set(owner: Owner, name: str, value: object) -> None:
    if isinstance(owner, type):
        type.__setattr__(owner, name, value)
    else:
        vars(owner)[name] = value


def _is_bookkeeping(owner: Owner, name: str, now: Any, then: Any) -> bool:
    """Tell whether a library has noted something for itself, or was imported."""
    if name not in then:
        return name.startswith("__") or isinstance(now[name], ModuleType)
    if owner is sys and (name in STREAMS or name.startswith("last_")):
        return True
    if name not in now or _module_of(owner).startswith("exercises."):
        return False
    old, new = then[name], now[name]
    if old is None or _module_of(owner).startswith("zope."):
        return True  # it was made when it was asked for first
    if isinstance(old, int) and isinstance(new, int):
        return new > old and not isinstance(new, bool)  # something is counted
    return type(old) is type(new) and isinstance(old, DATA) and (old == new or name[0] == "_")


def _module_of(owner: Owner) -> str:
    return str(owner.__module__ if isinstance(owner, type) else owner.__name__)


class Containers:
    """What is in the lists, dictionaries and sets that some modules and classes have."""

    def __init__(self, owners: Iterable[Owner]) -> None:
        self._now: list[Any] = [
            value
            for owner in owners
            for name, value in vars(owner).items()
            if type(value) in CONTAINERS and not name.startswith("__")
        ]
        self._then = [value.copy() for value in self._now]

    def restore(self) -> bool:
        """Put back what was changed; return whether anything was."""
        try:
            if self._now == self._then:
                return False
        except Exception:
            pass
        for now, then in zip(self._now, self._then, strict=True):
            now.clear()
            now.extend(then) if isinstance(now, list | bytearray) else now.update(then)
        return True


def classes_in(modules: Iterable[ModuleType]) -> set[type]:
    """Return the classes that these modules have, without those that nobody can change."""
    values = {id(value): value for module in modules for value in vars(module).values()}
    return {
        value
        for value in values.values()
        if isinstance(value, type) and value.__flags__ & HEAP_TYPE and value.__module__ != __name__
    }


class Process:
    """What is set for this whole process, as it is when this is made."""

    def __init__(self) -> None:
        self._modules = sys.modules.copy()
        paths: list[list[Any]] = [sys.path, sys.argv, sys.meta_path]
        self._paths = [(path, path.copy()) for path in paths]
        self._filters = warnings.filters[:]
        self._settings = [tell() for tell, _ in SETTINGS]
        self._signals = [signal.getsignal(number) for number in SIGNALS]
        self._streams = [getattr(sys, name) for name in STREAMS]
        self._environment = _environment().copy()
        self._umask = os.umask(0o077)
        os.umask(self._umask)

    def restore(self) -> None:
        """Put back what was changed."""
        for container, then in self._paths:
            if container != then:
                container[:] = then
        if warnings.filters != self._filters:
            warnings.resetwarnings()
            warnings.filters[:] = self._filters  # type: ignore[index]
        if sys.modules != self._modules:
            self._restore_modules()
        for (tell, put), then in zip(SETTINGS, self._settings, strict=True):
            if tell() != then:
                with suppress(Exception):
                    put(then)
        for number, handler in zip(SIGNALS, self._signals, strict=True):
            if handler is not None and signal.getsignal(number) != handler:
                signal.signal(number, handler)
        if sys.platform != "win32":
            signal.setitimer(signal.ITIMER_REAL, 0)
        if _environment() != self._environment:
            os.environ.clear()
            _environment().update(self._environment)
            os.environ.update(dict(os.environ))
        os.umask(self._umask)
        for number, name in enumerate(STREAMS):
            stream = self._streams[number]
            if stream is None or stream.closed:
                stream = self._streams[number] = io.StringIO()
            setattr(sys, name, stream)

    def _restore_modules(self) -> None:
        """Put back the modules that are missing; keep those that were really imported."""
        for name in set(sys.modules) - set(self._modules):
            spec = getattr(sys.modules[name], "__spec__", None)
            if getattr(spec, "loader", None) is None:
                del sys.modules[name]
        sys.modules.update(self._modules)
        self._modules = sys.modules.copy()


class Isolation:
    """Keeps the tests that one process runs from each other.

    :param home: a folder of which nobody else knows; the tests' own are made in it.
    :ivar spent: whether something is left that only the end of this process can end.
    """

    def __init__(self, home: Path) -> None:
        self._home = str(home.resolve())
        self._pid = os.getpid()
        self._number = 0
        self._folder: tuple[str, os.stat_result] | None = None
        self._nothing = os.open(os.devnull, os.O_RDWR)
        self._errors = os.dup(2)
        self._builtins = BUILTINS.copy()
        self._everything: Namespaces | None = None
        self._known = 0
        self.careful = False
        self.spent = False
        self._started = False
        adopt_orphans()
        if sys.platform == "win32":
            sys.addaudithook(self._note_processes)

    def _note_processes(self, event: str, _: Any) -> None:
        if event in ("subprocess.Popen", "os.system", "_winapi.CreateProcess"):
            self._started = True

    def watch(self) -> None:
        """Remember how all is now, where the tests that are loaded can change it."""
        own = [module for name, module in sys.modules.items() if name.startswith("exercises.")]
        within = {id(value): value for module in own for value in vars(module).values()}
        others = [value for value in within.values() if isinstance(value, ModuleType)]
        others = [value for value in others if not value.__name__.startswith("workshop")]
        near = {id(module): module for module in [*own, *others, builtins, sys, os, time, signal]}
        classes = [*classes_in(own)]
        self._near = Namespaces([*near.values(), *classes])
        self._containers = Containers([*own, *classes])
        self._process = Process()
        self._threads = _thread._count()
        if self._everything is None or len(sys.modules) != self._known:
            self._known = len(sys.modules)
            rest = [
                module
                for name, module in sys.modules.items()
                if isinstance(module, ModuleType)  # the reactor is none
                and name.partition(".")[0] not in ("exercises", "workshop", "__main__")
            ]
            self._everything = Namespaces([*rest, *classes_in(rest)])

    def begin(self) -> None:
        """Make a folder for the next test, unless the one before left its own empty; go there."""
        if self._folder is None:
            self._number += 1
            folder = os.path.join(self._home, str(self._number))  # noqa: PTH118 - it is quicker
            Path(folder).mkdir(mode=0o700, parents=True)
            self._folder = folder, os.lstat(folder)
        os.chdir(self._folder[0])

    def end(self) -> str:
        """Put all back that the test has changed; end what it has started.

        :returns: what was left running, in words; empty if nothing was.
        """
        BUILTINS.update(self._builtins)  # before anything here is called
        if getpid() != self._pid:
            _exit(0)  # the test has forked, and the child came back as well
        self.restore()
        if self.careful:
            self.restore_everything()
        left = self._end_processes() or self._end_threads()
        self._leave_folder()
        return left

    def restore(self) -> None:
        """Put back what is near to the tests."""
        self._near.restore()
        self._containers.restore()
        self._process.restore()
        os.dup2(self._nothing, 0)
        os.dup2(self._nothing, 1)
        os.dup2(self._errors, 2)

    def restore_everything(self) -> bool:
        """Put back the names of all modules and classes; return whether any was changed."""
        return self._everything is not None and self._everything.restore()

    def _leave_folder(self) -> None:
        """Go home, and remove the folder of the test, unless it is as it was made."""
        assert self._folder is not None
        folder, made = self._folder
        self.go_home()
        with suppress(OSError):
            now = os.lstat(folder)
            same = (now.st_ino, now.st_mode) == (made.st_ino, made.st_mode)
            if same and not os.listdir(folder):  # noqa: PTH208
                return
        self._folder = None
        remove(Path(folder))

    def go_home(self) -> None:
        """Go to the folder in which the tests have theirs."""
        try:
            os.chdir(self._home)
        except OSError:
            Path(self._home).mkdir(mode=0o700, parents=True, exist_ok=True)
            os.chdir(self._home)

    def _end_processes(self) -> str:
        if sys.platform == "win32":
            self.spent = self.spent or self._started
            return ""
        left = ""
        patience = time.monotonic() + GRACE
        while True:
            try:
                ended, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return left
            if ended:
                continue
            if time.monotonic() > patience:
                if left:
                    self.spent = True  # its end will end what is in its group
                    return left
                left = "a process"
                patience += GRACE
            if left:
                for child in descendants_of(self._pid):
                    with suppress(OSError):
                        os.kill(child, signal.SIGKILL)
            time.sleep(0.005)

    def _end_threads(self) -> str:
        """Wait a moment for the threads that are left; they cannot be ended without the process."""
        patience = time.monotonic() + GRACE
        while _thread._count() > self._threads:
            if time.monotonic() > patience:
                self.spent = True
                names = [
                    thread.name
                    for thread in threading.enumerate()
                    if thread is not threading.main_thread()
                ]
                return f"a thread ({', '.join(names)})" if names else "a thread"
            time.sleep(0.005)
        return ""


def _environment() -> dict[Any, Any]:
    """Return what is behind ``os.environ``: to compare that takes no time."""
    data: dict[Any, Any] = vars(os.environ)["_data"]
    return data


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, even what may not be entered."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.is_dir() and not folder.is_symlink():
        with suppress(OSError):
            folder.chmod(0o700)
        for parent, names, _ in os.walk(folder):
            for path in [Path(parent, name) for name in names]:
                if not path.is_symlink():
                    with suppress(OSError):
                        path.chmod(0o700)
        shutil.rmtree(folder, ignore_errors=True)
