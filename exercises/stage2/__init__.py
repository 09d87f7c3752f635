"""Stage 2: a response is bytes."""

from exercises.order import core_first

core_first(__name__)
