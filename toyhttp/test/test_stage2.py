"""The tests of stage 2, run against ``toyhttp``."""

from exercises.binding import tests_of

globals().update(tests_of(stage=2, server="toyhttp", module=__name__))
