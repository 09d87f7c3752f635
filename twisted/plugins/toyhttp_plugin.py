"""Makes ``twist toyhttp`` known.  It imports nothing before it is asked to."""

from twisted.application.service import ServiceMaker

toyhttp = ServiceMaker("toyhttp", "toyhttp.service", "A toy HTTP/1.0 server.", "toyhttp")
