"""The start page of a fleet: what a person sees of the lab, whole and broken."""

import re
import shutil
import subprocess

from harness import exporters
from harness.check import Check, Skipped
from harness.lab import Lab
from harness.start_page import sentence, states

TIMEOUT_SECONDS = 180


def watch(check: Check, lab: Lab) -> exporters.Exporter:
    return exporters.redline(check, None, f"--config.file={lab.does('config').strip()}")


def row(exporter: exporters.Exporter, node: str) -> str:
    match = re.search(rf'<tr><td><a href="/node/{node}">{node}</a></td>.*?</tr>', exporter.get("/").text)
    return match.group() if match else ""


def check_the_lab_and_a_failover(check: Check) -> None:
    lab = Lab(check)
    lab.up()
    exporter = watch(check, lab)
    everybody = {"cache": "healthy", "queues": "healthy", "sessions": "healthy"}
    check.until(lambda: states(exporter) == everybody, 30, f"all workloads are healthy: {states(exporter)}")
    check.equal(sentence(exporter), "All 3 workloads are healthy.", "the sentence")
    page = exporter.get("/").text
    check.equal(page.count('<td class="role">master</td>'), 5, "masters on the page")
    check.equal(page.count('<td class="role">replica</td>'), 7, "replicas on the page")
    check.equal(page.count('<td class="role">sentinel</td>'), 3, "Sentinels on the page")
    check.that("Shard 3: slots" in page and "6 of 6 up" in page, "shards and members are told")
    own = page.replace('<script src="/redline.js" defer></script>', "")
    check.that("<script" not in own and "src=" not in own and "://" not in own, "nothing else is loaded")
    check.that(lab.password() not in page, "no password is on the page")

    lab.does("kill", "sessions-1")
    check.until(lambda: "<td class=\"state bad\">" in row(exporter, "sessions-1"), 20,
                f"the killed master is down: {row(exporter, 'sessions-1')}")
    check.until(lambda: "1 failover, the last" in exporter.get("/").text, 40, "the failover is told")
    page = exporter.get("/").text
    check.that("automatic failover of sessions from sessions-1" in page, "who took over is told")
    check.that("was master" in row(exporter, "sessions-1"), f"what was is told as such: {row(exporter, 'sessions-1')}")
    check.until(lambda: states(exporter)["sessions"] == "degraded", 20, f"the state: {states(exporter)}")
    check.equal(states(exporter)["queues"], "healthy", "the others are as they were")
    check.equal(list(states(exporter))[0], "sessions", "the worst comes first")
    check.that(sentence(exporter).startswith("sessions is degraded for "), f"the sentence: {sentence(exporter)}")
    check.that("sessions-1 is down" in exporter.get("/").text, "the finding names the node")


def check_in_a_browser(check: Check) -> None:
    """Chromium draws the page, loads nothing else and finds nothing to complain of."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        raise Skipped("chromium is not installed")
    path = check.file("redline.yml", "workloads:\n- {name: one, kind: custom, topology: static, "
                      "seeds: ['127.0.0.1:1']}\n")
    exporter = exporters.redline(check, None, f"--config.file={path}")
    for name, width in (("desktop", 1280), ("phone", 390)):
        picture = check.folder / f"{name}.png"
        told = subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
             f"--user-data-dir={check.folder / 'chromium'}", f"--window-size={width},900", f"--screenshot={picture}",
             f"http://127.0.0.1:{exporter.port}/"], capture_output=True, text=True, timeout=90)
        check.that(picture.exists() and picture.stat().st_size > 5000, f"{name}: a picture: {told.stderr[-800:]}")
        check.that("CONSOLE" not in told.stderr, f"{name}: the console is silent: {told.stderr[-800:]}")
