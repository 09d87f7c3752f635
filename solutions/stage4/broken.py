"""The broken servers of stage 4."""

from solutions.broken import Broken

BROKEN = (
    Broken(
        file="channel.py",
        text="        if not self._reading:\n            return\n",
        replacement="",
        story="It answers a second request on a connection that it is closing.",
        violates="OneRequestTests.test_second_request_in_a_chunk_of_its_own",
    ),
    Broken(
        file="channel.py",
        text="        self.transport.loseConnection()\n",
        replacement="",
        story="It never closes the connection, and clients wait for the end.",
        violates="AnswerTests.test_connection_is_closed_after_the_answer",
    ),
    Broken(
        file="channel.py",
        text="self.transport.loseConnection()",
        replacement="self.transport.abortConnection()",
        story="It closes before its answer has gone.",
        violates="AnswerTests.test_connection_is_closed_after_the_answer",
    ),
    Broken(
        file="channel.py",
        text="        return HTTPChannel(self._handler, self._clock)",
        replacement='        if not hasattr(self, "channel"):\n            self.channel = HTTPChannel(self._handler, self._clock)\n        return self.channel',
        story="It has one buffer for all clients.",
        violates="ChunkTests.test_two_clients",
    ),
    Broken(
        file="channel.py",
        text='refusal(500, "The server made a mistake.")',
        replacement='refusal(500, repr(__import__("sys").exc_info()[1]))',
        story="It shows strangers what went wrong inside.",
        violates="BrokenHandlerTests.test_handler_that_raises",
    ),
    Broken(
        file="channel.py",
        text='head_only = request.method == b"HEAD"',
        replacement="head_only = False",
        story="It sends a body in answer to a HEAD.",
        violates="AnswerTests.test_head",
    ),
    Broken(
        file="channel.py",
        text="self._clock.seconds()",
        replacement='__import__("time").time()',
        story="It reads the time from the wall.",
        violates="AnswerTests.test_date_is_the_clocks",
    ),
    Broken(
        file="channel.py",
        text="self._refuse(501,",
        replacement="self._refuse(400,",
        story="It calls a method that it does not know a bad request.",
        violates="RefusalTests.test_unknown_method",
    ),
    Broken(
        file="channel.py",
        text='b"text/plain"',
        replacement='b"text/html"',
        story="It lets a browser take what it quotes for HTML.",
        violates="RefusalTests.test_bad_request",
    ),
    Broken(
        file="channel.py",
        text='self.log.failure("The handler failed.")',
        replacement="pass",
        story="It hides the mistakes of handlers from everybody.",
        violates="BrokenHandlerTests.test_handler_that_raises",
    ),
)
