"""Real DHCPv6 servers and clients, and a server that does as it is told.

Servers give each segment N the addresses 2001:db8:10N::100 to ::1ff and prefixes of 2001:db8:e10N::/48. A client's
script writes address and prefix of its lease into files and changes nothing else.
"""

import contextlib
import json
import re
import select
import signal
import socket
import threading

import message6
from message6 import RelayMessage, reply_to
from peers import RealClient, RealServer
from wait import TIMEOUT, wait_until

POOL = range(0x100, 0x200)
PREFIX_SIZE = 56


def pool(segment):
    """The addresses a client of this segment can get."""
    return [segment.host6(number) for number in POOL]


def prefix_pool(segment):
    """What its prefixes are parts of, of 48 bits."""
    return f"2001:db8:e{100 + segment.number}::"


def is_of_pool(prefix, segment):
    """Whether this is a prefix that a client of this segment can get."""
    address, size = prefix.split("/")
    return address.startswith(prefix_pool(segment)[:-1]) and int(size) == PREFIX_SIZE


# --- servers ----------------------------------------------------------------------------------------------------------

class Server6(RealServer):
    """A DHCPv6 server process. `renew_after` is T1 in seconds, T2 twice as much."""

    port = message6.SERVER_PORT
    delegates = True

    def __init__(self, *arguments, renew_after=900):
        super().__init__(*arguments)
        self._renew_after = renew_after


class Dnsmasq6(Server6):
    """dnsmasq, which does not delegate prefixes, and knows of its clients T1 and T2 by the lifetimes alone."""

    program = "dnsmasq"
    delegates = False

    def command(self):
        ranges = [f"--dhcp-range={each.host6(POOL[0])},{each.host6(POOL[-1])},64,1h" for each in self.topology.segments]
        return ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--dhcp-authoritative", "--user=root",
                "--log-dhcp", f"--dhcp-leasefile={self.folder}/leases", f"--pid-file={self.folder}/pid", *ranges]


class Dhcpd6(Server6):
    """ISC dhcpd -6."""

    program = "dhcpd"

    def command(self):
        lines = ["authoritative;", "default-lease-time 3600;", "preferred-lifetime 3000;",
                 f"option dhcp-renewal-time {self._renew_after};",
                 f"option dhcp-rebinding-time {2 * self._renew_after};",
                 "option dhcp6.name-servers 2001:db8:9::53;", "subnet6 2001:db8:9::/64 {}"]
        for each in self.topology.segments:
            prefixes = prefix_pool(each)
            lines.append(f"subnet6 {each.host6(0)[:-1]}/64 {{ range6 {each.host6(POOL[0])} {each.host6(POOL[-1])}; "
                         f"prefix6 {prefixes} {prefixes[:-2]}:ff00:: /{PREFIX_SIZE}; }}")
        (self.folder / "conf").write_text("\n".join(lines) + "\n", encoding="ascii")
        (self.folder / "leases").touch()
        return ["dhcpd", "-6", "-f", "-d", "-cf", f"{self.folder}/conf", "-lf", f"{self.folder}/leases", "-pf",
                f"{self.folder}/pid", "eth0"]


class Kea6(Server6):
    """Kea's kea-dhcp6, without control socket; its leases outlive a restart. `edit` changes the configuration of
    `Dhcp6`."""

    program = "kea-dhcp6"

    def __init__(self, *arguments, edit=lambda dhcp6: None, **options):
        super().__init__(*arguments, **options)
        self._edit = edit

    def command(self):
        subnets = [self.subnet(each) for each in self.topology.segments]
        configuration = {"Dhcp6": {
            "interfaces-config": {"interfaces": ["eth0", f"eth0/{self.server.address6}"]},
            "lease-database": {"type": "memfile", "persist": True, "name": f"{self.folder}/leases", "lfc-interval": 0},
            "server-id": {"type": "LL", "persist": False},
            "renew-timer": self._renew_after, "rebind-timer": 2 * self._renew_after,
            "preferred-lifetime": 3000, "valid-lifetime": 3600, "subnet6": subnets,
            "option-data": [{"name": "dns-servers", "data": "2001:db8:9::53"}],
            "loggers": [{"name": "kea-dhcp6", "severity": "DEBUG", "debuglevel": 50,
                         "output_options": [{"output": "stderr"}]}]}}
        self._edit(configuration["Dhcp6"])
        (self.folder / "conf").write_text(json.dumps(configuration), encoding="ascii")
        return ["kea-dhcp6", "-c", f"{self.folder}/conf"]

    @staticmethod
    def subnet(segment):
        """Found by the link-address in it."""
        return {"id": segment.number, "subnet": f"{segment.host6(0)[:-1]}/64",
                "pools": [{"pool": f"{segment.host6(POOL[0])} - {segment.host6(POOL[-1])}"}],
                "pd-pools": [{"prefix": prefix_pool(segment), "prefix-len": 48, "delegated-len": PREFIX_SIZE}]}


