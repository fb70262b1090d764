"""The systemd units: whether systemd takes them, how hardened they are, and the relay as they confine it; what is
made of the variables in the file of defaults."""

import contextlib
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import built
import manual
import relay
from rights import NET_ADMIN, NET_BIND_SERVICE, NET_RAW, capabilities, field, statuses
from test_prefixes6 import delegate, expect_routes
from test_service_manager import Manager, managed
from wait import wait_until

START = relay.ROOT / "relay/packaging/start"
DROP_IN = manual.display("AmbientCapabilities=CAP_NET_ADMIN")  # of --routes
MOST_EXPOSURE = 1.5


@pytest.fixture
def units(tmp_path, need):
    """The folder of the installed units."""
    need("systemd-analyze", "cmake", "setpriv")
    return built.install(tmp_path / "installed") / "lib/systemd/system"


@pytest.mark.parametrize("name", ["dhcp-relay.service", "dhcp-relay@lan.service"])
def test_unit_is_valid(units, name):
    """With the drop-in of the man page."""
    drop_ins = units / f"{name.replace('lan', '')}.d"
    drop_ins.mkdir()
    (drop_ins / "routes.conf").write_text(DROP_IN, encoding="ascii")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(units / name)], capture_output=True, text=True,
                          check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["dhcp-relay.service", "dhcp-relay@.service"])
def test_unit_is_hardened(units, name):
    report = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", str(units / name)],
                            capture_output=True, text=True, check=True).stdout
    exposure = re.search(r"Overall exposure level for .*: ([\d.]+)", report)
    print(exposure[0])
    assert float(exposure[1]) <= MOST_EXPOSURE, report


def test_relays_as_the_unit_confines_it(scene, units, public_folder, stack):
    """Its account, capabilities, system calls, files: it relays, captures, reloads, follows addresses and tells the
    manager."""
    manager = stack.enter_context(contextlib.closing(Manager(public_folder)))
    Path(manager.name).chmod(0o777)
    state, flags = public_folder / "state", public_folder / "flags"
    state.mkdir(mode=0o700)
    flags.write_text("max-hops = 4\n", encoding="ascii")
    binary = shutil.copy(relay.BINARY, public_folder)
    confine = shutil.copy(Path(__file__).with_name("confined.py"), public_folder)
    confined = [sys.executable, confine, shutil.copy(units / "dhcp-relay.service", public_folder), str(state)]
    variables = ["WATCHDOG_USEC=500000", "ASAN_OPTIONS=detect_leaks=0"]  # which would take ptrace
    running = scene.relay("-a", "--config", str(flags), "--capture", "relay.pcapng", binary=binary,
                          through=managed(manager, *variables, *confined), confined=False)
    manager.expect("READY=1")
    around = field(Path("/proc/self/status").read_text(encoding="ascii"), "Seccomp_filters")[0]
    filters = str(int(around) + 2)  # that of the unit and the relay's own
    for status in statuses(running.pid):
        assert field(status, "Seccomp_filters") == [filters], status
        assert [field(status, name) for name in ("Uid", "NoNewPrivs", "Seccomp")] == [["65534"] * 4, ["1"], ["2"]], status
        both = NET_RAW | NET_BIND_SERVICE  # which stay, since the unit forbids capset(2): of no use to the relay's calls
        assert capabilities(status) == {"Inh": both, "Prm": both, "Eff": both, "Bnd": both, "Amb": 0}, status
    scene.exchange()
    running.signal(signal.SIGHUP)
    manager.expect("READY=1", 2)
    running.expect_log("read again and is in force")
    scene.topology.router.ip("address add 10.121.0.1/24 dev d1", "address del 10.101.0.1/24 dev d1")
    running.expect_log("change=giaddr_changed")
    manager.expect("WATCHDOG=1")
    running.stop()
    manager.expect("STOPPING=1")
    captured = state / "relay.pcapng"
    assert (captured.stat().st_uid, captured.stat().st_mode & 0o777) == (65534, 0o600)
    assert b"forwarded to 10.9.0.2" in captured.read_bytes()


def test_an_instance_with_the_drop_in_makes_routes(scene6, units, public_folder):
    """Started as its file of defaults has it; delegated prefixes are kept in its folder from one run to the next."""
    prefix, state, unit = "2001:db8:e101:100::/56", public_folder / "state", public_folder / "unit"
    state.mkdir(mode=0o700)
    unit.write_text((units / "dhcp-relay@.service").read_text(encoding="ascii") + DROP_IN, encoding="ascii")
    confine = shutil.copy(Path(__file__).with_name("confined.py"), public_folder)
    through = ["env", "OPTIONS=-6 --routes -id d1 -id d2 -iu u0", "SERVERS=2001:db8:9::2 2001:db8:9::3",
               "ASAN_OPTIONS=detect_leaks=0",  # which would take ptrace
               sys.executable, confine, str(unit), str(state), shutil.copy(START, public_folder)]
    binary = shutil.copy(relay.BINARY, public_folder)

    def start():
        return scene6.relay6(servers=[], interfaces=[], binary=binary, through=through, confined=False)
    running = start()
    for status in statuses(running.pid):
        assert capabilities(status)["Eff"] == NET_RAW | NET_BIND_SERVICE | NET_ADMIN, status
    delegate(scene6, prefix)
    expect_routes(scene6, prefix)
    kept = state / "prefixes"
    wait_until(lambda: kept.exists() and "end 1" in kept.read_text(encoding="ascii"), f"{kept} to be written")
    running.stop()
    start().expect_log(f"1 delegated prefixes are known from {kept}")
    expect_routes(scene6, prefix)


