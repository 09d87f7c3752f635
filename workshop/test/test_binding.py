"""The binding: one suite, many servers."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

from twisted.trial.unittest import TestCase

import exercises
from exercises.binding import standing_in, tests_of

timeout = 5


def entries() -> dict[str, ModuleType]:
    """Return what ``sys.modules`` has of the package ``exercises``."""
    return {name: sys.modules[name] for name in sys.modules if name.startswith("exercises")}


class StandingInTests(TestCase):
    """``exercises.myhttp`` is lent, and given back."""

    def test_server_stands_in(self) -> None:
        """In the block the names are those of the other package."""
        with standing_in("toyhttp"):
            module = import_module("exercises.myhttp.request")
        self.assertIs(module, sys.modules["toyhttp.request"])

    def test_every_kind_of_import(self) -> None:
        """However a test imports ``myhttp``, it gets the same package."""
        names: dict[str, ModuleType] = {}
        with standing_in("toyhttp"):
            exec("import exercises.myhttp as a", names)
            exec("from exercises import myhttp as b", names)
            exec("from exercises.myhttp import reader as c", names)
            exec("import exercises.myhttp.reader as d", names)
        came = [names[name].__name__ for name in "abcd"]
        self.assertEqual(came, ["toyhttp", "toyhttp", "toyhttp.reader", "toyhttp.reader"])

    def test_all_is_as_before(self) -> None:
        """After the block ``sys.modules`` and the package have what they had."""
        import_module("exercises.myhttp.request")
        import_module("exercises.stage1")
        before, attributes = entries(), vars(exercises).copy()
        with standing_in("solutions.stage2"):
            import_module("exercises.stage2.test_response")
        self.assertEqual(entries(), before)
        self.assertEqual(vars(exercises), attributes)

    def test_all_is_as_before_an_error(self) -> None:
        """So they have when the block raises."""
        before, attributes = entries(), vars(exercises).copy()
        with self.assertRaises(ZeroDivisionError), standing_in("solutions.stage2"):
            import_module("exercises.stage2.test_response")
            raise ZeroDivisionError
        self.assertEqual(entries(), before)
        self.assertEqual(vars(exercises), attributes)

    def test_one_within_another(self) -> None:
        """The inner block gives back what the outer one has lent."""
        with standing_in("toyhttp"):
            with standing_in("solutions.stage1"):
                inner = import_module("exercises.myhttp.request").__name__
            outer = import_module("exercises.myhttp.request").__name__
        self.assertEqual((inner, outer), ("solutions.stage1.request", "toyhttp.request"))

    def test_no_such_server(self) -> None:
        """A name that is no package is an error, and changes nothing."""
        before = entries()
        with self.assertRaises(ImportError), standing_in("solutions.stage0"):
            pass
        self.assertEqual(entries(), before)

    def test_server_without_a_module(self) -> None:
        """What the server lacks is not taken from the learner."""
        import_module("exercises.myhttp.reader")
        with standing_in("solutions.stage1"):
            self.assertRaises(ImportError, import_module, "exercises.myhttp.reader")


class TestsOfTests(TestCase):
    """A suite that is bound to a server."""

    def test_names(self) -> None:
        """The test cases and the limit are there, and nothing that they import."""
        names = tests_of(1, "toyhttp", module="here")
        core = {"BadRequestTests", "HeaderFieldTests", "RequestLineTests", "RequestTests"}
        self.assertEqual(set(names) & {*core, "TestCase", "AnyByteTests"}, {*core, "AnyByteTests"})
        self.assertEqual({name for name in names if not name.endswith("Tests")}, {"timeout"})

    def test_module(self) -> None:
        """Each test case belongs to the module given, where Trial looks for it."""
        names = tests_of(1, "toyhttp", module="here")
        came = {getattr(value, "__module__", "here") for value in names.values()}
        self.assertEqual(came, {"here"})

    def test_loaded_afresh(self) -> None:
        """Two suites share nothing: each tests its own server."""
        came = []
        for server in ("toyhttp", "solutions.stage1"):
            case = tests_of(1, server, module="here")["RequestLineTests"]
            test = vars(case)["test_smallest_request"]
            came.append(test.__globals__["Request"].__module__)
        self.assertEqual(came, ["toyhttp.request", "solutions.stage1.request"])

    def test_module_instead(self) -> None:
        """A single module can be another one; the others are those of the server."""
        reader = "exercises.stage3.broken.first"
        names = tests_of(3, "solutions.stage3", module="here", reader=reader)
        test = vars(names["ChunkTests"])["test_whole_request"]
        actual = [test.__globals__[name].__module__ for name in ("RequestReader", "Request")]
        self.assertEqual(actual, [reader, "solutions.stage3.request"])

    def test_server_lacks_a_name(self) -> None:
        """A server that has not come so far is an ImportError, which names what is missing."""
        error = self.assertRaises(ImportError, tests_of, 2, "solutions.stage1", "here")
        self.assertIn("exercises.myhttp.response", str(error))


class OverlayTests(TestCase):
    """``solutions.stageN`` is the newest of every module up to stage N."""

    def test_unchanged_module(self) -> None:
        """What a stage does not change is that of the stage before."""
        module = import_module("solutions.stage3.request")
        path = import_module("solutions.stage1.request").__file__
        self.assertEqual(module.__file__, path)

    def test_relative_import(self) -> None:
        """A relative import stays in the overlay."""
        reader = import_module("solutions.stage4.reader")
        self.assertEqual(reader.Request.__module__, "solutions.stage4.request")
