"""For each stage the modules that it writes or changes; the rest is the stage's before.

``solutions.stage3`` is a package whose ``__path__`` is the folders ``stage3``,
``stage2``, ``stage1``.  So ``solutions.stage3.request`` is stage 1's, and a
relative import finds the newest module up to stage 3.  The test modules are
found the same way: ``trial solutions.stage3`` runs the tests of stages 1 to 3.

A stage that is too much for one step has others before it, such as ``stage10_step1``: a
package like that of a stage, with the stage before it in its ``__path__``.  The next
step, and at last the stage, goes on from there.  It is a refactoring: it passes the tests
of all stages before.
"""

from importlib import import_module

from exercises.manifest import STAGES

# Trial looks for tests in all of a package's path only if the package is imported.
for _stage in STAGES:
    import_module(f"solutions.stage{_stage.number}")