# --- the variables ----------------------------------------------------------------------------------------------------

def words_of(defaults):
    """What the start script makes of a file of defaults, of which a shell reads here what systemd reads there."""
    line = f"set -a; . /dev/stdin; exec {START} printf '%s\\n'"
    return subprocess.run(["sh", "-c", line], input=defaults, check=True, capture_output=True, text=True).stdout.split()


@pytest.mark.parametrize("defaults, words", [
    # As the postinst of Debian's isc-dhcp-relay writes it; its start script puts OPTIONS first, and -i for each.
    ('# What servers should the DHCP relay forward requests to?\nSERVERS="172.16.0.10"\n\n'
     '# On what interfaces should the DHCP relay (dhrelay) serve DHCP requests?\nINTERFACES="eth0"\n\nOPTIONS=""\n',
     "-i eth0 172.16.0.10"),
    ('SERVERS="10.0.0.1 10.0.0.2"\nINTERFACES="eth0 eth1"\nOPTIONS="-a -D -m append"\n',
     "-a -D -m append -i eth0 -i eth1 10.0.0.1 10.0.0.2"),
    # Debian's question about interfaces can be left blank, which is all of them.
    ('SERVERS="10.0.0.1"\nINTERFACES=""\nOPTIONS="-a"\n', "-a -i * 10.0.0.1"),
    ('SERVERS=10.0.0.1\n', "-i * 10.0.0.1"),
    # Sides told in OPTIONS, as many have it who want no requests from the servers' side.
    ('SERVERS="10.0.0.1"\nINTERFACES=""\nOPTIONS="-id eth1 -iu eth0"\n', "-id eth1 -iu eth0 10.0.0.1"),
    # Those of DHCPv6, as users of ISC dhcrelay -6 tell them.
    ('OPTIONS="-6 -l eth1 -u eth0"\n', "-6 -l eth1 -u eth0"),
    ('SERVERS="2001:db8::2"\nOPTIONS="--lower eth1"\n', "--lower eth1 2001:db8::2"),
    ('OPTIONS="--upper=2001:db8::2%eth0 --lower=eth1"\n', "--upper=2001:db8::2%eth0 --lower=eth1"),
    ('OPTIONS="--config /etc/dhcp-relay.conf"\n', "--config /etc/dhcp-relay.conf"),
    # VyOS has everything in OPTIONS.
    ('OPTIONS="-c 10 -a -m forward -A 576 -i eth1 -i eth2 10.0.1.4"\n',
     "-c 10 -a -m forward -A 576 -i eth1 -i eth2 10.0.1.4"),
    ('SERVERS="10.0.0.1"\nINTERFACES="vlan* eth?"\nOPTIONS="--circuit-id *=%i/[a-z]"\n',
     "--circuit-id *=%i/[a-z] -i vlan* -i eth? 10.0.0.1"),
])
def test_words_of_the_defaults(defaults, words):
    assert words_of(defaults) == words.split()


def test_shipped_defaults_name_what_the_start_script_reads():
    """And no other; nothing is set, so that the service does not start before it is told what to do."""
    shipped = (relay.ROOT / "relay/packaging/dhcp-relay.default").read_text(encoding="ascii")
    assert re.findall(r"^(\w+)=(.*)$", shipped, re.M) == [("SERVERS", '""'), ("INTERFACES", '""'), ("OPTIONS", '""')]


def test_debian_defaults_relay(scene, tmp_path):
    """A file of ISC dhcrelay's, through the start script, relays between the interfaces that it names."""
    running = scene.relay(interfaces=[], servers=[], through=[
        "env", "SERVERS=10.9.0.2 10.9.0.3", "INTERFACES=d1 d2 u0", "OPTIONS=-a", str(START)])
    scene.exchange(1)
    scene.exchange(2)
    assert " -i d1 -i d2 -i u0 10.9.0.2 " in Path(f"/proc/{running.pid}/cmdline").read_text().replace("\0", " ")


def test_debian_defaults_without_interfaces_relay(scene):
    """INTERFACES left blank: all of them, as ISC dhcrelay has it."""
    scene.relay(interfaces=[], servers=[], through=["env", "SERVERS=10.9.0.2 10.9.0.3", str(START)])
    scene.exchange(1)
    scene.exchange(2)
