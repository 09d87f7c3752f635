"""One more right server, in another style: the tests and the judge are checked by it.

It was written from the pages of the stages alone, without a look at the other solutions, so
it differs from them wherever a page leaves room: hand-written ``__slots__`` classes, a reader
that is a generator, an ``Enum`` of states, one lazy delayed call for all timeouts, coroutines
for handlers and for the client.  A test that fails here asks for more than its page says.
"""
