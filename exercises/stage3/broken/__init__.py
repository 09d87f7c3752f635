"""Three readers that work on their authors' machines, and the tests to try them."""
