"""Three readers that work on the machine of whoever wrote them, and the tests to try them."""
