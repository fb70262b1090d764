"""The dashboard and the alert rules of relay/packaging: they name metrics that there are, promtool can read them, and a
real Prometheus that has read a relay has something to show for each panel."""

import json
import re
import subprocess
import urllib.parse

import pytest

from metrics import ADDRESS, FLAGS, PORT, ask
from relay import ROOT
from scene import stream
from wait import wait_until

_DASHBOARD = ROOT / "relay/packaging/grafana-dashboard.json"
_ALERTS = ROOT / "relay/packaging/prometheus-alerts.yml"
_PROMETHEUS_PORT = 9090
# What a relay that relays has no values of.
_EMPTY = ["_dropped_total"]


def metrics():
    """Every name that the relay can show, with those that a histogram stands for."""
    source = (ROOT / "relay/metrics/metrics_text.cpp").read_text(encoding="ascii")
    names = set(re.findall(r'"((?:dhcp_relay|process)_\w+)"', source))
    return names | {name + suffix for name in names for suffix in ("_bucket", "_sum", "_count")}


def expressions():
    """Those of the dashboard by panel, with Grafana's variables filled in."""
    panels = json.loads(_DASHBOARD.read_text(encoding="ascii"))["panels"]
    filled = {"$__rate_interval": "1m", "$instance": ".*", "$interface": ".*", "$family": ".*"}
    for panel in panels:
        for target in panel["targets"]:
            expression = target["expr"]
            for variable, value in filled.items():
                expression = expression.replace(variable, value)
            assert "$" not in expression
            yield panel["title"], expression


def names_in(text):
    return set(re.findall(r"\b(?:dhcp_relay|process)_\w+", text))


def test_they_name_metrics_that_there_are():
    for text in [*(expression for _, expression in expressions()), _ALERTS.read_text(encoding="ascii")]:
        assert names_in(text) <= metrics()
    variables = json.loads(_DASHBOARD.read_text(encoding="ascii"))["templating"]["list"]
    assert names_in(json.dumps(variables)) <= metrics()


def test_the_dashboard_shows_every_metric():
    shown = names_in(" ".join(expression for _, expression in expressions()))
    shown |= {re.sub("_(bucket|sum|count)$", "", name) for name in shown}
    assert {name for name in metrics() if not re.search("_(bucket|sum|count)$", name)} <= shown


def promtool(*words):
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_alert_rules(need):
    """Each fires when it is to, with its words, and not else: tests/alerts.yml."""
    need("promtool")
    promtool("check", "rules", _ALERTS)
    promtool("test", "rules", ROOT / "tests/alerts.yml")
    tested = set(re.findall(r"alertname: (\w+)\n +exp_alerts", (ROOT / "tests/alerts.yml").read_text(encoding="ascii")))
    assert tested == set(re.findall(r"alert: (\w+)", _ALERTS.read_text(encoding="ascii")))


def test_expressions_of_the_dashboard_can_be_read(need, tmp_path):
    need("promtool")
    rules = tmp_path / "rules.yml"
    lines = [f"    - {{record: 'panel:{number}', expr: {json.dumps(expression)}}}"
             for number, (_, expression) in enumerate(expressions())]
    rules.write_text("groups:\n  - name: dashboard\n    rules:\n" + "\n".join(lines) + "\n", encoding="ascii")
    promtool("check", "rules", rules)


@pytest.fixture
def prometheus(scene6, tmp_path, stack):
    """A real one beside the relay, which reads it five times a second."""
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text(
        "global: {scrape_interval: 200ms, scrape_timeout: 200ms, evaluation_interval: 1s}\n"
        f"rule_files: ['{_ALERTS}']\n"
        f"scrape_configs: [{{job_name: dhcp-relay, static_configs: [{{targets: ['{ADDRESS}:{PORT}']}}]}}]\n",
        encoding="ascii")
    with open(tmp_path / "prometheus.log", "wb") as log:
        process = scene6.topology.router.spawn(
            ["prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={tmp_path}/data",
             f"--web.listen-address={ADDRESS}:{_PROMETHEUS_PORT}"], stdout=log, stderr=log)

    def stop():
        process.terminate()
        process.wait(30)
    stack.callback(stop)

    def query(expression):
        assert process.poll() is None, (tmp_path / "prometheus.log").read_text(errors="replace")[-2000:]
        path = "/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        try:
            answer = ask(scene6.topology.router, f"GET {path} HTTP/1.0\r\n\r\n".encode(), port=_PROMETHEUS_PORT)
        except ConnectionRefusedError:
            return []
        body = answer.partition(b"\r\n\r\n")[2]
        if not body.startswith(b"{"):
            return []  # it is starting
        told = json.loads(body)
        assert told["status"] == "success", told
        return told["data"]["result"]
    return query


def test_panels_show_what_a_relay_does(scene6, need, tmp_path, request):
    """Every panel has values, those alone not that speak of what went wrong; no alert fires. Both families at once."""
    need("prometheus")
    scene6.relay_both(*FLAGS, "--log-level", "info", "--log-prefixes", "--capture", str(tmp_path / "x.pcapng"))
    query = request.getfixturevalue("prometheus")

    def traffic():
        for server in (1, 2):
            scene6.send_reply(scene6.offer_for(), server)
            scene6.send_reply6(scene6.reply_for()[1], server)
        scene6.solicit()
        return scene6.discover().xid
    with stream(traffic, 0.05):
        for title, expression in expressions():
            if any(part in expression for part in _EMPTY):
                query(expression)
                continue
            wait_until(lambda each=expression: query(each), f"values of {title}: {expression}", timeout=60, pause=0.2)
    assert query('up{job="dhcp-relay"}')[0]["value"][1] == "1"
    assert query("ALERTS") == []  # none that waits for its time either
