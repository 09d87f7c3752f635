"""The learner's room: ``myhttp``, which you write, and the stages with their tests."""
