"""The least that passes the core of stages 1 to 3, and little of their hardening."""
