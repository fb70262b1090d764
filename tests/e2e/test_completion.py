"""The bash completion: what it offers is what --help says, interfaces are those of the host."""

import re
import subprocess

import pytest

import relay

COMPLETION = relay.ROOT / "relay/packaging/dhcp-relay.bash-completion"


def offers(*words, name="dhcp-relay", folder=None, inside=None):
    """What bash offers for the last of these words, behind the program's name; COMP_WORDBREAKS parts words at '='."""
    script = f'''
        source "$1"; shift
        {name}() {{ "$RELAY" "$@"; }}
        COMP_WORDS=({name} "$@"); COMP_CWORD=$#
        _dhcp_relay {name}
        printf '%s\\n' "${{COMPREPLY[@]}}"'''
    command = ["env", f"RELAY={relay.BINARY}", "bash", "-c", script, "bash", str(COMPLETION), *words]
    done = subprocess.run(inside.command(command) if inside else command, check=True, capture_output=True, text=True,
                          cwd=folder)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.fixture(scope="module")
def flags():
    """Each flag of --help, its words and what it calls its value."""
    text = subprocess.run([relay.BINARY, "--help"], check=True, capture_output=True, text=True).stdout
    return re.findall(r"^  (?:(-\w+), +| +)(--[\w-]+)(?: (\S+))?", text, re.M)


def test_offers_every_flag(flags):
    words = {word for short, name, _ in flags for word in (short, name) if word}
    assert len(words) > 50
    assert set(offers("-")) == words
    assert set(offers("--re")) == {word for word in words if word.startswith("--re")}
    assert offers("--giaddr-p", name="dhcrelay") == ["--giaddr-policy"]


def test_offers_the_choices_of_each_flag_that_has_some(flags):
    tried = 0
    for short, name, value in flags:
        choices = [choice for choice in value.removeprefix("[IF=]").split("|") if choice.islower()]
        if "|" in value:
            tried += 1
            assert offers(name, "") == choices
            assert offers(name, "=", "") == choices
            assert offers(name, "=") == choices
            if short:
                assert offers(short, "") == choices
    assert tried >= 6


def test_offers_the_interfaces_of_the_host(new_network):
    place = new_network().namespace("router")
    place.ip("link add d1 type bridge", "link add d2 type bridge")
    for flag in ("-i", "-id", "-iu", "-l", "-u", "--downstream", "--trust", "-U"):
        assert offers(flag, "d", inside=place) == ["d1", "d2"]
        assert offers("-a", flag, "", inside=place) == ["d1", "d2", "lo"]


def test_offers_files_where_the_value_is_one(tmp_path):
    (tmp_path / "one.pcapng").touch()
    (tmp_path / "two").mkdir()
    assert sorted(offers("--capture", "", folder=tmp_path)) == ["one.pcapng", "two"]
    assert offers("--replay", "on", folder=tmp_path) == ["one.pcapng"]


def test_offers_nothing_that_it_does_not_know():
    for words in (["-p", ""], ["-c", ""], ["--giaddr", ""], ["--unknown", ""], [""]):
        assert offers(*words) == []
