"""A Redline that was built with a sanitizer, at work on the lab: under load, with faults, reloads and an orderly end.

    server.py --binary FILE --log FILE [--minutes N]

Exits 1 when a sanitizer reports something, when the server ends by itself or badly, or when it does not answer.
"""

import argparse
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "Tests" / "bench"), str(ROOT / "Tests" / "e2e")]
sys.dont_write_bytecode = True

from harness.check import Check, Ended, Failed  # noqa: E402
from harness.paths import tool  # noqa: E402
from measure import progress  # noqa: E402
from soak import Clients, Site, Soak  # noqa: E402

RELOAD_SECONDS = 20
# A sanitizer makes it several times slower, its answers too.
END_SECONDS = 60


def load(port: int, seconds: float) -> subprocess.Popen:
    """Scrapes one after the other on many connections."""
    return subprocess.Popen(
        [tool("wrk"), "--threads=1", "--connections=16", f"--duration={seconds:.0f}s", "--timeout=20s",
         f"http://127.0.0.1:{port}/metrics"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)


def complaints(check: Check, program: str, minutes: float, log: pathlib.Path) -> list[str]:
    site = Site(check, program)
    found = []
    try:
        clients = Clients(site.redline.port)
        soak = Soak(site, minutes)
        scraper = load(site.redline.port, minutes * 60)
        ends = threading.Event()

        def reload() -> None:
            while not ends.wait(RELOAD_SECONDS):
                site.redline.signal(signal.SIGHUP)

        reloads = threading.Thread(target=reload, daemon=True)
        reloads.start()
        soak.run()
        ends.set()
        reloads.join()
        clients.stop()
        told = scraper.communicate(timeout=60)[0]
        requests = int(re.search(r"(\d+) requests in", told)[1])
        progress(f"{requests} scrapes under load, {clients.asked} other requests, {len(soak.windows)} faults")
        if requests == 0:
            found.append("no scrape was answered under load")
        found += clients.complaints + soak.failed
        site.redline.signal(signal.SIGTERM)
        code = site.redline.wait(END_SECONDS)
        if code != 0:
            found.append(f"it ended with {code}")
    except (Ended, Failed, OSError) as error:
        found.append(str(error))
    finally:
        text = site.redline.output()
        log.write_text(text, encoding="utf-8")
    reports = re.findall(r"^.*(?:WARNING|ERROR): \w*Sanitizer.*$|^SUMMARY: .*$", text, re.MULTILINE)
    return reports + found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--log", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=3)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="redline-sanitize."))
    check = Check(folder)
    try:
        with check.closing:
            began = time.monotonic()
            found = complaints(check, options.binary, options.minutes, options.log)
            progress(f"{time.monotonic() - began:.0f} s")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("\n".join(found[:60]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
