"""The folder that the relay under test was built in, and what is installed from it."""

import subprocess
from pathlib import Path

import pytest

import relay

FOLDER = Path(relay.BINARY).resolve().parent


def need():
    """Skips the test where the relay is not in the folder it was built in."""
    if not (FOLDER / "CPackConfig.cmake").exists():
        pytest.skip("the relay is not in the folder it was built in: nothing can be installed from there")


def install(prefix):
    """`cmake --install`."""
    need()
    subprocess.run(["cmake", "--install", str(FOLDER), "--prefix", str(prefix)], check=True, capture_output=True)
    return prefix
