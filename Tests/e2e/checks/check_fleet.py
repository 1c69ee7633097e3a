"""What the checks of a fleet say: as metrics and in one command, of the same real servers."""

import json
import signal
import subprocess

from harness.captured import static, watching
from harness.check import Check
from harness.paths import REDLINE
from harness.servers import RedisServer

TIMEOUT_SECONDS = 90


def workload(server: RedisServer) -> str:
    return static("carts", server, kind="custom", more=", objectives: {memory_used: 0.5}")


def set_memory(server: RedisServer, limit: str) -> None:
    with server.client() as client:
        client("CONFIG", "SET", "maxmemory", limit)


def asked(check: Check, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    file = check.file("fleet.yml", f"workloads:\n{text}\n")
    return subprocess.run([REDLINE, "check", "fleet", file, *words], capture_output=True, text=True, timeout=40)


def check_states_follow_the_servers(check: Check) -> None:
    server = RedisServer(check)
    set_memory(server, "100mb")
    exporter = watching(check, workload(server))

    def state() -> list[str]:
        return [name for name in ("healthy", "degraded", "critical", "unknown")
                if exporter.page().value("redis_workload_state", workload="carts", state=name) == 1]

    check.until(lambda: state() == ["healthy"], 15, "the workload is healthy")
    set_memory(server, "1mb")
    check.until(lambda: state() == ["degraded"], 15, "the workload is degraded by too little memory")
    page = exporter.page()
    check.equal(page.value("redis_finding", workload="carts", check="memory-high",
                           instance=f"127.0.0.1:{server.port}"), 2, "the finding is a warning")
    check.that((page.value("redis_workload_findings", workload="carts", severity="warning") or 0) >= 1, "it is counted")
    server.process.signal(signal.SIGKILL)
    check.until(lambda: state() == ["critical"], 20, "without its server the workload is critical")
    check.that("No member answers" in exporter.get("/").text, "the page says why")


def check_one_command_says_the_same(check: Check) -> None:
    server = RedisServer(check)
    set_memory(server, "100mb")
    fine = asked(check, workload(server))
    check.equal(fine.returncode, 0, f"the exit of a healthy fleet ({fine.stdout}{fine.stderr})")
    set_memory(server, "1mb")
    poor = asked(check, workload(server))
    check.equal(poor.returncode, 1, f"the exit with a warning ({poor.stdout}{poor.stderr})")
    check.that("[memory-high]" in poor.stdout, f"the check is named: {poor.stdout}")
    check.equal(asked(check, workload(server), "--fail-on", "critical").returncode, 0, "a warning may be let pass")
    results = json.loads(asked(check, workload(server), "--format", "json").stdout)
    check.that("memory-high" in json.dumps(results), "JSON names it, too")
    server.process.signal(signal.SIGKILL)
    server.process.wait(10)
    check.equal(asked(check, workload(server)).returncode, 1, "the exit of a fleet that does not answer")
    check.equal(asked(check, "  - {name: carts, kind: wrong}").returncode, 2, "the exit with a bad file")
