"""What the metrics and the counters say of DHCPv6, and of its servers that fall silent and return."""

from message6 import RELAY_FORWARD, answer, reply_to, request, wrapped
from metrics import FLAGS, scrape
from network6 import ROUTER_LINK_LOCAL
from peers6 import ScriptedServer6
from scene import stream
from wait import wait_until
from wire6 import arrived6

SERVERS = ("2001:db8:9::2", "2001:db8:9::3")
GROUP = "ff05::1:3%u0"


def told(scene6):
    return scrape(scene6.topology.router)


def test_messages_by_interface_direction_and_type(scene6):
    """And nothing of DHCPv4, which is not relayed."""
    scene6.relay6(*FLAGS)
    scene6.exchange6(1)
    scene6.exchange6(2, server=2)
    lone, unasked = scene6.reply_for(2)
    scene6.send_reply6(unasked)
    scene6.delivered6(lone, 2)
    by_message = ("interface", "family", "direction", "type")
    wait_until(lambda: sum(told(scene6).of("dhcp_relay_messages_forwarded_total").values()) == 5, "all to be counted")
    assert told(scene6).of("dhcp_relay_messages_forwarded_total", *by_message) == {
        ("d1", "ipv6", "request", "solicit"): 1, ("d2", "ipv6", "request", "solicit"): 1,
        ("d1", "ipv6", "reply", "advertise"): 1, ("d2", "ipv6", "reply", "advertise"): 2}
    assert told(scene6).of("dhcp_relay_messages_received_total", *by_message) == {
        ("d1", "ipv6", "request", "solicit"): 1, ("d2", "ipv6", "request", "solicit"): 1,
        ("u0", "ipv6", "reply", "advertise"): 3}
    assert told(scene6).of("dhcp_relay_server_requests_total", "server") == {(server,): 2 for server in SERVERS}
    assert "ipv4" not in told(scene6).text


def test_both_families(scene6):
    """Side by side, each with its own; the log's counters too, and their sum."""
    relay = scene6.relay_both(*FLAGS, "--log-level", "info")
    scene6.exchange()
    scene6.exchange6()
    scene6.exchange6()

    def relayed(family):
        return told(scene6).value("dhcp_relay_messages_forwarded_total", interface="d1", family=family, direction="request")
    wait_until(lambda: (relayed("ipv4"), relayed("ipv6")) == (1, 2), "each to be counted")
    assert told(scene6).of("dhcp_relay_interface_active", "interface", "family") == {
        (interface, family): 1 for interface in ("d1", "d2") for family in ("ipv4", "ipv6")}
    assert told(scene6).of("dhcp_relay_queue_capacity", "family").keys() == {("ipv4",), ("ipv6",)}
    assert relay.counters("d1")["requests_relayed"] == 1
    assert relay.counters("d1", "ipv6")["requests_relayed"] == 2
    relay.expect_log(r" counters_total interfaces=3 requests_received=3 requests_relayed=3 ")


def test_servers_and_their_times(scene6):
    """The histogram has each reply to a message that was relayed."""
    scene6.relay6(*FLAGS)
    for _ in range(3):
        scene6.exchange6(server=1)
    for server, count in zip(SERVERS, (3, 0)):
        assert told(scene6).value("dhcp_relay_server_response_seconds_count", server=server) == count
        assert (told(scene6).value("dhcp_relay_server_response_seconds_sum", server=server) > 0) == (count > 0)
        assert told(scene6).value("dhcp_relay_server_replies_total", server=server, family="ipv6") == count
        assert (told(scene6).value("dhcp_relay_server_last_reply_timestamp_seconds", server=server) > 0) == (count > 0)
        assert told(scene6).value("dhcp_relay_server_answering", server=server) == 1


def test_the_time_of_what_another_relay_agent_relayed(scene6):
    """By the transaction of the client's message, at whatever depth."""
    scene6.relay6(*FLAGS, "--trust", "d1")
    asked = request()
    scene6.send_request6(wrapped(asked, link_address="2001:db8:111::1", peer_address="fe80::77"))
    came = scene6.relayed6(asked)
    said = answer(asked)
    scene6.send_reply6(reply_to(came.message6, said), destination=came.source)
    wait_until(lambda: told(scene6).value("dhcp_relay_server_response_seconds_count", server=SERVERS[0]) == 1,
               "the time of the answer")


