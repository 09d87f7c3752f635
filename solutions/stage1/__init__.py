"""The solution of stage 1: a request is bytes."""
