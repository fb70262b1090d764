"""What the relay's metrics endpoint says, read as Prometheus does: our own reading of the text, field by field."""

import re
import socket
from dataclasses import dataclass

ADDRESS, PORT = "127.0.0.1", 9577
FLAGS = ["--metrics", f"{ADDRESS}:{PORT}"]
_VALUE = re.compile(r'([a-z_0-9]+)(?:\{(.*)\})? (\S+)')
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"(?:,|$)')


@dataclass
class Scrape:
    text: str

    def __post_init__(self):
        self.values = {}
        for line in self.text.splitlines():
            if line.startswith("#"):
                continue
            name, labels, value = _VALUE.fullmatch(line).groups()
            key = (name, frozenset(_LABEL.findall(labels or "")))
            assert key not in self.values, f"twice: {line}"
            self.values[key] = float(value)

    def value(self, name, **labels):
        """The one value that has these labels, whatever others it has; None where there is none."""
        found = [value for (each, its), value in self.values.items()
                 if each == name and frozenset(labels.items()) <= its]
        assert len(found) <= 1, f"{len(found)} values of {name} with {labels}"
        return found[0] if found else None

    def of(self, name, *wanted):
        """All values of a name, by the values of the labels `wanted`; those that share them are added."""
        result = {}
        for (each, labels), value in self.values.items():
            if each == name:
                key = tuple(dict(labels)[label] for label in wanted)
                result[key] = result.get(key, 0) + value
        return result

    def names(self):
        return {name for name, _ in self.values}


def ask(namespace, request, address=ADDRESS, port=PORT):
    """What comes back for these octets until the other side ends."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with namespace.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(30)
        connection.connect((address, port))
        connection.sendall(request)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer


def scrape(namespace, address=ADDRESS, port=PORT):
    answer = ask(namespace, b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", address, port)
    head, _, text = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n"), answer[:200]
    assert f"Content-Length: {len(text)}".encode() in head
    return Scrape(text.decode())