def test_an_interface_that_loses_its_link_local_address(scene6):
    scene6.relay6(*FLAGS)
    router = scene6.topology.router

    def is_active():
        return told(scene6).value("dhcp_relay_interface_active", interface="d2", family="ipv6")
    assert is_active() == 1
    router.ip(f"addr del {ROUTER_LINK_LOCAL}/64 dev d2")
    wait_until(lambda: is_active() == 0, "d2 to be shown as inactive")
    router.ip(f"addr add {ROUTER_LINK_LOCAL}/64 dev d2 nodad")
    wait_until(lambda: is_active() == 1, "d2 to be shown as active")


def answering(scene6, server):
    return told(scene6).value("dhcp_relay_server_answering", server=server, family="ipv6")


def test_a_server_that_stops_answering(scene6):
    """While another answers: told once, shown, still sent every message, and told once more when it returns."""
    relay = scene6.relay6(*FLAGS, "--log-level", "info", sinks=False)
    scene6.keep(ScriptedServer6(scene6.topology.server(1)))
    stops = ScriptedServer6(scene6.topology.server(2)).start()
    with stream(lambda: scene6.solicit().xid, 0.1) as xids:
        wait_until(lambda: told(scene6).value("dhcp_relay_server_replies_total", server=SERVERS[1]),
                   "an answer of the second server")
        stops.stop()
        scene6.sink6(2)
        wait_until(lambda: answering(scene6, SERVERS[1]) == 0, "the second server to be shown as silent", timeout=60,
                   pause=0.2)
        relay.expect_log(r"WARNING server_changed server=2001:db8:9::3 change=stopped_answering .* others=answer ")
        assert answering(scene6, SERVERS[0]) == 1
        before = len(xids)
        wait_until(lambda: len(xids) > before + 3, "some more messages")
        scene6.servers[2].expect(arrived6(RELAY_FORWARD, xid=xids[before]), what="a message to the silent server")
        scene6.send_reply6(scene6.reply_for()[1], 2)
        wait_until(lambda: answering(scene6, SERVERS[1]) == 1, "the second server to be shown as answering", pause=0.1)
    relay.expect_log(r"INFO server_changed server=2001:db8:9::3 change=answers_again ")
    assert relay.log.count(" server_changed ") == 2


def test_one_family_that_is_answered_says_nothing_of_the_other(scene6):
    """DHCPv4 servers answer and the DHCPv6 server does not, which is told as where nobody answers."""
    relay = scene6.relay6(*FLAGS, "--log-level", "info", servers=["10.9.0.2", SERVERS[0]])
    scene6.sink(1)

    def both():
        scene6.send_reply(scene6.offer_for())
        scene6.discover()
        return scene6.solicit().xid
    with stream(both, 0.2):
        wait_until(lambda: answering(scene6, SERVERS[0]) == 0, "the server to be shown as silent", timeout=90, pause=0.2)
        relay.expect_log(r"WARNING server_changed server=2001:db8:9::2 change=never_answered .* others=silent ")
        assert told(scene6).value("dhcp_relay_server_answering", server="10.9.0.2", family="ipv4") == 1


def test_a_group_is_sent_and_nothing_else_is_said_of_it(scene6):
    """Its members answer from addresses of their own."""
    scene6.relay6(*FLAGS, servers=[GROUP])
    asked = scene6.solicit()
    wait_until(lambda: told(scene6).value("dhcp_relay_server_requests_total", server=GROUP) == 1, "what was sent")
    said, reply = scene6.reply_for(made=answer(asked))
    scene6.send_reply6(reply)
    scene6.delivered6(said)
    assert {name for name in told(scene6).names() if name.startswith("dhcp_relay_server_")} == {
        "dhcp_relay_server_requests_total", "dhcp_relay_server_requests_failed_total"}


def test_a_server_of_one_link_is_shown_with_its_interface(scene6):
    scene6.relay6(*FLAGS, servers=["fe80::9:2%u0"])
    scene6.relayed6(scene6.solicit())
    wait_until(lambda: told(scene6).value("dhcp_relay_server_requests_total", server="fe80::9:2%u0") == 1, "what was sent")
