"""Names without an answer: neither those that clients of /scrape name nor those of a fleet keep others from being found."""

import concurrent.futures
import signal
import time

from harness.captured import Captured, watching
from harness.check import Check
from harness.exporters import Exporter
from harness.preload import names_that_hang

TIMEOUT_SECONDS = 90
WAITS = True


def is_up(exporter: Exporter, workload: str, seed: str) -> bool:
    return exporter.page().value("redis_up", workload=workload, instance=seed) == 1


def named(name: str, seed: str) -> str:
    return f'  - {{name: {name}, kind: queue, topology: static, seeds: ["{seed}"], poll_interval: 500ms}}'


def flood(check: Check, exporter: Exporter, count: int) -> None:
    def scrape(number: int) -> int:
        return exporter.get(f"/scrape?target=n{number}.slow:1").status

    with concurrent.futures.ThreadPoolExecutor(60) as pool:
        check.equal(set(pool.map(scrape, range(count))), {200}, "the answers for names that hang")


def added(check: Check, exporter: Exporter, port: int) -> None:
    """One more member is found at once; its name is new."""
    config = check.folder / "redline.yml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("workloads:\n", f"workloads:\n{named('v', f'new.test:{port}')}\n"), encoding="utf-8")
    check.equal(exporter.get("/-/reload", method="POST").status, 200, "the reload")
    check.until(lambda: is_up(exporter, "v", f"new.test:{port}"), 6, "a new name is found beside those that hang")


def check_names_of_clients_do_not_starve_the_fleet(check: Check) -> None:
    names, server = names_that_hang(check), Captured(check)
    exporter = watching(check, named("w", f"good.test:{server.port}"), environment=names)
    check.until(lambda: is_up(exporter, "w", f"good.test:{server.port}"), 10, "the fleet is up")
    flood(check, exporter, 120)
    page = exporter.page("/scrape?target=more.slow:1")
    check.equal(page.value("redis_exporter_last_scrape_error", err="dns"), 1, "the class of a name that was not looked up")
    added(check, exporter, server.port)
    exporter.signal(signal.SIGTERM)
    check.equal(exporter.wait(5), 0, "the end, while look-ups hang")


def check_names_of_the_fleet_do_not_starve_others(check: Check) -> None:
    """Sixteen names that hang, on eight threads: once that is known, they leave half of them to the others."""
    names, server = names_that_hang(check), Captured(check)
    began = time.monotonic()
    hanging = "\n".join(named(f"h{number}", f"h{number}.slow:1") for number in range(16))
    exporter = watching(check, hanging + "\n" + named("w", f"good.test:{server.port}"), environment=names)
    check.until(lambda: is_up(exporter, "w", f"good.test:{server.port}"), 40, "the one that has an address is found")
    # Two rounds of ten seconds for eight threads; nothing outside shows when they are over.
    time.sleep(max(0, began + 25 - time.monotonic()))
    added(check, exporter, server.port)
