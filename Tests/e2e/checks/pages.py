"""The pages about alerts, nodes, events and runbooks: in a browser of several sizes, and of a live fleet."""

import html
import http.server as http_server
import json
import pathlib
import re
import signal
import threading
import urllib.parse

from harness import exporters, http, servers
from harness.browser import Browser
from harness.fake_alertmanager import FakeAlertmanager
from harness.check import Check
from harness.lab import Lab
from harness.paths import ROOT

TIMEOUT_SECONDS = 240

GOLDENS = ROOT / "Tests" / "WebTests" / "Goldens"
SCRIPT = "/redline.js"
ICON = b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1 1'/>"
SIZES = {"phone": (360, 740), "desktop": (1280, 900)}
# A page of one screen or some; what people wait for on a bad line.
PAGE_LIMIT_BYTES = 50_000

# Elements that stick out of the window, but for those in a box that scrolls by itself.
STICKING_OUT = """
(() => {
  const scrolls = e => { for (let p = e.parentElement; p; p = p.parentElement)
    if (/auto|scroll/.test(getComputedStyle(p).overflowX) && p !== document.documentElement) return true; return false; };
  return [...document.body.querySelectorAll('*')].filter(e => !e.classList.contains('skip')
    && e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e)).map(e => e.outerHTML.slice(0, 120));
})()
"""
# Foreground against ground of every element with text of its own; large text may have less contrast.
PALE = """
(() => {
  const parts = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((s, v, i) => s + v * [.2126, .7152, .0722][i], 0);
  const ground = e => { for (; e; e = e.parentElement) { const c = parts(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c; } return [255, 255, 255]; };
  return [...document.body.querySelectorAll('*')].filter(e => e.offsetParent && !e.closest('.skip')
    && [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())).map(e => {
      const [a, b] = [light(parts(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
      return [(a + .05) / (b + .05), e.outerHTML.slice(0, 100)]; }).filter(([r]) => r < 4.5);
})()
"""
HEADINGS = "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => Number(h.tagName[1]))"


def whole(path: pathlib.Path) -> bytes:
    """A golden page as it is sent: the rules that all share are a file of their own."""
    return path.read_bytes().replace(b"/* style.css */", (GOLDENS / "style.css").read_bytes())


