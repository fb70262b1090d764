"""Bad words on the command line: one line that says what is wrong, status 2, and nothing has been started."""

import os
import signal
import subprocess

import pytest

import relay
from network import Network
from rights import expect_confined
from wait import wait_until

_USUAL = ["-id", "d1", "-iu", "u0", "10.9.0.2"]

# What is given beside the usual words, and what the line has to name: the flag or its value, and what would be right.
_WORDS = {
    "template that is too long": (["-a", "--circuit-id", "c" * 256], ["--circuit-id", "255"]),
    "template that could get too long": (["-a", "--remote-id", "r" * 209 + "%M"], ["--remote-id", "255"]),
    "template that is empty": (["-a", "--circuit-id", ""], ["--circuit-id", "expected a template"]),
    "template that is empty for one interface": (["-a", "--circuit-id", "d1="], ["--circuit-id", "expected"]),
    "unknown token": (["-a", "--circuit-id", "%i %x"], ["--circuit-id", "%x", "expected %i"]),
    "token at the end": (["-a", "--remote-id", "100%"], ["--remote-id", "100%", "%%"]),
    "odd number of digits": (["-a", "--circuit-id", "0x123"], ["--circuit-id", "0x123", "even number"]),
    "no digits": (["-a", "--circuit-id", "0xzz"], ["--circuit-id", "0xzz", "hexadecimal"]),
    "subscriber-id with a control character": (["-a", "-s", "a\tb"], ["-s", "ASCII"]),
    "subscriber-id with a NUL in octets": (["-a", "-s", "0x4100"], ["-s", "ASCII"]),
    "TR-101 over 63 octets": (["-a", "--circuit-id", "tr101:" + "N" * 60], ["--circuit-id", "63"]),
    "TR-101 without a name": (["-a", "--circuit-id", "tr101:"], ["--circuit-id", "tr101:", "name"]),
    "TR-101 with a space": (["-a", "--circuit-id", "tr101:A B"], ["--circuit-id", "tr101:A B", "spaces"]),
    "option 82 over 255 octets": (["-a", "--circuit-id", "c" * 130, "--remote-id", "r" * 130], ["option 82", "255"]),
    "option 82 over 255 octets by one": (["-a", "--circuit-id", "c" * 125, "--remote-id", "r" * 121],
                                         ["256", "255"]),
    "option 82 of nothing": (["-a", "--circuit-id", "none"], ["--circuit-id", "none"]),
    "sub-option given twice": (["-a", "--suboption", "200=a", "--suboption", "200=b"], ["--suboption", "200", "twice"]),
    "sub-option 0": (["-a", "--suboption", "0=a"], ["--suboption", "0=a", "reserved"]),
    "sub-option 3": (["-a", "--suboption", "3=a"], ["--suboption", "3=a", "reserved"]),
    "sub-option 255": (["-a", "--suboption", "255=a"], ["--suboption", "255=a", "reserved"]),
    "sub-option 256": (["-a", "--suboption", "256=a"], ["--suboption", "256=a", "254"]),
    "sub-option 8": (["-a", "--suboption", "8=a"], ["--suboption", "8=a", "RFC 4030"]),
    "sub-option without a number": (["-a", "--suboption", "x=a"], ["--suboption", "x=a", "CODE=VALUE"]),
    "sub-option without a value": (["-a", "--suboption", "200="], ["--suboption", "200=", "expected"]),
    "device class of 3 octets": (["-a", "--suboption", "4=0x010203"], ["--suboption", "4=0x010203", "RFC 3256"]),
    "vendor's data cut short": (["-a", "--suboption", "9=0x000000090361"], ["--suboption", "RFC 4243"]),
    "access point without technology": (["-a", "--suboption", "15=ap"], ["--suboption 15", "RFC 7839"]),
    "VPN-ID of 6 octets": (["-a", "--vss", "0x001122334455"], ["--vss", "0x001122334455", "14"]),
    "VPN-ID that is none": (["-a", "--vss", "0x0011223344556z"], ["--vss", "hexadecimal"]),
    "VRF without a name": (["-a", "--vss", ""], ["--vss", "expected"]),
    "VRF with a control character": (["-a", "--vss", "a\nb"], ["--vss", "ASCII"]),
    "relay-id without a value": (["-a", "--relay-id", ""], ["--relay-id", "expected"]),
    "giaddr that is multicast": (["--giaddr", "224.0.0.1"], ["--giaddr", "224.0.0.1"]),
    "giaddr that is broadcast": (["--giaddr", "d1=255.255.255.255"], ["--giaddr", "255.255.255.255"]),
    "giaddr that is zero": (["--giaddr", "0.0.0.0"], ["--giaddr", "0.0.0.0"]),
    "giaddr that is no address": (["--giaddr", "10.0.0"], ["--giaddr", "10.0.0"]),
    "giaddr of an upstream interface": (["--giaddr", "u0=10.9.0.1"], ["--giaddr", "u0", "downstream"]),
    "server of an upstream interface": (["--server", "u0=10.9.0.3"], ["--server", "u0", "downstream"]),
    "server of an unknown interface": (["--server", "d7=10.9.0.3"], ["--server", "d7", "downstream"]),
    "circuit-id of an unknown interface": (["-a", "--circuit-id", "d7=x"], ["--circuit-id", "d7", "downstream"]),
    "policy given twice": (["-a", "-m", "append", "-m", "replace"], ["-m", "twice"]),
    "policy that is none": (["-a", "-m", "keep"], ["-m", "keep", "append"]),
    "policy of an interface given twice": (["--giaddr-policy", "d1=drop", "--giaddr-policy", "d1=forward"],
                                           ["--giaddr-policy", "d1", "twice"]),
    "circuit-id given twice": (["-a", "--circuit-id", "a", "--circuit-id", "b"], ["--circuit-id", "twice"]),
    "circuit-id of an interface given twice": (["-a", "--circuit-id", "d1=a", "--circuit-id", "d1=b"],
                                               ["--circuit-id", "d1", "twice"]),
    "two ways to one giaddr": (["-U", "lo", "--giaddr", "10.101.0.1"], ["-U", "--giaddr"]),
    "rate of zero": (["--rate-limit", "0"], ["--rate-limit", "N/BURST"]),
    "burst of zero": (["--rate-limit", "d1=5/0"], ["--rate-limit", "d1=5/0"]),
    "rate that is no number": (["--rate-limit", "many"], ["--rate-limit", "many"]),
    "rate with two bursts": (["--rate-limit", "1/2/3"], ["--rate-limit", "1/2/3"]),
    **{f"{flag} without -a": ([flag, *value], [f"{flag} needs -a"]) for flag, *value in (
        ("--circuit-id", "x"), ("--remote-id", "x"), ("--subscriber-id", "x"), ("-s", "x"), ("--link-selection",),
        ("--server-id-override",), ("--relay-id", "x"), ("--vss", "red"), ("--suboption", "200=x"))},
    **{f"sub-option {code} of {flag}": (["-a", "--suboption", f"{code}=x"], ["--suboption", f"{code}=x", flag])
       for code, flag in ((1, "--circuit-id"), (2, "--remote-id"), (5, "--link-selection"), (6, "--subscriber-id"),
                          (10, "--server-id-override"), (11, "--server-id-override"), (12, "--relay-id"),
                          (19, "--relay-port"), (151, "--vss"), (152, "--vss"))},
}


