"""The tests of the guide, of the binding, and of what always holds."""
