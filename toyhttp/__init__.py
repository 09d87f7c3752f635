"""A toy HTTP/1.0 server: correct, fast and safe, and small enough to read in an evening.

Read it in the order in which bytes pass through it: :mod:`toyhttp.reader`,
:mod:`toyhttp.request`, your handler, :mod:`toyhttp.response`; and
:mod:`toyhttp.channel`, which holds them together.  :mod:`toyhttp.files` is a handler
that serves a folder, and :mod:`toyhttp.command` is the command that starts it all.
:mod:`toyhttp.client` is the other side, and :mod:`toyhttp.loopback` helps to test both.
"""

from .channel import Handler, HTTPChannel, HTTPFactory
from .client import BadResponse, LateResponse, PartialResponse, ResponseError, get
from .files import FileHandler
from .reader import RequestReader
from .request import BadRequest, Request, parse_request
from .response import Body, Response, render_response, text_response

__version__ = "0.1.0"

__all__ = [
    "BadRequest",
    "BadResponse",
    "Body",
    "FileHandler",
    "HTTPChannel",
    "HTTPFactory",
    "Handler",
    "LateResponse",
    "PartialResponse",
    "Request",
    "RequestReader",
    "Response",
    "ResponseError",
    "get",
    "parse_request",
    "render_response",
    "text_response",
]
