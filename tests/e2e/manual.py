"""What the man page tells people to write, word for word."""

import re

from relay import ROOT


def display(words):
    """The one display of the man page, lines that are not filled, with these words in it."""
    page = (ROOT / "man/dhcp-relay.8").read_text(encoding="ascii")
    found, = [each for each in re.findall(r"^\.Bd -literal.*\n((?:.*\n)*?)\.Ed$", page, re.M) if words in each]
    return found
