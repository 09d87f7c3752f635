"""A toy HTTP/1.0 server: correct, fast and safe, and small enough to read in an evening.

Read it in the order in which bytes pass through it: :mod:`toyhttp.reader`,
:mod:`toyhttp.request`, your handler, :mod:`toyhttp.response`; and
:mod:`toyhttp.channel`, which holds them together.
"""

from .channel import Handler, HTTPChannel, HTTPFactory
from .reader import RequestReader
from .request import BadRequest, Request, parse_request
from .response import Response, render_response

__version__ = "0.1.0"

__all__ = [
    "BadRequest",
    "HTTPChannel",
    "HTTPFactory",
    "Handler",
    "Request",
    "RequestReader",
    "Response",
    "parse_request",
    "render_response",
]
