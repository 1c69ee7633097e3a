"""Before the swap: what `redline switch check` says with a real Prometheus that scrapes prometheus-redis-exporter 1.45 and
Redline of the same Redis, is what the swap would do; and what it cannot use it names."""

import base64
import http.server
import json
import subprocess
import threading
import urllib.request

from harness import exporters, servers
from harness.check import Check
from harness.monitoring import Prometheus
from harness.paths import REDLINE, ROOT

TIMEOUT_SECONDS = 60
WAITS = True
PASSWORD = "switching-word"
PUBLISHED = ROOT / "Tests" / "bench" / "published" / "redis_exporter_mixin.yml"
SAME = """
groups:
- name: mine
  rules:
  - {record: 'job:redis_up:sum', expr: 'sum by (job) (redis_up)'}
  - {alert: RedisMissing, expr: 'job:redis_up:sum{job="redis"} < 1'}
  - {alert: Busy, expr: 'rate(redis_commands_processed_total{job="redis"}[1m]) > 1e9'}
"""
DIFFERS = """
groups:
- name: mine
  interval: 1s
  rules:
  - {alert: Runtime, expr: 'go_goroutines{job="redis"} > 0'}
  - {alert: Version, expr: 'redis_instance_info{role="master"} == 1'}
  - {alert: Node, expr: 'node_load1 > 5'}
"""
DASHBOARD = {"title": "Redis", "templating": {"list": [
    {"name": "instance", "type": "query", "query": "label_values(redis_up{job=\"redis\"}, instance)"}]}, "panels": [
        {"title": "Clients", "targets": [{"expr": 'sum(redis_connected_clients{instance=~"$instance"})'}]},
        {"title": "Keys", "targets": [{"expr": 'sum by (db) (redis_db_keys{instance=~"$instance"})'}]},
        {"title": "System", "targets": [{"expr": 'redis_total_system_memory_bytes{instance=~"$instance"}'}]}]}


