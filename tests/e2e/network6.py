"""The topologies of network.py with IPv6 beside IPv4: a link-local, a global and a unique-local address everywhere.

The routers' link-local address is the same on all clients' segments, and so is the clients', as it may be: only the
link tells one from another. Nobody detects duplicate addresses and no router advertises, so that nothing is waited for.
"""

from network import Chain, Topology

ROUTER_LINK_LOCAL, CLIENT_LINK_LOCAL = "fe80::1", "fe80::c"
UPSTREAM_ADDRESS6, UPSTREAM_LINK_LOCAL = "2001:db8:9::1", "fe80::9:1"


def unique_local(address):
    """The address with the same host and subnet number that does not leave the site."""
    return address.replace("2001:db8:", "fd00:db8:")


def add(namespace, interface, link_local, *addresses):
    """Gives an interface addresses that it may use at once."""
    namespace.ip(*(f"addr add {each}/64 dev {interface} nodad" for each in (link_local, *addresses)))


class Topology6(Topology):
    """clients c1, c2 ... -- d1, d2 ... [router] u0 2001:db8:9::1 -- bridge -- servers 2001:db8:9::2, 2001:db8:9::3;
    the router has 2001:db8:101::1 on d1, 2001:db8:102::1 on d2"""

    def __init__(self, network, **shape):
        super().__init__(network, **shape)
        self._make_router(self.router)
        add(self.router, "u0", UPSTREAM_LINK_LOCAL, UPSTREAM_ADDRESS6, unique_local(UPSTREAM_ADDRESS6))

    def _make_router(self, router):
        router.with_ipv6()
        router.sysctl("net.ipv6.conf.all.forwarding", 1)

    def _segment(self, number):
        made = super()._segment(number)
        self._make_router(self.router)
        add(self.router, made.interface, ROUTER_LINK_LOCAL, made.address6, unique_local(made.address6))
        made.client.with_ipv6()
        add(made.client, "eth0", CLIENT_LINK_LOCAL)
        made.client.ip(f"route add default via {ROUTER_LINK_LOCAL} dev eth0")
        return made

    def _server(self, number):
        made = super()._server(number)
        made.namespace.with_ipv6()
        add(made.namespace, "eth0", f"fe80::9:{number + 1:x}", made.address6, unique_local(made.address6))
        made.namespace.ip(f"route add default via {UPSTREAM_ADDRESS6}")
        return made


class Chain6(Topology6, Chain):
    """The topology with a second router between it and the clients of segment 1:
    client -- d1 2001:db8:101::1 [outer] u0 2001:db8:8::1 -- d0 2001:db8:8::2 [router] u0 2001:db8:9::1 -- servers"""

    OUTER_ADDRESS6, INNER_ADDRESS6 = "2001:db8:8::1", "2001:db8:8::2"

    def __init__(self, network):
        super().__init__(network)
        self._make_router(self.outer)
        add(self.outer, "u0", "fe80::8:1", self.OUTER_ADDRESS6)
        add(self.router, "d0", "fe80::8:2", self.INNER_ADDRESS6)
        self.outer.ip(f"route add default via {self.INNER_ADDRESS6}")
        self.router.ip(f"route add 2001:db8:101::/64 via {self.OUTER_ADDRESS6}")