SERVERS6 = {kind.program: kind for kind in (Dnsmasq6, Dhcpd6, Kea6)}


class ScriptedServer6:
    """Answers every Relay-forward with `answer(forward)`, a list of messages for its client or of Relay-replies, and
    keeps what it received: message, source, payload. `groups` are multicast groups that it hears."""

    def __init__(self, server, answer=lambda forward: [message6.answer(message6.innermost(forward))], groups=()):
        self._answer = answer
        self._socket = server.namespace.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, 33, 1 << 26)  # SO_RCVBUFFORCE
        with server.namespace.inside():
            index = socket.if_nametoindex("eth0")
        for group in groups:
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, socket.inet_pton(
                socket.AF_INET6, group) + index.to_bytes(4, "little"))
        self._socket.bind(("::", message6.SERVER_PORT))
        self._stopping, self._stop = socket.socketpair()
        self.received = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def start(self):
        self._thread.start()
        return self

    def stop(self):
        self._stop.close()
        self._thread.join()
        self._stopping.close()
        self._socket.close()

    def _serve(self):
        while True:
            ready, _, _ = select.select([self._socket, self._stopping], [], [])
            if self._stopping in ready:
                return
            payload, source = self._socket.recvfrom(70000)
            forward = message6.parse(payload)
            self.received.append((forward, source, payload))
            if not isinstance(forward, RelayMessage) or message6.innermost(forward) is None:
                continue
            for said in self._answer(forward):
                made = said if isinstance(said, RelayMessage) else reply_to(forward, said)
                with contextlib.suppress(OSError):
                    self._socket.sendto(made.encode(), source)


# --- clients ----------------------------------------------------------------------------------------------------------

class Client6(RealClient):
    """A DHCPv6 client process. With `prefix` it asks for a prefix beside the address."""

    delegates = True

    def __init__(self, segment, folder, prefix=False):
        super().__init__(segment, folder)
        self.wants_prefix = prefix
        self.prefix_record = self.folder / "prefix"
        self.script.write_text(self.script_text().format(folder=self.folder), encoding="ascii")

    def script_text(self):
        raise NotImplementedError

    def prefix(self, timeout=TIMEOUT):
        """Waits for a delegated prefix and returns it."""
        def recorded():
            return self.prefix_record.exists() and self.prefix_record.read_text(encoding="ascii").endswith("\n")
        wait_until(recorded, lambda: f"a prefix for {self.program}:\n{self.log[-3000:]}", timeout)
        return self.prefix_record.read_text(encoding="ascii").split()[0]

    @property
    def log(self):
        return (self.folder / "log").read_text(errors="backslashreplace")

    def release(self):
        self._process.send_signal(signal.SIGTERM)