@pytest.fixture(scope="module")
def place():
    """A namespace in which the usual words start a relay."""
    network = Network()
    made = network.namespace("alone")
    made.ip("link add d1 type veth peer name u0", "link set d1 up", "link set u0 up", "addr add 10.101.0.1/24 dev d1",
            "addr add 10.9.0.1/24 dev u0")
    yield made
    network.close()


def processes_in(namespace):
    """The numbers of all processes in a namespace."""
    with namespace.inside():
        wanted = os.readlink("/proc/thread-self/ns/net")
    found = []
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{number}/ns/net") == wanted:
                found.append(int(number))
        except OSError:  # it has ended meanwhile
            pass
    return found


def end_all(namespace):
    """Ends what runs in a namespace: its numbers."""
    found = processes_in(namespace)
    for number in found:
        os.kill(number, signal.SIGTERM)
    wait_until(lambda: processes_in(namespace) == [], "the relay to end")
    return found


@pytest.mark.parametrize("case", _WORDS)
def test_refused(place, tmp_path, case):
    """As a daemon, so that one that did start would stay."""
    if not relay.is_ours():
        pytest.skip("the sentences are ours")
    words, named = _WORDS[case]
    done = subprocess.run(place.command([relay.BINARY, "-pf", str(tmp_path / "pid"), *words, *_USUAL]),
                          capture_output=True, text=True, check=False, timeout=60)
    started = end_all(place)
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("dhcp-relay: ") and done.stderr.endswith("\n") and done.stderr.count("\n") == 1
    for each in named:
        assert each in done.stderr, done.stderr
    assert not (tmp_path / "pid").exists()
    assert started == []


def test_what_is_not_refused(place, tmp_path):
    """The usual words alone, as a check of the above: a process that stays."""
    pid_file = tmp_path / "pid"
    subprocess.run(place.command([relay.BINARY, "-q", "-pf", str(pid_file), *_USUAL]), check=True, timeout=60,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    number = int(pid_file.read_text())
    if relay.is_ours():
        expect_confined(number)
    assert end_all(place) == [number]
