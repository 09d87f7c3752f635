"""Stage 8: how to disconnect, really."""

from exercises.order import core_first

core_first(__name__)