class Dhclient6(Client6):
    """ISC dhclient -6. It keeps its lease when it ends, unless it is told to release it. `further` are more of its
    flags; `refuses` is how many addresses it finds in use by others."""

    program = "dhclient"

    def __init__(self, *arguments, further=(), refuses=0, **options):
        super().__init__(*arguments, **options)
        self._further = further
        (self.folder / "refusals").write_text("x\n" * refuses, encoding="ascii")

    def script_text(self):
        return """#!/bin/sh
[ "$reason" = PREINIT6 ] && exit 0
echo "$reason ${{new_ip6_address:-}} ${{new_ip6_prefix:-}}" >> {folder}/reasons
case "$reason" in
  BOUND6|REBIND6|RENEW6|REBOOT6)
    if [ -n "$new_ip6_address" ] && [ -s {folder}/refusals ]; then
      sed -i 1d {folder}/refusals
      exit 3
    fi
    [ -z "$new_ip6_address" ] || echo "$new_ip6_address" > {folder}/address
    [ -z "$new_ip6_prefix" ] || echo "$new_ip6_prefix" > {folder}/prefix ;;
esac
exit 0
"""

    @property
    def reasons(self):
        """What its script was called for, each with address and prefix."""
        path = self.folder / "reasons"
        return [line.split() for line in path.read_text(encoding="ascii").splitlines()] if path.exists() else []

    def command(self):
        (self.folder / "conf").write_text("timeout 20;\nretry 2;\n", encoding="ascii")
        wanted = ["-N", "-P"] if self.wants_prefix else []
        return ["dhclient", "-6", "-d", "-D", "LL", *wanted, *self._further, "-cf", f"{self.folder}/conf", "-sf",
                str(self.script), "-lf", f"{self.folder}/leases", "-pf", f"{self.folder}/pid", "eth0"]

    def move(self, segment):
        """Ends without a word, and is plugged into another segment, where it knows its lease."""
        self._process.kill()
        self._process.wait()
        self.segment = segment
        for record in (self.record, self.prefix_record):
            record.unlink(missing_ok=True)
        return self.start()

    def start_release(self):
        """Another run of the program, that gives the lease back."""
        self._process.kill()
        self._process.wait()
        self._further = [*self._further, "-r"]
        return self.start()


class Dhcpcd6(Client6):
    """dhcpcd, told to ask without waiting for a router's advertisement."""

    program = "dhcpcd"

    def script_text(self):
        return """#!/bin/sh
case "$reason" in
  BOUND6|RENEW6|REBIND6|DELEGATED6)
    [ -z "$new_dhcp6_ia_na1_ia_addr1" ] || echo "$new_dhcp6_ia_na1_ia_addr1" > {folder}/address
    [ -z "$new_dhcp6_ia_pd1_prefix1" ] || echo "$new_dhcp6_ia_pd1_prefix1/$new_dhcp6_ia_pd1_prefix1_length" \
      > {folder}/prefix ;;
esac
env | grep dhcp6 >> {folder}/environment
exit 0
"""

    def command(self):
        lines = ["ipv6only", "noipv6rs", "noauthrequired", "duid", "persistent", "option dhcp6_name_servers",
                 "interface eth0", "  ia_na 1", *(["  ia_pd 1"] if self.wants_prefix else [])]
        (self.folder / "conf").write_text("\n".join(lines) + "\n", encoding="ascii")
        return ["dhcpcd", "-6", "--nobackground", "--timeout", "0", "--debug", "-f", f"{self.folder}/conf", "-c",
                str(self.script), "eth0"]


class Dhcp6c(Client6):
    """wide-dhcpv6-client, which gives its lease back when it ends. Its script is told of no lease; its log is."""

    program = "dhcp6c"

    def script_text(self):
        return "#!/bin/sh\nexit 0\n"

    def command(self):
        prefix = ["send ia-pd 1;"] if self.wants_prefix else []
        lines = ["interface eth0 {", "send ia-na 1;", *prefix, "request domain-name-servers;",
                 f'script "{self.script}";', "};", "id-assoc na 1 {};", "id-assoc pd 1 {};"]
        (self.folder / "conf").write_text("\n".join(lines) + "\n", encoding="ascii")
        return ["dhcp6c", "-f", "-D", "-c", f"{self.folder}/conf", "-p", f"{self.folder}/pid", "eth0"]

    def address(self, timeout=TIMEOUT):
        return self._logged(r"create an address (\S+)", timeout)

    def prefix(self, timeout=TIMEOUT):
        return self._logged(r"create a prefix (\S+)", timeout)

    def _logged(self, pattern, timeout):
        return wait_until(lambda: re.search(pattern, self.log), lambda: f"{pattern!r} of dhcp6c:\n{self.log[-3000:]}",
                          timeout)[1]


CLIENTS6 = {kind.program: kind for kind in (Dhclient6, Dhcpcd6, Dhcp6c)}
