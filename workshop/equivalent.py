"""The mutants that no test can notice, or that none should, each with the reason.

A mutant that survives and does not stand here is a gap in the tests; one that stands here
and does not survive any more must go: ``trial workshop.test.strength`` says so.
"""
# ruff: noqa: E501 - a key quotes the source as it stands

from __future__ import annotations

EQUIVALENT: dict[str, tuple[str, ...]] = {
    "Nobody says whether a request or a response can be changed.": (
        "request.py Request: @dataclass(frozen=True) [dataclass(frozen=True) => dataclass()]",
        "request.py Request: @dataclass(frozen=True) [True => False]",
        "response.py Response: @dataclass(frozen=True) [dataclass(frozen=True) => dataclass()]",
        "response.py Response: @dataclass(frozen=True) [True => False]",
    ),
    "The body of an error is for people: what it says is left open.": (
        'channel.py refusal: return Response(status, [(b"Content-Type", b"text/plain")], explanation.encode() + b"\\n") [b"\\n" => b\'XX\\nXX\']',
        "channel.py HTTPChannel.dataReceived: self._refuse(error.status, str(error)) [str(error) => str()]",
        "channel.py HTTPChannel.dataReceived: self._refuse(error.status, str(error)) [error => None]",
        "channel.py HTTPChannel._ask_next: self._refuse(error.status, str(error)) [str(error) => str()]",
        "channel.py HTTPChannel._ask_next: self._refuse(error.status, str(error)) [error => None]",
    ),
    "No failure comes there: the errback before it has made a response of each.": (
        "channel.py HTTPChannel._respond: response.addCallback(self._answer) [response.addCallback(self._answer) => response.addBoth(self._answer)]",
        "channel.py HTTPChannel._respond: self._pending = response.addCallback(self._answer) [response.addCallback(self._answer) => response.addBoth(self._answer)]",
        "channel.py HTTPChannel._respond: due.pending = response.addCallback(self._arrived, due) [response.addCallback(self._arrived, due) => response.addBoth(self._arrived, due)]",
    ),
    "connectionMade sets it again, and comes before all others.": (
        "channel.py HTTPChannel.__init__: self._timers: list[IDelayedCall] = [] [self._timers: list[IDelayedCall] = [] => pass]",
    ),
    "It is not written: the connection is lost.": (
        'channel.py HTTPChannel._apologize: return b"" [b"" => None]',
        'channel.py HTTPChannel._apologize: return b"" [b"" => b\'XXXX\']',
        'channel.py HTTPChannel._apologize: return b"", None [b"" => b\'XXXX\']',
        "channel.py HTTPChannel._apologize: return b\"\", None [None => '']",
        'channel.py HTTPChannel._apologize: return b"", None [b"", None => None]',
    ),
    "The three things are named, and the words around the names are left open.": (
        'loopback.py Loopback.disconnect: "the port": maybeDeferred(self.port.stopListening), ["the port" => \'XXthe portXX\']',
        'loopback.py Loopback.disconnect: "the server\'s connection": self._server_lost, ["the server\'s connection" => "XXthe server\'s connectionXX"]',
        'loopback.py Loopback.disconnect: "the client\'s connection": self._client_lost, ["the client\'s connection" => "XXthe client\'s connectionXX"]',
        'loopback.py Loopback.disconnect.late: names = ", ".join(missing) [", " => \'XX, XX\']',
    ),
    "There is one failure at most: that of the port.": (
        "loopback.py Loopback.disconnect.arrived: gone.callback(failures[0] if failures else None)  # a Failure is an errback [0 => -1]",
    ),
    "Nobody sees the text of this exception.": (
        "files.py FileHandler._find: raise NotADirectoryError(file) [NotADirectoryError(file) => NotADirectoryError()]",
        "files.py FileHandler._find: raise NotADirectoryError(file) [file => None]",
    ),
    "What is not there is found not to be there in the next line but one.": (
        "files.py FileHandler._within_root: real = Path(os.path.realpath(path, strict=True)) [os.path.realpath(path, strict=True) => os.path.realpath(path)]",
        "files.py FileHandler._within_root: real = Path(os.path.realpath(path, strict=True)) [True => False]",
    ),
    "Nobody says what If-Modified-Since means for HEAD (RFC 1945, 10.9).": (
        'files.py FileHandler._respond: if request.method == b"GET" and since is not None and modified <= since <= now: [request.method == b"GET" and since is not None and modified <= since <= now => since is not None and modified <= since <= now]',
    ),
    "Nobody says whether %2F ends a name; a name with a NUL in it is refused by the system.": (
        "files.py name_of: if BAD_ESCAPE.search(segment) or not NAME.fullmatch(name): [NAME.fullmatch(name) => NAME.match(name)]",
    ),
    "Neither is a date.": (
        'files.py parse_date: return calendar.timegm(time.strptime((value or b"").decode("ascii"), form)) [b"" => b\'XXXX\']',
    ),
    "The body of an error is for people: what it says, and of which type it is, is left open.": (
        'files.py error: return Response(status, [*headers, (b"Content-Type", b"text/plain")], explanation + b"\\n") [Response(status, [*headers, (b"Content-Type", b"text/plain")], explanation + b"\\n") => Response(status, [*headers, (b\'Content-Type\', b\'text/plain\')])]',
        'files.py error: return Response(status, [*headers, (b"Content-Type", b"text/plain")], explanation + b"\\n") [b"Content-Type" => b\'XXContent-TypeXX\']',
        'files.py error: return Response(status, [*headers, (b"Content-Type", b"text/plain")], explanation + b"\\n") [b"text/plain" => b\'XXtext/plainXX\']',
        'files.py error: return Response(status, [*headers, (b"Content-Type", b"text/plain")], explanation + b"\\n") [b"\\n" => b\'XX\\nXX\']',
    ),
    "How large a piece is is left open, up to 256 KiB.": (
        "channel.py module: PIECE = 64 * 1024 [64 => 65]",
        "channel.py module: PIECE = 64 * 1024 [64 => 63]",
        "channel.py module: PIECE = 64 * 1024 [1024 => 1025]",
        "channel.py module: PIECE = 64 * 1024 [1024 => 1023]",
    ),
    "It only declares what the class has: no transport asks for it.": (
        "channel.py Sender: @implementer(IPullProducer) [implementer(IPullProducer) => lambda it: it]",
        "channel.py Sender: @implementer(IPullProducer) [implementer(IPullProducer) => implementer()]",
    ),
    "loseConnection waits for the producer, so that it may come before the last piece.": (
        "channel.py Sender.resumeProducing: self._progress(not piece) [not piece => piece]",
        "channel.py HTTPChannel._progress: if done: [done => not (done)]",
        "channel.py HTTPChannel._progress: if done: [done => True]",
    ),
    "registerProducer asks for the first piece at once, which starts the same timer.": (
        "channel.py HTTPChannel._answer: self._progress(done=False) [self._progress(done=False) => pass]",
        "channel.py HTTPChannel._answer: self._progress(done=False) [False => True]",
        "channel.py HTTPChannel._send_next: self._progress(done=False) [self._progress(done=False) => pass]",
    ),
    "Neither has the word in it.": (
        'channel.py asks_to_keep: value = request.header(b"Connection") or b"" [b"" => b\'XXXX\']',
    ),
    "Nobody says what other white space means there.": (
        'channel.py asks_to_keep: words = [word.strip(b" \\t") for word in value.lower().split(b",")] [word.strip(b" \\t") => word.strip()]',
    ),
    "The value is in lower case: no X is in it.": (
        'channel.py asks_to_keep: words = [word.strip(b" \\t") for word in value.lower().split(b",")] [b" \\t" => b\'XX \\tXX\']',
    ),
    "Its body is closed once more, with those that wait for their turn.": (
        "channel.py HTTPChannel.connectionLost: if self._sender is not None: [self._sender is not None => False]",
        "channel.py HTTPChannel.connectionLost: self._sender.stopProducing() [self._sender.stopProducing() => pass]",
    ),
    "Who does not read any more pauses again when the next chunk comes.": (
        "channel.py HTTPChannel._work: if self._reading and self._paused != (len(self._due) == AT_ONCE): [self._reading and self._paused != (len(self._due) == AT_ONCE) => self._paused != (len(self._due) == AT_ONCE)]",
    ),
    "Nobody says whether the next request waits until a file is sent.": (
        "channel.py HTTPChannel._ask_next: if not self._reading or self._sender is not None or len(self._due) == AT_ONCE: [not self._reading or self._sender is not None or len(self._due) == AT_ONCE => not self._reading or len(self._due) == AT_ONCE]",
    ),
    "Both are false.": (
        "channel.py HTTPChannel._ask_next: return False [False => None]",
        "channel.py HTTPChannel._ask_next: return False [False => None] #2",
        "channel.py HTTPChannel._send_next: return False [False => None]",
        "client.py ResponseReader._read_head: return False [False => None]",
        "client.py get: endpoint: IStreamClientEndpoint | None = None, [None => '']",
    ),
    "The text of an error is for people: what it says is left open.": (
        "client.py ResponseError.__init__: super().__init__(explanation) [super().__init__(explanation) => pass]",
        "client.py ResponseError.__init__: super().__init__(explanation) [super().__init__(explanation) => super().__init__()]",
        "client.py ResponseError.__init__: super().__init__(explanation) [explanation => None]",
        "client.py ResponseReader._read_head: raise BadResponse(str(error), self.received) from error [str(error) => None]",
        "client.py ResponseReader._read_head: raise BadResponse(str(error), self.received) from error [str(error) => str()]",
        "client.py ResponseReader._read_head: raise BadResponse(str(error), self.received) from error [error => None]",
    ),
    "_read_head sets it, before it is used.": (
        "client.py ResponseReader.__init__: self._start = 0 [self._start = 0 => pass]",
        "client.py ResponseReader.__init__: self._start = 0 [0 => 1]",
        "client.py ResponseReader.__init__: self._start = 0 [0 => -1]",
        "client.py ResponseReader.__init__: self._length: int | None = None [self._length: int | None = None => pass]",
        "client.py ResponseReader.__init__: self._length: int | None = None [None => '']",
    ),
    "Who calls it says it.": (
        "client.py ResponseReader.response: def response(self, ended: bool = False) -> Response | None: [False => True]",
    ),
    "The same head is read once more.": (
        "client.py ResponseReader.response: if self._head is None and not self._read_head(): [self._head is None and not self._read_head() => not self._read_head()]",
    ),
    "It is for the type checker.": (
        "client.py ResponseReader.response: assert self._head is not None [assert self._head is not None => pass]",
    ),
    "Either slice of the buffer is empty.": (
        "client.py ResponseReader._body_length: return 0 [0 => -1]",
    ),
    "_fail sees that it is finished.": (
        "client.py Getter.connectionLost: if not self._finished: [not self._finished => True]",
    ),
    "Deferred.errback makes a Failure of the exception that is being handled.": (
        "client.py Getter._look: self._fail(Failure()) [Failure() => None]",
    ),
    "The URL is visible ASCII: that has been seen to before.": (
        'client.py get: request = f"GET {target} HTTP/1.0\\r\\nHost: {parts.netloc}\\r\\n\\r\\n".encode("ascii") [f"GET {target} HTTP/1.0\\r\\nHost: {parts.netloc}\\r\\n\\r\\n".encode("ascii") => f\'GET {target} HTTP/1.0\\r\\nHost: {parts.netloc}\\r\\n\\r\\n\'.encode()]',
    ),
}
"""The keys of mutants, by the reason."""
