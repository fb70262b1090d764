"""Waiting for conditions instead of for seconds."""

import contextlib
import os
import re
import subprocess
import time

TIMEOUT = float(os.environ.get("DHCP_RELAY_TEST_TIMEOUT", "20"))


def wait_until(condition, what, timeout=TIMEOUT, pause=0.01):
    """Returns the first true value of `condition()`."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            detail = what() if callable(what) else what
            raise AssertionError(f"waited {timeout} s in vain for: {detail}")
        time.sleep(pause)


def port_bound(pid, port=67, protocols=("udp", "udp6")):
    """Whether a UDP socket in the network namespace of this process has the port, of IPv4 or IPv6."""
    lines = []
    for protocol in protocols:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            with open(f"/proc/{pid}/net/{protocol}", encoding="ascii") as file:
                lines += list(file)[1:]
    return any(line.split()[1].endswith(f":{port:04X}") for line in lines)


def listening_packet_sockets(pid):
    """How many packet sockets of this process have their filter. Before it, a socket is bound and receives, but while
    libpcap puts the filter in place a filter that lets nothing through is there, of one instruction."""
    shown = subprocess.run(["nsenter", f"--net=/proc/{pid}/ns/net", "ss", "--packet", "--bpf", "--processes",
                            "--no-header", "--numeric"], capture_output=True, text=True, check=True).stdout
    return sum(int(count) > 1 for count in re.findall(rf"\bpid={pid},.*\n\s*bpf filter \((\d+)\)", shown))
