"""Stage 1: a request is bytes."""

from exercises.order import core_first

core_first(__name__)