def asked(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([str(REDLINE), "switch", "check", *arguments], capture_output=True, text=True, timeout=40)


def guarded(check: Check, prometheus: Prometheus) -> str:
    """The address of a door before Prometheus that wants a login."""
    good = {"Basic " + base64.b64encode(f"ops:{PASSWORD}".encode()).decode(), f"Bearer {PASSWORD}"}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, answer = 401, b"Unauthorized"
            if self.headers.get("Authorization") in good:
                request = urllib.request.Request(prometheus.url + self.path, body or None)
                with urllib.request.urlopen(request, timeout=10) as response:
                    status, answer = response.status, response.read()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_POST = do_GET

        def log_message(self, *_) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    check.closing.callback(server.server_close)
    check.closing.callback(server.shutdown)
    return f"http://127.0.0.1:{server.server_address[1]}"


def check_the_verdict_before_the_swap(check: Check) -> None:
    server = servers.RedisServer(check)
    theirs = exporters.peer(check, server.url, "--include-system-metrics")
    ours = exporters.redline(check, server.url, exporters.FRESH)
    pages = ("--exporter", f"http://127.0.0.1:{theirs.port}", "--redline", f"http://127.0.0.1:{ours.port}/metrics")
    scraped = "scrape_configs:\n" + "".join(
        f"- {{job_name: {job}, static_configs: [{{targets: ['127.0.0.1:{exporter.port}']}}]}}\n"
        for job, exporter in (("redis", theirs), ("redline", ours)))

    def prometheus(name: str, rules: str) -> Prometheus:
        file = check.file(f"{name}.rules.yml", rules)
        return Prometheus(check, f"global: {{scrape_interval: 500ms, evaluation_interval: 1s}}\nrule_files: ['{file}', '{PUBLISHED}']\n"
                          + scraped, name)

    good, bad = prometheus("same", SAME), prometheus("differs", DIFFERS)
    for one in (good, bad):
        check.until(lambda: one.value("count(count_over_time(redis_up[1m]) >= 3)") == 2, 20, "both exporters are scraped")

    # The published rules read the memory of the system, which this Redline was started without.
    lost = asked("--prometheus", good.url, *pages)
    check.equal(lost.returncode, 1, f"the exit status ({lost.stdout}{lost.stderr})")
    check.that("lost     alert RedisOutOfMemory (redis): redis_total_system_memory_bytes" in lost.stdout, lost.stdout)
    check.that("with --include-system-metrics only" in " ".join(lost.stdout.split()), lost.stdout)
    check.that(max(map(len, lost.stdout.splitlines())) <= 80, "lines fit a terminal")
    # Prometheus goes on scraping the first.
    again = exporters.redline(check, server.url, exporters.FRESH, "--include-system-metrics")
    pages = (*pages[:2], "--redline", f"http://127.0.0.1:{again.port}")

    dashboard = check.file("redis.json", json.dumps(DASHBOARD))
    same = asked("--prometheus", good.url, *pages, "--dashboard", str(dashboard))
    check.equal(same.returncode, 0, f"the exit status where nothing is lost ({same.stdout}{same.stderr})")
    verdict = " ".join(same.stdout.split("Switch: ")[1].split())
    check.that(verdict.startswith("nothing is lost: ") and "1 dashboard; 0 rules change their verdict" in verdict, same.stdout)
    check.that("job=\"redis\"" in same.stdout, "the labels are named that must stay")

    # For longer than what counts as two scrapes at different moments.
    check.until(lambda: (bad.value('count_over_time(redis_up{job="redline"}[1m])') or 0) >= 10, 20, "both have a past")
    differs = asked("--prometheus", bad.url, *pages, "--format", "json")
    check.equal(differs.returncode, 1, f"the exit status where something is lost ({differs.stdout}{differs.stderr})")
    items = {(item["grade"], item["name"]) for item in json.loads(differs.stdout)["items"]}
    check.that({("lost", "Runtime"), ("changed", "Runtime"), ("differs", "Version")} <= items, f"items: {items}")
    check.that(not any(name == "Node" for _, name in items), "rules of others are left alone")
    # What Prometheus itself says of the Redline that it scrapes is as good as its page.
    alone = asked("--prometheus", bad.url)
    check.that(alone.returncode == 1 and "Runtime" in alone.stdout, alone.stdout + alone.stderr)

    secured, password = guarded(check, good), check.file("password", PASSWORD)
    for login in (("--prometheus-user", "ops", "--prometheus-password-file", str(password)),
                  ("--prometheus-token-file", str(password))):
        entered = asked("--prometheus", secured, *pages, *login, "--days", "0")
        check.equal(entered.returncode, 0, f"with {login} ({entered.stdout}{entered.stderr})")
    broken = check.file("broken.json", '{"panels": [')
    for arguments, status, words in (
            (("--prometheus", secured), 3, "refuses the login"),
            (("--prometheus", f"http://127.0.0.1:{check.free_port()}"), 3, "gives no answer"),
            (("--prometheus", f"http://127.0.0.1:{theirs.port}"), 3, "is it the address of a Prometheus?"),
            (("--prometheus", good.url, "--exporter", good.url), 3, "no redis_exporter"),
            (("--prometheus", good.url, "--exporter", f"http://127.0.0.1:{again.port}"), 3, "is a Redline's"),
            (("--prometheus", good.url, "--redline", f"http://127.0.0.1:{theirs.port}"), 3, "no Redline's"),
            (("--prometheus", good.url, "--exporter", f"http://127.0.0.1:{theirs.port}/scrape?target=redis://127.0.0.1:1"), 3,
             "shows no server"),
            (("--prometheus", good.url, "--dashboard", str(broken)), 2, "is no JSON"),
            (("--prometheus", "http://me:pw@127.0.0.1"), 2, "--prometheus-user"),
            ((), 64, "--prometheus")):
        told = asked(*arguments)
        check.equal(told.returncode, status, f"{arguments} exits ({told.stdout}{told.stderr})")
        check.that(words in told.stderr, f"{arguments} says: {told.stderr}")
    for told in (entered, same, differs):
        check.that(PASSWORD not in told.stdout + told.stderr, "the password is nowhere")