class Handler(http_server.BaseHTTPRequestHandler):
    """Serves the golden pages under the policy that the daemon sends."""

    def do_GET(self):  # noqa: N802
        if self.path == SCRIPT or self.path.startswith("/icon/"):
            return self.send("text/javascript" if self.path == SCRIPT else "image/svg+xml",
                             (GOLDENS / "redline.js").read_bytes() if self.path == SCRIPT else ICON)
        path = GOLDENS / f"{self.path.strip('/')}.html"
        found = path.is_file() and path.parent == GOLDENS
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Security-Policy", "default-src 'none'; style-src 'nonce-NONCE'; script-src 'self'; "
                         "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
        self.end_headers()
        self.wfile.write(whole(path) if found else b"not found")

    def send(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def serve(check: Check) -> int:
    server = http_server.ThreadingHTTPServer(("127.0.0.1", check.free_port()), Handler)
    check.closing.callback(server.server_close)
    check.closing.callback(server.shutdown)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def look(check: Check, browser: Browser, name: str, url: str) -> None:
    """The page fits, can be read, loads nothing else and has nothing to complain of, in each size and scheme."""
    for size, (width, height) in SIZES.items():
        for dark in (False, True):
            about = f"{name} on a {size}, {'dark' if dark else 'light'}"
            browser.open(url, width, height, dark)
            browser.value("document.querySelectorAll('details').forEach(d => d.open = true)")
            check.equal(browser.value("document.documentElement.scrollWidth"), width, f"{about}: width")
            check.equal(browser.value(STICKING_OUT), [], f"{about}: what sticks out")
            check.equal(browser.value(PALE), [], f"{about}: what is too pale")
            check.equal(browser.value("getComputedStyle(document.querySelector('main')).maxWidth !== 'none'"), True,
                        f"{about}: the page's own styles count")
            # A browser asks for the icon of a site by itself.
            asked = {urllib.parse.urlsplit(each) for each in browser.requests()}
            check.equal({each.netloc for each in asked}, {urllib.parse.urlsplit(url).netloc}, f"{about}: who is asked")
            paths = {each.path for each in asked if each.path != "/favicon.ico" and not each.path.startswith("/icon/")}
            check.equal(paths, {urllib.parse.urlsplit(url).path, SCRIPT}, f"{about}: what is loaded")
            check.equal(browser.complaints(), [], f"{about}: the console")
            browser.picture(check.folder / f"{name}-{size}-{'dark' if dark else 'light'}.png", whole=True)
    levels = browser.value(HEADINGS)
    check.equal(levels[:1], [1], f"{name}: the first heading")
    check.equal(levels.count(1), 1, f"{name}: headings of the first level")
    check.that(all(after <= before + 1 for before, after in zip(levels, levels[1:])), f"{name}: headings {levels}")
    browser.key("Tab", 9)
    check.equal(browser.value("document.activeElement.className"), "skip", f"{name}: the first Tab leads to the content")
    check.equal(browser.value("document.querySelectorAll('main, header, nav[aria-label]').length >= 3"), True,
                f"{name}: landmarks")


def check_every_page_in_a_browser(check: Check) -> None:
    browser = Browser(check)
    port = serve(check)
    names = sorted(path.stem for path in GOLDENS.glob("*.html"))
    check.equal(names, ["alerts", "audit", "checks", "events", "evidence", "evidence-list", "graph", "keys", "keys-first",
                        "keys-large", "keys-off", "keys-patterns", "node", "notifications",
                        "rules", "runbook", "start", "workload"], "the golden pages")
    for name in names:
        look(check, browser, name, f"http://127.0.0.1:{port}/{name}")
        check.that(len(whole(GOLDENS / f"{name}.html")) < PAGE_LIMIT_BYTES, f"{name} is small")


def check_runbooks_on_paper(check: Check) -> None:
    browser = Browser(check)
    browser.open(f"http://127.0.0.1:{serve(check)}/runbook", width=794, media="print", dark=True)
    colours = browser.value("[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]")
    check.equal(colours, ["rgb(0, 0, 0)", "rgb(255, 255, 255)"], "black on white, though the screen is dark")
    check.equal(browser.value("getComputedStyle(document.querySelector('.site')).display"), "none", "no navigation")
    check.equal(browser.value("getComputedStyle(document.querySelector('pre')).whiteSpaceCollapse"), "preserve",
                "code keeps its spaces")
    check.equal(browser.value("[...document.querySelectorAll('pre')].filter(p => p.scrollWidth > p.clientWidth).length"),
                0, "code that would run off the paper")
    browser.picture(check.folder / "runbook-print.png", whole=True)


def check_a_live_fleet(check: Check) -> None:
    """The same pages, filled by the daemon: nodes and a failover of the lab."""
    lab = Lab(check)
    lab.up()
    exporter = exporters.redline(check, None, f"--config.file={lab.does('config').strip()}",
                                 f"--storage.path={check.folder / 'state' / 'redline.db'}")
    check.until(lambda: "up</span>" in exporter.get("/node/sessions-1").text, 30, "the node page tells the state")
    check.until(lambda: "<td>maxmemory</td>" in exporter.get("/node/sessions-1").text, 30, "the configuration is told")
    page = exporter.get("/node/sessions-1").text
    check.that('<span>master</span> of <a href="/workload/sessions">sessions</a>' in page, "role, workload")
    check.that(re.search(r"<dt>Version</dt><dd>(Redis|Valkey) \d+\.\d+\.\d+</dd>", page), f"the version: {page[-3000:]}")
    check.that("<h3>Memory <b" in page and "<h3>Commands <b" in page, f"memory is told: {page[-4000:]}")
    check.until(lambda: 'follows <a href="/node/sessions-1">sessions-1</a>' in exporter.get("/node/sessions-2").text, 30,
                "a replica leads to its master")
    sentinels = re.findall(r'href="(/node/127[^"]*)"', exporter.get("/").text)
    check.until(lambda: "<h2>Masters that it watches" in exporter.get(sentinels[0]).text, 30, "a Sentinel tells its masters")
    sentinel = exporter.get(sentinels[0]).text
    check.that("<td>sessions</td>" in sentinel and "3, all ok" in sentinel and "Other Sentinels of sessions" in sentinel,
               f"its peers: {sentinel[-2500:]}")
    check.that(lab.password() not in page, "no password is on the page")

    check.until(lambda: "Lag behind the master" in exporter.get("/node/sessions-2").text, 30, "a look has seen the master")
    lab.does("kill", "sessions-1")
    check.until(lambda: "<b>failover</b>" in exporter.get("/events?workload=sessions").text, 60, "the failover is told")
    check.until(lambda: "<li>switch " in exporter.get("/events?workload=sessions").text, 60, "its phases are told")
    check.until(lambda: 'scope="col">after</th>' in exporter.get("/events?kind=failover").text, 60, "clients are told")
    check.until(lambda: "From the last answer of the old master" in exporter.get("/events?kind=failover").text, 60, "its cost is told")
    events = exporter.get("/events?workload=sessions&kind=failover").text
    check.that("<svg class=\"phases\"" in events and "From the last answer of the old master" in events,
               f"the phases are drawn: {events[-4000:]}")
    check.that("<b>failover</b>" not in exporter.get("/events?workload=cache").text, "others have no failover")
    check.equal(exporter.get("/events?kind=nonsense").status, 404, "a kind that there is not")

    for path in ("/alerts", "/rules", "/events", "/checks", "/audit", "/runbooks", "/runbooks/all", "/node/sessions-1", "/workload/sessions",
                 "/keys/sessions", "/keys/cache", "/"):
        answer = exporter.get(path)
        check.equal(answer.status, 200, path)
        policy = answer.headers["content-security-policy"]
        check.that(policy.startswith("default-src 'none'; style-src 'nonce-"), f"{path}: {policy}")
        own = answer.text.replace(f'<script src="{SCRIPT}" defer></script>', "")
        check.that("<script" not in own and "src=" not in own, f"{path} loads nothing else")
        check.that(len(answer.text.encode()) < PAGE_LIMIT_BYTES, f"{path} is small: {len(answer.text)}")
    for path in ("/runbooks/nobody", "/runbooks/..%2f..%2fetc%2fpasswd", "/runbooks/%2e%2e/passwd", "/node/nobody",
                 "/node/", "/runbooks/", "/workload/", "/workload/nobody", "/workload/sessions/x", "/keys/",
                 "/keys/nobody", "/keys/sessions/x"):
        check.equal(exporter.get(path).status, 404, path)

    browser = Browser(check)
    for name, path in (("live-start", "/"), ("live-workload", "/workload/sessions?range=15m"),
                       ("live-node", "/node/sessions-2"), ("live-events", "/events"), ("live-alerts", "/alerts")):
        look(check, browser, name, f"http://127.0.0.1:{exporter.port}{path}")


def check_no_link_of_an_alert_is_dead(check: Check) -> None:
    """Runbook and expression of every alert, the daemon's own among them, and every link of the pages that show one."""
    fake, outside = FakeAlertmanager(check), "https://redline.example.org/b"
    own = check.file("own.yml", (
        "groups: [{name: own, rules: [{alert: Own, expr: 'redis_up == 0 or vector(7)', labels: {severity: critical, "
        "workload: one, instance: elsewhere}, annotations: {runbook_url: 'http://redline:9121/runbooks/RedisDown'}}]}]\n"))
    path = check.file("redline.yml", (
        "workloads: [{name: one, kind: custom, topology: static, seeds: ['127.0.0.1:1']}]\n"
        f"rules: {{files: ['{ROOT}/alerts/*.yml', {own}], interval: 1s, scrape_interval: 1s, "
        f"external_url: '{outside}/'}}\nalerting: {{alertmanagers: [{{url: '{fake.url}'}}]}}\n"))
    exporter = exporters.redline(check, None, f"--config.file={path}")

    def follow(url: str) -> http.Response:
        check.that(url.startswith(f"{outside}/"), f"{url} leads to where the daemon is")
        return exporter.get(url.removeprefix(outside))

    check.until(lambda: {"Own", "RedlineWatchdog"} <= {alert["labels"]["alertname"] for post in fake.posts
                                                       for alert in json.loads(post)}, 20, "alerts are sent")
    for alert in {alert["labels"]["alertname"]: alert for post in fake.posts for alert in json.loads(post)}.values():
        name = alert["labels"]["alertname"]
        check.equal(follow(alert["annotations"]["runbook_url"]).status, 200, f"the runbook of {name}")
        page = follow(alert["generatorURL"])
        check.that(page.status == 200 and f"<b>{name}</b>" in page.text, f"the expression of {name} leads to its rule")
        check.that("<td>" in page.text, f"{name} is shown with its value: {page.text[-1500:]}")
    rules = [rule for group in json.loads(exporter.get("/api/v1/rules").text)["data"]["groups"] for rule in group["rules"]]
    check.that(len([rule for rule in rules if rule["type"] == "alerting"]) > 45, "the shipped alerts")
    for rule in rules:
        page = exporter.get("/graph?" + urllib.parse.urlencode({"g0.expr": rule["query"], "g0.tab": "1"}))
        check.that(page.status == 200 and f"<b>{rule['name']}</b>" in page.text and "class=\"bad\"" not in page.text,
                   f"the expression of {rule['name']}")
        if rule["type"] == "alerting":
            check.equal(follow(rule["annotations"]["runbook_url"]).status, 200, f"the runbook of {rule['name']}")
    for path in ("/", "/alerts", "/alerts?state=broken", "/rules", "/node/127.0.0.1:1", "/workload/one", "/notifications",
                 "/graph?g0.expr=up%3C%3E%22"):
        page = exporter.get(path)
        check.equal(page.status, 200, path)
        links = {html.unescape(link).partition("#")[0] for link in re.findall(r'href="(/[^"]*)"', page.text)}
        check.none([link for link in links if exporter.get(link).status != 200], f"dead links of {path}")


def check_a_server_named_by_flags(check: Check) -> None:
    """It has a page as well, with what a poll tells at that moment."""
    server = servers.RedisServer(check, "maxmemory 100mb")
    exporter = exporters.redline(check, server.url)
    path = f"/node/127.0.0.1%3A{server.port}"
    check.that(f'<a href="{path}">' in exporter.get("/").text, "the start page leads there")
    page = exporter.get(path)
    check.equal(page.status, 200, "the page is there")
    for part in ("up</span>", "<span>master</span>", "<h3>Memory <b", "% of maxmemory", "<h3>Commands <b", "<h3>Clients <b",
                 "<h2>Slow log</h2>", "<td>maxmemory-policy</td>", "No history is kept"):
        check.that(part in page.text, f"{part}: {page.text[-3000:]}")
    look(check, Browser(check), "target", f"http://127.0.0.1:{exporter.port}{path}")
    server.process.signal(signal.SIGKILL)
    server.process.wait(5)
    check.until(lambda: "connect</span>" in exporter.get(path).text, 10, "its loss is told")
    check.equal(exporter.get("/node/nobody").status, 404, "there is no other")
