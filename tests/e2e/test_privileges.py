"""What the relay is after its start: an account without a capability, and all that it does is done in that state."""

import os
import re
import signal
import stat
import subprocess
from pathlib import Path

import pytest

import message
import relay as relay_module
from capture import await_packets, rows
from checked import run_check
from message import reply, request
from relay import ACCOUNT, Relay, is_ours
from rights import (NET_BIND_SERVICE, NET_RAW, capabilities, expect_confined, field, is_filtered, statuses,
                    with_capabilities)
from wait import listening_packet_sockets, wait_until
from wire import arrived



@pytest.fixture(autouse=True)
def ours():
    if not is_ours():
        pytest.skip("the privileges are ours")


@pytest.fixture
def scene(make_scene):
    """One segment and one server are enough."""
    return make_scene(segments=1, servers=1)


def expect_dropped(pid, kept=0, account=(ACCOUNT.pw_uid, ACCOUNT.pw_gid), bounding=0):
    """Every thread of the process is the account and has these capabilities and no others."""
    expect_confined(pid, kept, by_root=account[0] == 0)
    for status in statuses(pid):
        assert field(status, "Uid") == [str(account[0])] * 4, status
        assert field(status, "Gid") == [str(account[1])] * 4, status
        assert field(status, "Groups") == [], status
        assert capabilities(status)["Bnd"] == bounding, status


def resolvers(pid):
    """The processes that the relay has forked."""
    return [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text(encoding="ascii").split()]


def reload(relay, line="is in force"):
    count = relay.log.count(line)
    relay.signal(signal.SIGHUP)
    relay.expect_log(re.escape(line), count + 1)


def toggle(relay, event):
    count = relay.log.count(f" capture_{event} ")
    relay.signal(signal.SIGUSR2)
    relay.expect_log(rf" capture_{event} .*\n", count + 1)


def attempt(scene, *words, through=()):
    """Runs the relay to its end, which comes at once: status and standard error, one line."""
    argv = [*through, relay_module.BINARY, "-d", *words, "-id", "d1", "10.9.0.2"]
    done = subprocess.run(scene.topology.router.command(argv), capture_output=True, text=True, check=False, timeout=60,
                          stdin=subprocess.DEVNULL)
    assert done.stdout == "" and done.stderr.count("\n") == 1, done.stderr
    return done.returncode, done.stderr


# --- as root ----------------------------------------------------------------------------------------------------------

def test_nothing_is_left(scene):
    """No thread has anything; relaying, counters and an answer work."""
    relay = scene.relay("-a", servers=["10.9.0.2"])
    expect_dropped(relay.pid)
    scene.exchange()
    assert relay.counters("d1")["requests_relayed"] == 1
    relay.signal(signal.SIGUSR2)
    relay.expect_log("none was named")
    assert resolvers(relay.pid) == [], "there is nothing to resolve"
    expect_dropped(relay.pid)


def test_root_without_capabilities(scene):
    """--user root keeps the number alone."""
    relay = scene.relay("--user", "root", servers=["10.9.0.2"])
    expect_dropped(relay.pid, account=(0, 0))
    scene.exchange()


def test_links_and_addresses_in_that_state(scene):
    """An interface that appears and an address that changes, as before."""
    topology = scene.topology
    relay = scene.relay("-a", interfaces=["-id", "d1", "-id", "late*", "-iu", "u0"], servers=["10.9.0.2"])
    topology.router.ip("addr add 10.121.0.1/24 dev d1", "addr del 10.101.0.1/24 dev d1")
    relay.expect_log(r"interface=d1 change=giaddr_changed .*10\.121\.0\.1")
    assert scene.relayed(scene.discover()).message.giaddr == "10.121.0.1"
    late = topology.network.namespace("late")
    topology.network.link(topology.router, "late1", "02:00:00:00:77:01", late, "eth0", "02:00:00:00:77:0c")
    topology.router.ip("addr add 10.177.0.1/24 dev late1")
    relay.expect_log(r"interface=late1 change=giaddr_changed .*10\.177\.0\.1|interface=late1 .*giaddr=10\.177\.0\.1")
    wire = scene.wire(late)
    asked = request(xid=0x77001)
    wire.send(message.udp_frames(asked.encode(), source_mac="02:00:00:00:77:0c"))
    came = scene.relayed(asked).message
    offered = reply(came, yiaddr="10.177.0.50")
    scene.send_reply(offered)
    wire.expect(arrived(op=2, xid=offered.xid))
    expect_dropped(relay.pid)


