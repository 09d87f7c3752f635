"""The broken servers of stage 5."""

from solutions.broken import Broken

BROKEN = (
    Broken(
        file="channel.py",
        text="        response.addErrback(self._apologize, head_only)\n",
        replacement="",
        story="It never answers when the Deferred fails.",
        violates="FailureTests.test_failure",
    ),
    Broken(
        file="channel.py",
        text="        self._waiting = True\n        response",
        replacement="        self._waiting = True\n        self.transport.pauseProducing()\n        response",
        story="It does not hear that a client has gone, because it reads nothing while the handler works.",
        violates="PauseTests.test_silent_client_is_listened_to",
    ),
    Broken(
        file="channel.py",
        text="            self.transport.pauseProducing()\n",
        replacement="            pass\n",
        story="It reads on while the handler works, as much as a client likes to send.",
        violates="PauseTests.test_transport_is_paused",
    ),
    Broken(
        file="channel.py",
        text="            return\n        self._reading = False\n        head_only",
        replacement="            return\n        head_only",
        story="It asks the handler about a second request before the first is answered.",
        violates="MeanwhileTests.test_no_second_request",
    ),
    Broken(
        file="channel.py",
        text='close it."""\n        self._waiting = False\n',
        replacement='close it."""\n',
        story="It pauses a transport that is being closed.",
        violates="PauseTests.test_closing_transport_is_not_paused",
    ),
    Broken(
        file="channel.py",
        text='        self.log.failure("The handler failed.", failure)\n',
        replacement="",
        story="It hides the failures of handlers from everybody.",
        violates="FailureTests.test_failure",
    ),
    Broken(
        file="channel.py",
        text='"The server made a mistake."',
        replacement="failure.getErrorMessage()",
        story="It shows strangers what went wrong inside.",
        violates="FailureTests.test_failure",
    ),
    Broken(
        file="channel.py",
        text="response = maybeDeferred(self._handler, request)\n",
        replacement="response = maybeDeferred(self._handler, request)\n        self.transport.loseConnection()\n",
        story="It closes before the answer is there.",
        violates="LaterTests.test_nothing_is_written_yet",
    ),
    Broken(
        file="channel.py",
        text="        response.addCallback(self._render, head_only)\n        response.addErrback(self._apologize, head_only)\n",
        replacement="        response.addErrback(self._apologize, head_only)\n        response.addCallback(self._render, head_only)\n",
        story="It does not notice a result that is no response.",
        violates="FailureTests.test_result_that_is_no_response",
    ),
    Broken(
        file="channel.py",
        text="        if not self._reading:\n            return\n        self._reader.feed(data)\n",
        replacement="        self._reader.feed(data)\n        if not self._reading:\n            return\n",
        story="It keeps what comes while the handler works, as much as a client likes to send.",
        violates="PauseTests.test_nothing_is_kept",
    ),
    Broken(
        file="channel.py",
        text="        response.addCallback(self._answer)\n",
        replacement='        response.addCallback(self._answer)\n        now = self._clock.seconds()\n        self._clock = type("Stopped", (), {"seconds": lambda self: now})()\n',
        story="It dates its answer when the request came.",
        violates="LaterTests.test_date_is_that_of_the_answer",
    ),
    Broken(
        file="channel.py",
        text='"The server made a mistake."), head_only)',
        replacement='"The server made a mistake."))',
        story="It sends a body in answer to a HEAD that has failed late.",
        violates="LateFailureTests.test_failures_of_all_kinds",
    ),
    Broken(
        file="channel.py",
        text="        response.addCallback(self._answer)\n",
        replacement="        HTTPChannel.last = self\n        response.addCallback(lambda data: HTTPChannel.last._answer(data))\n",
        story="It answers the client that asked last.",
        violates="LaterTests.test_two_clients",
    ),
    Broken(
        file="channel.py",
        text='        """Log what went wrong, and return the bytes of a 500."""\n        self.log.failure("The handler failed.", failure)\n        return self._render(refusal(500, "The server made a mistake."), head_only)\n',
        replacement='        """Log what went wrong, and answer with a 500."""\n        self.log.failure("The handler failed.", failure)\n        self._answer(self._render(refusal(500, "The server made a mistake."), head_only))\n        return failure\n',
        story="It hands on a failure that it has answered for, and that is logged a second time.",
        violates="LateFailureTests.test_failure_is_logged_once",
    ),
)
