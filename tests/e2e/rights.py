"""What the kernel says of the rights of a process, and which of them a relay may have once it is ready."""

import contextlib
import re
from pathlib import Path

NET_BIND_SERVICE, NET_ADMIN, NET_RAW = 1 << 10, 1 << 12, 1 << 13
_LINES = re.compile(r"^(?:Uid|Gid|Groups|Cap\w+|NoNewPrivs|Seccomp(?:_filters)?):.*\n", re.M)
_CAPABILITIES = re.compile(r"^Cap(Inh|Prm|Eff|Bnd|Amb):\s+(\w+)$", re.M)
_AMBIENT = ["setpriv", "--reuid", "games", "--regid", "games", "--clear-groups", "--inh-caps", "-all,{caps}",
            "--ambient-caps", "-all,{caps}", "--bounding-set", "-all,{caps}"]


def with_capabilities(*names):
    """A command that runs another as an account that is neither root nor the default one, with these alone."""
    caps = ",".join(f"+{name}" for name in names)
    return [word.format(caps=caps) if names else word.replace(",{caps}", "") for word in _AMBIENT]


def statuses(pid):
    """What it says of each thread."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found.append("".join(_LINES.findall((task / "status").read_text(encoding="ascii"))))
        except (FileNotFoundError, ProcessLookupError):
            pass  # the thread has ended
    return found


def nicenesses(pid):
    """Of its threads: field 19 of each one's stat (proc(5))."""
    found = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # the thread has ended
            after_name = (task / "stat").read_text(encoding="ascii").rpartition(") ")[2]
            found.add(int(after_name.split()[19 - 3]))
    return found


def field(status, name):
    return re.search(rf"^{name}:(.*)$", status, re.M)[1].split()


def capabilities(status):
    """The sets by name."""
    return {name: int(value, 16) for name, value in _CAPABILITIES.findall(status)}


def is_filtered(pid):
    """Whether each thread has a filter of system calls, the last thing that a relay does before it relays."""
    return all(field(status, "Seccomp") == ["2"] for status in statuses(pid))


def expect_confined(pid, kept=0, by_root=False):
    """No thread is root's, unless the flags say so, and none has other capabilities or can get any."""
    found = statuses(pid)
    assert found
    for status in found:
        assert by_root or "0" not in field(status, "Uid"), status
        sets = capabilities(status)
        del sets["Bnd"]  # of no use without new privileges
        assert sets == {"Inh": 0, "Prm": kept, "Eff": kept, "Amb": 0}, status
        assert field(status, "NoNewPrivs") == ["1"] and field(status, "Seccomp") == ["2"], status