@pytest.fixture
def hosts(scene, known_hosts):
    return known_hosts(scene.topology.router)


def test_reload_in_that_state(scene, hosts):
    """Another configuration, with a name: both are read again by a process that has no more rights than the relay."""
    scene.topology.server(1).namespace.ip("addr add 10.9.0.7/24 dev eth0")
    hosts(first="10.9.0.2", other="10.9.0.7")
    file = scene.folder / "relay.conf"
    file.write_text("server = first\nmax-hops = 4\n", encoding="ascii")
    relay = scene.relay("--config", str(file), servers=[])
    resolver, = resolvers(relay.pid)
    expect_dropped(resolver)
    assert [os.path.basename(os.readlink(f"/proc/{resolver}/fd/{number}")) for number in range(3)] == ["null"] * 3
    assert len(os.listdir(f"/proc/{resolver}/fd")) == 4, "its socket alone, besides"
    assert scene.relayed(scene.discover()).destination == "10.9.0.2"

    file.write_text("server = other\nmax-hops = 8\n", encoding="ascii")
    reload(relay)
    assert scene.relayed(scene.discover(hops=5)).destination == "10.9.0.7"
    hosts(other="10.9.0.2")
    reload(relay)
    assert scene.relayed(scene.discover()).destination == "10.9.0.2"

    file.write_text("server = nobody-knows\n", encoding="ascii")
    reload(relay, "cannot resolve server 'nobody-knows'")
    file.write_text("max-hops = 99\n", encoding="ascii")
    reload(relay, f"{file}:1: max-hops")
    expect_dropped(relay.pid)
    relay.stop()
    wait_until(lambda: not os.path.exists(f"/proc/{resolver}"), "the resolver to end with the relay")


def test_resolver_ends_with_a_relay_that_was_killed(scene):
    """And signals that go to all processes of a name leave it alone before that."""
    file = scene.folder / "relay.conf"
    file.write_text("", encoding="ascii")
    relay = scene.relay("--config", str(file))
    resolver, = resolvers(relay.pid)
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2):
        os.kill(resolver, number)
    reload(relay)
    relay.kill()
    wait_until(lambda: not os.path.exists(f"/proc/{resolver}"), "the resolver to end with the relay")


def test_relay_lives_without_its_resolver(scene):
    """SIGHUP is answered with a reason, messages pass."""
    file = scene.folder / "relay.conf"
    file.write_text("", encoding="ascii")
    relay = scene.relay("--config", str(file), servers=["10.9.0.2"])
    resolver, = resolvers(relay.pid)
    os.kill(resolver, signal.SIGKILL)
    reload(relay, "the process that reads files and resolves names has ended")
    scene.exchange()


def test_configuration_that_the_account_may_not_read(scene):
    """Said at the start; SIGHUP fails with the same reason until it may."""
    file = scene.folder / "relay.conf"
    file.write_text("max-hops = 4\n", encoding="ascii")
    file.chmod(0o600)
    relay = scene.relay("--config", str(file), servers=["10.9.0.2"])
    relay.expect_log(rf"WARNING note .*{file}.* cannot be read by nobody: Permission denied")
    reload(relay, "the old configuration stays in force: --config")
    file.chmod(0o644)
    reload(relay)
    scene.exchange()


