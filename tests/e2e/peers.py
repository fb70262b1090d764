"""Real DHCP servers and clients, and a server that does as it is told.

Each runs in a namespace of the topology with all its files in a temporary folder, and is ended by its own pid. A
client's script writes the address of its lease into a file and changes nothing else.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path

import message
from wait import TIMEOUT, port_bound, wait_until

FIRST, LAST = 100, 199


def _end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


# --- servers ----------------------------------------------------------------------------------------------------------

class RealServer:
    """A server process with one pool of addresses, .100 to .199, for each segment. It is ready when it has `port`."""

    program = ""
    port = message.SERVER_PORT

    def __init__(self, topology, server, folder):
        self.server = server
        self.topology = topology
        self.folder = Path(folder) / f"{self.program}-{server.number}"
        self.folder.mkdir(exist_ok=True)
        self._process = None

    @property
    def log(self):
        return (self.folder / "log").read_text(errors="backslashreplace")

    def start(self):
        environment = {**os.environ, "KEA_PIDFILE_DIR": str(self.folder), "KEA_LOCKFILE_DIR": str(self.folder)}
        with open(self.folder / "log", "ab") as log:
            self._process = self.server.namespace.spawn(self.command(), stdout=log, stderr=log, env=environment)
        wait_until(self._ready, lambda: f"{self.program} to be ready:\n{(self.folder / 'log').read_text()[-2000:]}")
        return self

    def _ready(self):
        assert self._process.poll() is None, (self.folder / "log").read_text()[-2000:]
        return port_bound(self._process.pid, self.port)

    def stop(self):
        _end(self._process)


class Dnsmasq(RealServer):
    """dnsmasq; --no-ping because it would look for each address for three seconds before it offers it."""

    program = "dnsmasq"

    def command(self):
        ranges = [f"--dhcp-range={each.host(FIRST)},{each.host(LAST)},255.255.255.0,1h"
                  for each in self.topology.segments]
        return ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--no-ping", "--dhcp-authoritative",
                "--user=root", "--log-dhcp", f"--dhcp-leasefile={self.folder}/leases", f"--pid-file={self.folder}/pid",
                *ranges]


class Dhcpd(RealServer):
    """ISC dhcpd. `further` is lines of its configuration."""

    program = "dhcpd"

    def __init__(self, *arguments, further=()):
        super().__init__(*arguments)
        self._further = further

    def command(self):
        lines = ["authoritative;", "ping-check false;", "default-lease-time 3600;", "subnet 10.9.0.0 netmask "
                 "255.255.255.0 {}", *self._further]
        for each in self.topology.segments:
            lines.append(f"subnet {each.host(0)} netmask 255.255.255.0 {{ range {each.host(FIRST)} {each.host(LAST)}; "
                         f"option routers {each.address}; }}")
        (self.folder / "conf").write_text("\n".join(lines) + "\n", encoding="ascii")
        (self.folder / "leases").touch()
        return ["dhcpd", "-4", "-f", "-d", "-cf", f"{self.folder}/conf", "-lf", f"{self.folder}/leases", "-pf",
                f"{self.folder}/pid", "eth0"]


class Kea(RealServer):
    """Kea's kea-dhcp4, without control socket, leases in memory. `edit` changes the configuration of `Dhcp4`."""

    program = "kea-dhcp4"

    def __init__(self, *arguments, edit=lambda dhcp4: None):
        super().__init__(*arguments)
        self._edit = edit

    def command(self):
        subnets = [{"id": each.number, "subnet": f"{each.host(0)}/24", "pools": [{"pool": f"{each.host(FIRST)} - {each.host(LAST)}"}],
                    "relay": {"ip-addresses": [each.address]}} for each in self.topology.segments]
        configuration = {"Dhcp4": {
            "interfaces-config": {"interfaces": ["eth0"], "dhcp-socket-type": "udp"},
            "lease-database": {"type": "memfile", "persist": False},
            "authoritative": True, "valid-lifetime": 3600, "subnet4": subnets,
            "loggers": [{"name": "kea-dhcp4", "severity": "INFO", "output_options": [{"output": "stderr"}]}]}}
        self._edit(configuration["Dhcp4"])
        (self.folder / "conf").write_text(json.dumps(configuration), encoding="ascii")
        return ["kea-dhcp4", "-c", f"{self.folder}/conf"]


