#!/usr/bin/env python3
"""Runs a command as a unit of systemd's would confine it, in the folder STATE: confined.py UNIT STATE COMMAND...

UNIT may have its drop-ins behind it. Obeys what can be had without a running systemd: an account of its own,
CapabilityBoundingSet=, AmbientCapabilities=, NoNewPrivileges=, StateDirectory=, ProtectSystem=strict,
MemoryDenyWriteExecute= (the part about mmap), SystemCallFilter= and RestrictAddressFamilies=. Needs root, and of
systemd-analyze what is in its groups of system calls.
"""

import ctypes
import errno
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

INSIDE = "--inside"  # in the place of STATE: everything but the filter is done
MOUNTS = 'mount --bind "$0" "$0" && mount -o remount,bind,ro / && cd "$0" && exec "$@"'
NOBODY = 65534
ALLOW = 0x7fff0000
ERRNO = 0x00050000 | errno.EPERM
EQUAL, MASKED_EQUAL = 4, 7
PROT_WRITE_EXEC = 0x2 | 0x4


class Comparison(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def settings(unit):
    """Name to the values of its lines, each a string."""
    found = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", Path(unit).read_text(encoding="ascii"), re.M):
        found.setdefault(name, []).append(value)
    return found


def system_calls(group):
    """The names in a group, those of the groups in it among them; a name is a group of its own."""
    if not group.startswith("@"):
        return {group}
    listing = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", group], check=True,
                             capture_output=True, text=True).stdout
    words = [line.strip() for line in listing.splitlines()[1:]]
    return set().union(*(system_calls(word) for word in words if word and not word.startswith("#")))


def allowed_calls(lines):
    allowed = system_calls("@default")
    for line in lines:
        groups = set().union(*(system_calls(word) for word in line.lstrip("~").split()))
        allowed = allowed - groups if line.startswith("~") else allowed | groups
    return allowed


def filter_calls(allowed, families):
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ERRNO))

    def allow(name, *comparisons):
        number = library.seccomp_syscall_resolve_name(name.encode())
        array = (Comparison * len(comparisons))(*comparisons)
        if number >= 0:
            status = library.seccomp_rule_add_array(context, ALLOW, number, len(comparisons), array)
            assert status == 0, (name, status)

    for name in sorted(allowed - {"socket", "mmap"}):
        allow(name)
    for family in families:
        allow("socket", Comparison(0, EQUAL, family))
    for protection in range(8):
        if protection & PROT_WRITE_EXEC != PROT_WRITE_EXEC:
            allow("mmap", Comparison(2, MASKED_EQUAL, 7, protection))
    assert library.seccomp_load(context) == 0


def main():
    unit, state, command = settings(sys.argv[1]), sys.argv[2], sys.argv[3:]
    if state != INSIDE:
        os.chown(state, NOBODY, NOBODY)
        os.environ["STATE_DIRECTORY"] = state
        names = ",".join("+" + name.removeprefix("CAP_").lower() for line in unit["AmbientCapabilities"]
                         for name in line.split())
        assert unit["AmbientCapabilities"] == unit["CapabilityBoundingSet"] and unit["ProtectSystem"] == ["strict"]
        os.execvp("unshare", [
            "unshare", "--mount", "sh", "-c", MOUNTS, state,
            "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", f"--inh-caps=-all,{names}",
            f"--ambient-caps=-all,{names}", f"--bounding-set=-all,{names}", "--no-new-privs",
            sys.executable, __file__, sys.argv[1], INSIDE, *command])
    families = [getattr(socket, name) for name in unit["RestrictAddressFamilies"][0].split()]
    filter_calls(allowed_calls(unit["SystemCallFilter"]), families)
    os.umask(int(unit["UMask"][0], 8))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
