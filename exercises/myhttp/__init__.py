"""Your HTTP/1.0 server. It grows from stage to stage; start in ``request.py``."""