SERVERS = {kind.program: kind for kind in (Dnsmasq, Dhcpd, Kea)}


def usual_answer(request):
    """What a plain server says: an address from the segment of giaddr, its last octet that of chaddr."""
    kind = {message.DISCOVER: message.OFFER, message.REQUEST: message.ACK}.get(request.kind)
    if kind is None:
        return []
    base = request.giaddr if request.giaddr != message.ANY else request.ciaddr
    address = base.rsplit(".", 1)[0] + f".{request.chaddr[5] or 1}"
    return [message.reply(request, kind, yiaddr=address)]


class ScriptedServer:
    """Answers every message with `answer(message)`, a list of messages, and keeps what it received."""

    def __init__(self, server, answer=usual_answer):
        self._answer = answer
        self._socket = server.namespace.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, 33, 1 << 26)  # SO_RCVBUFFORCE
        self._socket.bind((server.address, message.SERVER_PORT))
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
            request = message.Message.parse(payload)
            if request is None:
                continue
            self.received.append((request, source, payload))
            for answer in self._answer(request):
                to = (request.giaddr, 67) if request.giaddr != message.ANY else (request.ciaddr, 68)
                with contextlib.suppress(OSError):
                    self._socket.sendto(answer if isinstance(answer, bytes) else answer.encode(), to)


# --- routers ----------------------------------------------------------------------------------------------------------

class Keepalived:
    """VRRP for one address on one interface of a router, and for those in `also`, pairs of address and interface, which
    go with it. With `preempt` it takes them from a router of lower priority that has them. `lives` is a command that
    says by its status, once a second, whether this router may have them; `interval` is VRRP's, in seconds."""

    program = "keepalived"

    def __init__(self, router, interface, address, folder, priority, preempt, *, also=(), lives=None, interval=0.1):
        self._router = router
        self._process = None
        self._folder = Path(folder) / f"keepalived-{priority}"
        self._folder.mkdir(exist_ok=True)
        self._interface = interface
        self._addresses = [(address, interface), *also]
        self._preempt = preempt
        self._lives = lives
        self._interval = interval
        self._configure(priority)

    def _configure(self, priority):
        script = ["vrrp_script lives {", f'  script "{self._lives}"', "  interval 1", "  timeout 10", "}"]
        lines = ["global_defs {", "  vrrp_version 3", "  script_user nobody", "  enable_script_security", "}",
                 *(script if self._lives else []), "vrrp_instance moving {", "  state BACKUP",
                 "" if self._preempt else "  nopreempt", f"  interface {self._interface}", "  virtual_router_id 7",
                 f"  priority {priority}", f"  advert_int {self._interval}", "  virtual_ipaddress {",
                 *(f"    {address}/24 dev {interface}" for address, interface in self._addresses), "  }",
                 *(["  track_script {", "    lives", "  }"] if self._lives else []), "}"]
        (self._folder / "conf").write_text("\n".join(lines) + "\n", encoding="ascii")

    def change_priority(self, priority):
        """While it runs."""
        self._configure(priority)
        self._process.send_signal(signal.SIGHUP)

    def start(self):
        with open(self._folder / "log", "ab") as log:
            self._process = self._router.spawn(
                ["keepalived", "--dont-fork", "--log-console", "--log-detail", "--vrrp", "--use-file",
                 f"{self._folder}/conf", "--pid", f"{self._folder}/pid", "--vrrp_pid", f"{self._folder}/vrrp-pid"],
                stdout=log, stderr=log)
        return self

    @property
    def log(self):
        return (self._folder / "log").read_text(errors="replace")

    def stop(self):
        _end(self._process)