def test_pid_file_of_root(scene):
    """A daemon that may not remove its pid file empties it; nothing else is written there."""
    folder = scene.folder / "run"
    folder.mkdir(mode=0o755)
    file = folder / "relay.pid"
    router = scene.topology.router
    router.run([relay_module.BINARY, "-q", "-pf", str(file), "-id", "d1", "10.9.0.2"])
    pid = int(file.read_text(encoding="ascii"))
    try:
        expect_dropped(pid)
        assert file.stat().st_uid == 0
        scene.running = None
        scene.sink(1)
        scene.relayed(scene.discover())
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the daemon to end")
    assert file.read_text(encoding="ascii") == ""


@pytest.mark.skipif(os.path.exists("/dev/log"), reason="there is a syslog daemon here")
def test_a_daemon_whose_log_nobody_takes(scene):
    """It says so on standard error, where it still can."""
    file = scene.folder / "relay.pid"
    said = scene.folder / "said"
    argv = [relay_module.BINARY, "-q", "-pf", str(file), "-id", "d1", "10.9.0.2"]
    with said.open("w", encoding="ascii") as output:
        subprocess.run(scene.topology.router.command(argv), check=True, timeout=60, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=output)
    os.kill(int(file.read_text(encoding="ascii")), signal.SIGTERM)
    assert said.read_text(encoding="ascii") == (
        "dhcp-relay: warning: no syslog daemon takes lines at /dev/log: No such file or directory; all that this relay "
        "logs is lost until one does\n")


def test_pid_file_in_a_directory_of_the_account(scene):
    """It is removed."""
    folder = scene.folder / "run"
    folder.mkdir(mode=0o755)
    os.chown(folder, ACCOUNT.pw_uid, ACCOUNT.pw_gid)
    file = folder / "relay.pid"
    router = scene.topology.router
    process = router.spawn([relay_module.BINARY, "-d", "-pf", str(file), "-id", "d1", "10.9.0.2"],
                           stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: file.exists() and file.read_text(encoding="ascii") == f"{process.pid}\n", "the pid file")
        wait_until(lambda: is_filtered(process.pid), "the relay to be confined")
        expect_dropped(process.pid)
    finally:
        process.terminate()
    assert process.wait(20) == 0
    assert not file.exists()


def test_pid_file_of_another_relay(scene):
    """It is left as it is, and `--check` says so; what stops takes away its own alone."""
    folder = scene.folder / "run"
    folder.mkdir(mode=0o755)
    os.chown(folder, ACCOUNT.pw_uid, ACCOUNT.pw_gid)
    file = folder / "relay.pid"
    router = scene.topology.router
    words = ["-q", "-pf", str(file), "-id", "d1", "10.9.0.2"]
    router.run([relay_module.BINARY, *words])
    pid = int(file.read_text(encoding="ascii"))
    try:
        why = f"it is that of another relay, which runs as process {pid}, and each needs its own"
        assert attempt(scene, "-p", "1067", "-pf", str(file)) == (
            1, f"dhcp-relay: cannot write the pid file {file}: {why}\n")
        found = run_check(router, "-p", "1067", *words)
        assert (found.status, found.graver(["error"])) == (2, [
            f"error: file_unwritable: {file} cannot be written: {why}; name another file, or give this user the right to "
            "write it"])
        assert run_check(router, *words).status == 0, "the relay that holds the port is the one to be replaced"
        assert int(file.read_text(encoding="ascii")) == pid
    finally:
        os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the daemon to end")
    assert not file.exists()


