"""A second opinion on option 82: what tshark reads in it."""

import json
import struct
import subprocess

_FIELD = "dhcp.option.agent_information_option."


def dissect(frame, folder):
    """The fields of option 82 in a frame as tshark names them, without their common beginning, in order; those in
    others (an enterprise's number and data) follow theirs."""
    capture = folder / "witness.pcap"
    capture.write_bytes(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1)
                        + struct.pack("<IIII", 0, 0, len(frame.octets), len(frame.octets)) + frame.octets)
    printed = subprocess.run(["tshark", "-n", "-r", capture, "-T", "json", "--no-duplicate-keys"], capture_output=True,
                             text=True, check=True, timeout=60).stdout
    found = {}
    _collect(json.loads(printed)[0]["_source"]["layers"]["dhcp"], found)
    return found


def _collect(tree, found):
    for name, value in tree.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                _collect(each, found)
            elif name.startswith(_FIELD):
                found.setdefault(name.removeprefix(_FIELD), []).append(each)