# --- clients ----------------------------------------------------------------------------------------------------------

_SCRIPT = """#!/bin/sh
case "$1$reason" in
  bound|BOUND|RENEW|REBOOT) echo "${{new_ip_address:-$ip}}" > {record} ;;
esac
exit 0
"""

_DHCLIENT = "timeout 20;\nretry 2;\ninitial-delay 0;\ninitial-interval 1;\nbackoff-cutoff 2;\n"


class RealClient:
    """A client process on a segment. It may write nowhere but to its folder: what it would write for the whole
    machine (resolv.conf, its data base) is covered in a mount namespace of its own."""

    program = ""

    def __init__(self, segment, folder):
        self.folder = Path(folder) / f"{self.program}-{segment.number}"
        self.folder.mkdir()
        self.segment = segment
        self.record = self.folder / "address"
        self.script = self.folder / "script"
        self.script.write_text(_SCRIPT.format(record=self.record), encoding="ascii")
        self.script.chmod(0o755)
        self._process = None

    def start(self):
        state = ("/run/dhcpcd", "/var/lib/dhcpcd", "/var/lib/dhcp", "/var/lib/dhcpv6")
        covered = [path for path in state if os.path.isdir(path)]
        (self.folder / "resolv.conf").touch()
        mounts = f"mount --bind {self.folder}/resolv.conf /etc/resolv.conf"
        for path in covered:
            mounts += f" && mount -t tmpfs none {path}"
        with open(self.folder / "log", "ab") as log:
            self._process = self.segment.client.spawn(["sh", "-c", mounts + ' && exec "$@"', "sh", *self.command()],
                                                      stdout=log, stderr=log)
        return self

    def address(self, timeout=TIMEOUT):
        """Waits for the lease and returns its address."""
        def recorded():
            return self.record.exists() and self.record.read_text(encoding="ascii").endswith("\n")
        wait_until(recorded, lambda: f"a lease for {self.program}:\n{(self.folder / 'log').read_text()[-3000:]}",
                   timeout)
        return self.record.read_text(encoding="ascii").strip()

    def stop(self):
        _end(self._process)


class Udhcpc(RealClient):
    """busybox udhcpc: B flag 0, its messages are as short as BOOTP allows."""

    program = "udhcpc"

    def command(self):
        return ["udhcpc", "-f", "-n", "-q", "-t", "8", "-T", "2", "-i", "eth0", "-s", str(self.script)]


class StayingUdhcpc(Udhcpc):
    """udhcpc that keeps its lease, renews it and releases it on demand."""

    def command(self):
        return ["udhcpc", "-f", "-t", "8", "-T", "2", "-i", "eth0", "-s", str(self.script)]

    def renew(self):
        self._process.send_signal(signal.SIGUSR1)

    def release(self):
        self._process.send_signal(signal.SIGUSR2)


class Dhclient(RealClient):
    """ISC dhclient."""

    program = "dhclient"

    def command(self):
        (self.folder / "conf").write_text(_DHCLIENT, encoding="ascii")
        return ["dhclient", "-4", "-d", "-1", "-cf", f"{self.folder}/conf", "-sf", str(self.script), "-lf",
                f"{self.folder}/leases", "-pf", f"{self.folder}/pid", "eth0"]


class Dhcpcd(RealClient):
    """dhcpcd, without its ARP probe of five seconds."""

    program = "dhcpcd"

    def command(self):
        (self.folder / "conf").write_text("noarp\nnoipv4ll\nduid\npersistent\n", encoding="ascii")
        return ["dhcpcd", "-4", "--nobackground", "--oneshot", "--noarp", "--timeout", "20", "-f",
                f"{self.folder}/conf", "-c", str(self.script), "eth0"]


CLIENTS = {kind.program: kind for kind in (Udhcpc, Dhclient, Dhcpcd)}


def missing(*programs):
    """Which of these programs this machine does not have."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return [program for program in programs if shutil.which(program, path=path) is None]
