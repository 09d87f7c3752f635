"""The broken servers of stage 8."""

from solutions.broken import Broken

BROKEN = (
    Broken(
        file="loopback.py",
        text="maybeDeferred(self.port.stopListening)",
        replacement="maybeDeferred(lambda: self.port.stopListening() and None)",
        story="It does not wait for the port.",
        violates="ThreeThingsTests.test_waits_for_the_port",
    ),
    Broken(
        file="loopback.py",
        text='                "the server\'s connection": self._server_lost,\n',
        replacement="",
        story="It does not wait for the server's connection.",
        violates="ThreeThingsTests.test_waits_for_the_servers_connection",
    ),
    Broken(
        file="loopback.py",
        text='                "the client\'s connection": self._client_lost,\n',
        replacement="",
        story="It does not wait for the client's connection.",
        violates="ThreeThingsTests.test_waits_for_the_clients_connection",
    ),
    Broken(
        file="loopback.py",
        text="fired.callback(None)",
        replacement="fired.callback(args[0])",
        story="It fires with the reason, a Failure, and so fails.",
        violates="ConnectionLostTests.test_lost",
    ),
    Broken(
        file="loopback.py",
        text='0, interface="127.0.0.1"',
        replacement="0",
        story="It lets the whole network connect to a test.",
        violates="RealNetworkTests.test_connect_and_disconnect",
    ),
    Broken(
        file="loopback.py",
        text="                timer.cancel()\n",
        replacement="",
        story="It leaves its own timeout running.",
        violates="TooLateTests.test_no_delayed_call_is_left",
    ),
    Broken(
        file="loopback.py",
        text='", ".join(missing)',
        replacement='", ".join(self._waits)',
        story="It names what has gone along with what has not.",
        violates="TooLateTests.test_each_is_named",
    ),
    Broken(
        file="loopback.py",
        text="            method(*args)\n",
        replacement="            pass\n",
        story="It keeps the protocol's own connectionLost from being called.",
        violates="ConnectionLostTests.test_protocol_comes_first",
    ),
    Broken(
        file="loopback.py",
        text="        if not self._waits:\n",
        replacement="        if True:\n",
        story="It stops the port twice.",
        violates="ThreeThingsTests.test_twice",
    ),
    Broken(
        file="loopback.py",
        text="            self.client.transport.loseConnection()\n",
        replacement="",
        story="It waits for a client that nobody has told to go.",
        violates="ThreeThingsTests.test_it_begins_at_once",
    ),
)
