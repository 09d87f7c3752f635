"""The tests of stage 5, run against ``toyhttp``."""

from exercises.binding import tests_of

globals().update(tests_of(stage=5, server="toyhttp", module=__name__))