def test_pid_file_that_is_a_device(scene):
    """As /dev/null, which scripts of ISC dhcrelay name: a node of the test's own, that root could remove."""
    node = scene.folder / "null"
    os.mknod(node, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    router = scene.topology.router
    process = router.spawn([relay_module.BINARY, "-d", "--user", "root", "-pf", str(node), "-id", "d1", "10.9.0.2"],
                           stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: is_filtered(process.pid), "the relay to be confined")
    finally:
        process.terminate()
    assert process.wait(20) == 0
    assert node.is_char_device()
    assert run_check(router, "-pf", str(node), "-id", "d1", "10.9.0.2").status == 0


def test_unknown_account(scene):
    """A mistake on the command line."""
    assert attempt(scene, "--user", "no-such-account") == (
        2, "dhcp-relay: --user 'no-such-account': there is no such account; expected the name of one, or root\n")


# --- captures ---------------------------------------------------------------------------------------------------------

def test_capture_keeps_one_capability(scene, need):
    """Interfaces that appear later are captured; --capture's file in root's own folder is written, and SIGUSR2 goes on
    in it."""
    need("tshark")
    topology = scene.topology
    folder = scene.folder / "private"
    folder.mkdir(mode=0o700)
    file = folder / "it.pcapng"
    relay = scene.relay("--capture", str(file), interfaces=["-id", "d1", "-id", "late*", "-iu", "u0"],
                        servers=["10.9.0.2"])
    expect_dropped(relay.pid, NET_RAW)
    relay.expect_log(r"WARNING note .*nobody may not make files in the directory of .*it\.pcapng")
    assert (file.stat().st_uid, file.stat().st_mode & 0o777) == (ACCOUNT.pw_uid, 0o600)
    first = scene.discover()
    scene.relayed(first)
    await_packets(file, 2)

    late = topology.network.namespace("late")
    topology.network.link(topology.router, "late1", "02:00:00:00:77:01", late, "eth0", "02:00:00:00:77:0c")
    topology.router.ip("addr add 10.177.0.1/24 dev late1")
    wait_until(lambda: listening_packet_sockets(relay.pid) == 3, "the capture to listen on late1")
    relay.expect_log(r"interface=late1 .*10\.177\.0\.1")
    asked = request(xid=0x77002)
    scene.wire(late).send(message.udp_frames(asked.encode(), source_mac="02:00:00:00:77:0c"))
    scene.relayed(asked)
    await_packets(file, 4)

    toggle(relay, "ended")
    toggle(relay, "started")
    last = scene.discover()
    scene.relayed(last)
    await_packets(file, 6)
    expect_dropped(relay.pid, NET_RAW)
    relay.stop()
    assert [each[:2] for each in rows(file)] == [("d1", first.xid), ("u0", first.xid), ("late1", asked.xid),
                                                 ("u0", asked.xid), ("d1", last.xid), ("u0", last.xid)]
    assert [each[2] for each in rows(file)][1::2] == [f"request of frame {number}, relayed to 10.9.0.2"
                                                      for number in (1, 3, 5)]
    assert list(folder.iterdir()) == [file]


def test_one_file_has_the_room_of_all(scene, need):
    """Where the account may make no others: it is begun anew when it is as large as all of them."""
    need("tshark")
    file = scene.folder / "it.pcapng"
    relay = scene.relay("--capture", str(file), "--capture-size", "1", "--capture-files", "2", servers=["10.9.0.2"])
    relay.expect_log(" capture_started ")

    def ask(numbers):
        for number in numbers:
            asked = request(xid=0x78000 + number, more=[(message.VENDOR, bytes(250))] * 4)
            scene.send_request(asked)
            if number % 100 == 99:
                scene.relayed(asked)
                scene.servers[1].forget()
    ask(range(500))
    await_packets(file, 1000)
    assert 1_000_000 < file.stat().st_size <= 2_000_000
    ask(range(500, 1000))
    relay.stop()
    assert file.stat().st_size <= 2_000_000
    found = [xid for interface, xid, _ in rows(file) if interface == "d1"]
    assert found == list(range(0x78000 + 1000 - len(found), 0x78000 + 1000))
    assert len(found) < 500, "begun anew"
    assert not list(scene.folder.glob("it.pcapng.*"))


def test_file_of_a_capture_before(scene, need):
    """Belongs to the account by now, and root's next start takes it."""
    need("tshark")
    file = scene.folder / "it.pcapng"
    scene.sink(1)
    for _ in range(2):
        relay = scene.relay("--capture", str(file), servers=["10.9.0.2"], sinks=False)
        relay.expect_log(" capture_started ")
        asked = scene.discover()
        scene.relayed(asked)
        relay.stop()
        assert [xid for _, xid, _ in rows(file)] == [asked.xid] * 2


def test_observer(scene):
    """--capture-only needs the capability, and keeps no other."""
    flags = ["--capture-only", "-i", "d1"]
    looking = scene.keep(Relay(scene.topology.router, flags, scene.folder, port=None, ready=""))
    wait_until(lambda: listening_packet_sockets(looking.pid) == 1, "it to listen")
    asked = scene.discover()
    looking.expect_log(rf"INFO seen .*{asked.xid:#x}")
    expect_dropped(looking.pid, NET_RAW)


def test_name_in_a_capture_filter(scene, hosts, need):
    """Of the hosts file, which the account may read. Once the name is gone that is said, and the relay goes on."""
    need("tshark")
    hosts(somebody="192.0.2.1")
    file = scene.folder / "it.pcapng"
    relay = scene.relay("--capture", str(file), "--capture-filter", "not host somebody", servers=["10.9.0.2"])
    relay.expect_log(" capture_started ")
    scene.exchange()
    await_packets(file, 4)
    hosts()
    toggle(relay, "ended")
    toggle(relay, "started")
    relay.expect_log(r"cannot capture on d1 yet: .*somebody")
    scene.exchange()
    expect_dropped(relay.pid, NET_RAW)


# --- without root -----------------------------------------------------------------------------------------------------

def games():
    listed = subprocess.run(["id", "-u", "games"], capture_output=True, text=True, check=True).stdout
    return int(listed), int(subprocess.run(["id", "-g", "games"], capture_output=True, text=True, check=True).stdout)


def test_two_capabilities_are_enough(scene, need):
    """It stays the account that it is, and has neither of them afterwards."""
    need("setpriv")
    relay = scene.relay("-a", servers=["10.9.0.2"], through=with_capabilities("net_raw", "net_bind_service"))
    expect_dropped(relay.pid, account=games(), bounding=NET_RAW | NET_BIND_SERVICE)
    scene.exchange()


def test_capture_without_root(scene, need):
    """As with root, in a folder of the account's own."""
    need("setpriv", "tshark")
    folder = scene.folder / "mine"
    folder.mkdir()
    os.chown(folder, *games())
    relay = scene.relay("--capture", str(folder / "it.pcapng"), servers=["10.9.0.2"],
                        through=with_capabilities("net_raw", "net_bind_service"))
    expect_dropped(relay.pid, NET_RAW, games(), NET_RAW | NET_BIND_SERVICE)
    asked = scene.discover()
    scene.relayed(asked)
    await_packets(folder / "it.pcapng", 2)
    toggle(relay, "ended")
    toggle(relay, "started")
    assert {each.name for each in folder.iterdir()} == {"it.pcapng", "it.pcapng.1"}


@pytest.mark.parametrize("names, missing", [((), "CAP_NET_BIND_SERVICE"), (("net_raw",), "CAP_NET_BIND_SERVICE"),
                                            (("net_bind_service",), "CAP_NET_RAW")])
def test_missing_capability_is_named(scene, need, names, missing):
    need("setpriv")
    status, line = attempt(scene, through=with_capabilities(*names))
    assert status == 1
    assert missing in line


@pytest.mark.parametrize("missing", ["setuid", "setgid", "chown"])
def test_root_that_lacks_a_capability(scene, need, missing):
    """As in a container: what it takes to become another account is named."""
    need("setpriv")
    through = ["setpriv", "--groups", "3", "--bounding-set", f"-{missing}", "--inh-caps", f"-{missing}"]
    words = ["--capture", str(scene.folder / "it.pcapng")] if missing == "chown" else []
    status, line = attempt(scene, *words, through=through)
    assert status == 1
    assert f"CAP_{missing.upper()}" in line


def test_help_and_replay_need_nothing(need):
    """They run as who starts them."""
    need("setpriv")
    through = ["setpriv", "--reuid", "games", "--regid", "games", "--clear-groups", "--bounding-set", "-all"]
    done = subprocess.run([*through, relay_module.BINARY, "--help"], capture_output=True, text=True, check=True)
    assert "--user NAME" in done.stdout
