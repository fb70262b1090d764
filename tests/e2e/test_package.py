"""The Debian package, from a folder that a release was built in: what lintian says of it, and its life in a clean root
of this release of Debian, made by debootstrap from the mirror that this machine's apt has."""

import gzip
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

import built
import peers
import relay

SUITE = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(encoding="ascii"), re.M)[1]
CONFFILE = "/etc/default/dhcp-relay"
KEPT_OF_ISC = "/etc/default/isc-dhcp-relay"
# What dpkg, apt, ldconfig and update-alternatives note of what they did.
RECORDS = ("/var/lib/dpkg/", "/var/lib/apt/", "/var/cache/", "/var/log/", "/etc/ld.so.cache")


def mirror():
    """The first source of this machine's apt that has the release."""
    for path in [*Path("/etc/apt/sources.list.d").glob("*.sources")]:
        for stanza in path.read_text(encoding="utf-8").split("\n\n"):
            fields = dict(re.findall(r"^([\w-]+):\s*(.*)$", stanza, re.M))
            if SUITE in fields.get("Suites", "").split() and "main" in fields.get("Components", "").split():
                return fields["URIs"].split()[0]
    for path in [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*.list")]:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if found := re.search(rf"^deb (?:\[.*\] )?(\S+) {SUITE} .*\bmain\b", text, re.M):
            return found[1]
    return pytest.skip(f"debootstrap cannot run: apt has no source of {SUITE} main")


class Root:
    """A system of its own below `folder`, in which commands run without the mounts that they need staying behind."""

    def __init__(self, folder):
        self.folder = folder

    def command(self, *argv):
        mounts = 'mount -t proc proc "$1/proc" && exec chroot "$@"'
        return ["unshare", "--mount", "sh", "-c", mounts, "sh", str(self.folder),
                "env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", *argv]

    def run(self, *argv):
        done = subprocess.run(self.command(*argv), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, timeout=120)
        assert done.returncode == 0, f"{' '.join(argv)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout

    def install(self, package, *options):
        """A package file, with what it depends on."""
        shutil.copy(package, self.folder / "tmp")
        self.run("apt-get", "-q", "-y", "--no-install-recommends", *options, "install", f"/tmp/{package.name}")
        (self.folder / "tmp" / package.name).unlink()

    def path(self, name):
        return self.folder / name.lstrip("/")

    def files(self):
        """All there are, but for records of what was installed."""
        listing = self.run("find", "/", "-xdev", "-path", "/proc", "-prune", "-o", "-print").splitlines()
        return {name for name in listing if not name.startswith(RECORDS)}


def make_package(folder, *options):
    """`cpack -G DEB`: the package's file."""
    folder.mkdir()
    subprocess.run(["cpack", "-G", "DEB", "--config", str(built.FOLDER / "CPackConfig.cmake"), "-B", str(folder),
                    *options], check=True, capture_output=True)
    made, = folder.glob("*.deb")
    return made


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory(prefix="relaytest-") as made:
        yield Path(made)


@pytest.fixture(scope="module")
def package(folder):
    built.need()
    cache = (built.FOLDER / "CMakeCache.txt").read_text(encoding="utf-8")
    if not re.search(r"^CMAKE_BUILD_TYPE:\w+=Rel", cache, re.M):
        pytest.skip("the relay is no release build, of which alone packages are made")
    if lacking := peers.missing("cpack", "dpkg-shlibdeps"):
        pytest.skip(f"not installed: {', '.join(lacking)}")
    return make_package(folder / "package")


@pytest.fixture(scope="module")
def clean_root(folder, package):
    """With what the package depends on at hand, so that nothing is fetched twice."""
    if lacking := peers.missing("debootstrap"):
        pytest.skip(f"not installed: {', '.join(lacking)}")
    root = Root(folder / "clean")
    done = subprocess.run(["debootstrap", "--variant=minbase", SUITE, str(root.folder), mirror()], capture_output=True,
                          text=True, check=False, timeout=400)
    if done.returncode != 0:
        pytest.skip(f"debootstrap cannot run: {(done.stdout + done.stderr).strip().splitlines()[-1]}")
    root.install(package, "--download-only")
    root.run("apt-get", "-q", "-y", "--download-only", "--no-install-recommends", "install", "isc-dhcp-relay")
    return root


@pytest.fixture
def root(clean_root, folder):
    """A copy of the clean root."""
    made = Root(folder / "root")
    subprocess.run(["cp", "--archive", "--reflink=auto", str(clean_root.folder), str(made.folder)], check=True)
    yield made
    shutil.rmtree(made.folder)


def test_name_and_changelog_agree(package):
    """The version of the changelog is that of the package."""
    control = subprocess.run(["dpkg-deb", "-f", str(package)], check=True, capture_output=True, text=True).stdout
    fields = dict(re.findall(r"^([\w-]+): (.*)$", control, re.M))
    assert package.name == f"dhcp-relay_{fields['Version']}_{fields['Architecture']}.deb"
    changelog = (relay.ROOT / "relay/packaging/changelog").read_text(encoding="ascii")
    assert changelog.startswith(f"dhcp-relay ({fields['Version']}) ")
    assert fields["Maintainer"] in changelog
    for library in ("libc6", "libnl-3-200", "libpcap0.8"):
        assert library in fields["Depends"]


def test_lintian(package, need):
    """No error, and no warning but that the changelog closes no bug of Debian's."""
    need("lintian")
    report = subprocess.run(["lintian", "--allow-root", "--no-tag-display-limit", str(package)], capture_output=True,
                            text=True, check=False).stdout
    print(report)
    assert [line for line in report.splitlines() if "initial-upload-closes-no-bugs" not in line] == []


def test_installed_package_relays(root, package, scene, tmp_path):
    """Installed in a clean root: by either name it runs there, reads its file of defaults and relays."""
    root.install(package)
    assert root.run("dhcp-relay", "--version").startswith("dhcp-relay ")
    assert root.run("dhcrelay", "--version").startswith("dhcp-relay ")
    assert root.run("readlink", "-f", "/usr/sbin/dhcrelay") == "/usr/sbin/dhcp-relay\n"
    wants = root.path("/etc/systemd/system/multi-user.target.wants/dhcp-relay.service")
    assert wants.is_symlink(), "the service is not enabled"
    assert root.path("/usr/share/man/man8/dhcrelay.8.gz").is_symlink()
    assert root.path("/usr/share/bash-completion/completions/dhcrelay").exists()
    assert b"DHCP-RELAY 8" in gzip.decompress(root.path("/usr/share/man/man8/dhcp-relay.8.gz").read_bytes())

    root.path(CONFFILE).write_text('SERVERS="10.9.0.2 10.9.0.3"\nINTERFACES="d1 d2 u0"\nOPTIONS="-a"\n',
                                   encoding="ascii")
    start = "set -a; . /etc/default/dhcp-relay; exec /usr/libexec/dhcp-relay/start /usr/sbin/dhcrelay \"$@\""
    binary = tmp_path / "dhcrelay"
    words = " ".join(f"'{word}'" for word in root.command("sh", "-c", start, "sh"))
    binary.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="ascii")
    binary.chmod(0o755)
    scene.relay(interfaces=[], servers=[], binary=str(binary))
    scene.exchange(1)
    scene.exchange(2)


def test_upgrade_keeps_changed_defaults(root, package, folder):
    """Of a newer version the file of defaults takes no place of one that was changed."""
    newer = make_package(folder / "newer", "-R", "9.0.0")
    root.install(package)
    assert 'SERVERS=""' in root.path(CONFFILE).read_text(encoding="ascii")
    root.path(CONFFILE).write_text('SERVERS="192.0.2.53"\n', encoding="ascii")
    shutil.copy(newer, root.path("/tmp"))
    root.run("dpkg", "-i", f"/tmp/{newer.name}")
    assert root.run("dpkg-query", "-W", "-f", "${Version} ${db:Status-Status}", "dhcp-relay") == "9.0.0-1 installed"
    assert root.path(CONFFILE).read_text(encoding="ascii") == 'SERVERS="192.0.2.53"\n'
    assert root.run("readlink", "-f", "/usr/sbin/dhcrelay") == "/usr/sbin/dhcp-relay\n"
    root.run("dpkg", "--remove", "dhcp-relay")
    assert root.path(CONFFILE).exists()
    assert not root.path("/usr/sbin/dhcrelay").is_symlink()


def test_purge_leaves_nothing(root, package):
    """Also of captures in the service's folders, and of instances that were enabled."""
    before = root.files()
    root.install(package)
    assert root.files() - before
    for name in ("dhcp-relay", "dhcp-relay-lan"):
        state = root.path(f"/var/lib/private/{name}")
        state.mkdir(parents=True)
        (state / "relay.pcapng").touch()
        root.path(f"/var/lib/{name}").symlink_to(f"private/{name}")
    wants = root.path("/etc/systemd/system/multi-user.target.wants")
    (wants / "dhcp-relay@lan.service").symlink_to("/lib/systemd/system/dhcp-relay@.service")
    root.run("apt-get", "-q", "-y", "--auto-remove", "purge", "dhcp-relay")
    assert root.files() - before - {"/var/lib/private"} == set()
    assert before - root.files() == set()
    assert "dhcp-relay" not in root.run("dpkg-query", "-W")


def test_takes_the_place_of_isc_dhcrelay(root, package):
    """ISC dhcrelay goes, its file of defaults stays, and so does the name of the program."""
    root.run("apt-get", "-q", "-y", "--no-install-recommends", "install", "isc-dhcp-relay")
    root.install(package)
    assert "isc-dhcp-relay" not in root.run("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n").replace(
        "isc-dhcp-relay config-files", "")
    assert root.run("dhcrelay", "--version").startswith("dhcp-relay ")
    assert "SERVERS=" in root.path(KEPT_OF_ISC).read_text(encoding="ascii")
