"""Passwords are shown nowhere, whatever a server repeats and whatever is written wrong in a file or flag."""

import re
import subprocess
import urllib.parse

from harness import servers
from harness.captured import Captured, static, watching
from harness.check import Check
from harness.evil import bulk
from harness.exporters import Exporter
from harness.paths import REDLINE

TIMEOUT_SECONDS = 60
# With characters that are written otherwise in URLs and in quotes.
SECRET = 'hunter2"secret/x y'
FORMS = [SECRET, urllib.parse.quote(SECRET, safe=""), urllib.parse.quote(SECRET, safe="").lower(),
         SECRET.replace('"', '\\"'), "hunter2"]
PAGES = ["/", "/metrics", "/events", "/alerts", "/sd", "/api/v1/targets", "/api/v1/status/config", "/api/v1/alerts",
         "/api/v1/labels", "/discover-cluster-nodes", "/-/healthy"]


def shows(text: str) -> list[str]:
    return [form for form in FORMS if form in text]


def is_nowhere(check: Check, exporter: Exporter, *nodes: str) -> None:
    for path in PAGES + [f"/node/{urllib.parse.quote(node, safe='')}" for node in nodes]:
        text = exporter.get(path).text
        check.equal(shows(text), [], f"{path} shows {[text[max(0, text.find(f) - 80):][:160] for f in shows(text)]}")
    log = exporter.output()
    check.equal(shows(log), [], f"the log shows it: {[line for line in log.splitlines() if shows(line)][:3]}")


def asked(check: Check, *words: str) -> subprocess.CompletedProcess:
    """A subcommand, whose output shows no secret."""
    result = subprocess.run([str(REDLINE), *words], capture_output=True, text=True, timeout=20, cwd=check.folder)
    output = result.stdout + result.stderr
    check.equal(shows(output), [], f"redline {words[0]} shows it: {output[-600:]}")
    return result


def login(more: str = "") -> str:
    return f", credentials: {{user: monitor, password: '{SECRET}'{more}}}"


def check_a_server_without_auth(check: Check) -> None:
    """A real Redis repeats the words of a command that it does not know, and AUTH is one."""
    server = servers.RedisServer(check, 'rename-command AUTH ""')
    workload = static("w", server, more=login())
    exporter = watching(check, workload, "--log-level=DEBUG")
    check.until(lambda: "AUTH was answered" in exporter.output(), 10, "the login fails")
    is_nowhere(check, exporter, f"127.0.0.1:{server.port}")
    check.that("does not know the command" in exporter.output(), "the log says why, in words of its own")
    result = asked(check, "check-access", str(check.folder / "redline.yml"))
    check.equal(result.returncode, 3, "the exit code of check-access")


class Echo(Captured):
    """Repeats the password of its login wherever it can say something."""

    def __init__(self, check: Check):
        said = {"redis_version": f"7.4.1 {SECRET}", "os": FORMS[1], "executable": f"/{SECRET}", "config_file": FORMS[3],
                "errorstat_ERR": "count=1", "run_id": SECRET.encode()}
        client = "id=1 addr=1.2.3.4:5 name=%s age=1 idle=0 flags=N db=0 cmd=get user=%s lib-name=%s resp=2\n"
        name = FORMS[1]
        super().__init__(check, said, {
            "CLIENT LIST": bulk((client % (name, name, name)).encode()),
            "LATENCY": f"-ERR no such thing as {SECRET}\r\n".encode(),
            "CONFIG": f"-ERR unknown command 'CONFIG', with args beginning with: '{FORMS[3]}'\r\n".encode(),
            "SLOWLOG": f"-{FORMS[1]} {SECRET[:12]}'\r\n".encode()})


def check_a_server_that_repeats_it(check: Check) -> None:
    server, cruel = Echo(check), Captured(check)
    cruel.answers["AUTH"] = lambda words: b"-ERR " + b" ".join(words) + b"\r\n"
    cruel.answers["INFO"] = b"-" + SECRET.encode() + b" is " + SECRET.encode() + b"\r\n"
    workloads = static("w", server, more=login()) + "\n" + static("v", cruel, more=login())
    exporter = watching(check, workloads, "--log-level=DEBUG", "--export-client-list", "--include-config-metrics")
    check.until(lambda: re.search(r"^redis_up.* 1$", exporter.get().text, re.M), 10, "the first answers")
    check.until(lambda: "AUTH was answered" in exporter.output(), 10, "the second refuses")
    check.until(lambda: server.counts.get("INFO", 0) > 4, 10, "a few polls")
    is_nowhere(check, exporter, f"127.0.0.1:{server.port}", f"127.0.0.1:{cruel.port}")
    check.that('redis_version="7.4.1 <secret>"' in exporter.get().text, "a label says that it hides it")
    asked(check, "check-access", str(check.folder / "redline.yml"))


FILES = [
    "workloads: [{name: w, kind: cache, seeds: ['redis://user:hunter2@h:99999']}]",
    "workloads: [{name: w, kind: cache, seeds: ['redis://user:pa:ss@hunter2@h:99999']}]",
    "workloads: [{name: w, kind: cache, seeds: ['redis://user:hunter2']}]",
    "workloads: [{name: w, kind: cache, seeds: ['user:hunter2:6379']}]",
    "workloads: [{name: w, kind: cache, seeds: ['hunter2://h']}]",
    "workloads: [{name: w, kind: cache, seeds: ['redis://:hunter2#x@h']}]",
    "workloads: [{name: w, kind: cache, seeds: ['redis://:x/hunter2@h']}]",
    "workloads: [{name: w, kind: cache, seeds: [h], aliases: {'redis://:hunter2@h:1': ''}}]",
    "workloads: [{name: w, kind: cache, seeds: [h], aliases: {'redis://:hunter2@h:1': a}}]",
    "workloads: [{name: w, kind: cache, seeds: [h], credentials: hunter2}]",
    "workloads: [{name: w, kind: cache, seeds: [h], credentials: [hunter2]}]",
    "workloads: [{name: w, kind: cache, seeds: [h], credentials: {hunter2}}]",
    "workloads: [{name: w, kind: cache, seeds: [h], credentials: {password: [hunter2]}}]",
    "workloads: [{name: w, kind: cache, seeds: [h], credentials: {password: {hunter2: x}}}]",
    "workloads: [{name: w, kind: cache, seeds: [h], credentials: {password: *hunter2}}]",
    "workloads: [{name: w, kind: cache, seeds: [h], credentials: {password: !hunter2 x}}]",
    "workloads: [{name: w, kind: cache, seeds: [h], credentials: {password: !hunter2}}]",
    "workloads: [{name: w, kind: cache, seeds: [h], credentials: {password: %hunter2}}]",
    "workloads: [{name: w, kind: cache, seeds: [h], credentials: {password: @hunter2}}]",
    "workloads: [{name: w, kind: cache, seeds: [h], credentials: {password: \"a\\hunter2\"}}]",
    "workloads: [{name: w, kind: cache, seeds: [h], credentials: {password: hunter2, hunter2: b}}]",
    "workloads:\n- name: w\n  kind: cache\n  seeds: [h]\n  credentials:\n    password: x: hunter2",
    "workloads: [{name: w, kind: cache, seeds: [h], address_rewrites: [{from: 'u:hunter2@h', to: '*'}]}]",
    "workloads: [{name: w, kind: cache, seeds: [h], address_rewrites: [{from: 'u:hunter2', to: '*'}]}]",
    "alerting: {alertmanagers: [{url: 'http://u:hunter2@h:9093'}]}\nworkloads: [{name: w, kind: cache, seeds: [h]}]",
    "alerting: {alertmanagers: [{url: 'http://u:hunter2'}]}\nworkloads: [{name: w, kind: cache, seeds: [h]}]",
    "alerting: {alertmanagers: [{url: 'http://u:p@hunter2'}]}\nworkloads: [{name: w, kind: cache, seeds: [h]}]",
    "alerting: {alertmanagers: [{url: 'http://h/?token=hunter2'}]}\nworkloads: [{name: w, kind: cache, seeds: [h]}]",
    "alerting: {alertmanagers: [{url: 'http://h', basic_auth: {username: u, hunter2: p}}]}\n"
    "workloads: [{name: w, kind: cache, seeds: [h]}]",
]

FLAGS = [
    ["--redis.addr=redis://user:hunter2@h:99999"], ["--redis.addr=redis://user:pa:ss@hunter2@h:x"],
    ["--redis.addr=redis://user:hunter2"], ["--redis.addr=redis://user:p/hunter2@h"], ["--redis.addr=hunter2://h"],
    ["--redis.addr=redis://[::1]hunter2"], ["--redis.addr=redis://u:%zzhunter2@h"],
    ["--redis.addr=redis://:a:hunter2:6379"], ["--redis.password", "my", "hunter2"],
    ["--redis.password=hunter2", "--redis.password-from-file=x"], ["--basic-auth-password", "my", "hunter2"],
    ["--redis.pasword=hunter2"],
]


def check_errors_of_files(check: Check) -> None:
    for number, text in enumerate(FILES):
        path = check.file(f"bad-{number}.yml", text + "\n")
        result = asked(check, "check-config", str(path))
        check.that(result.returncode == 1 and f"bad-{number}.yml" in result.stderr,
                   f"{text}\nis refused with a place: {result.returncode} {result.stderr}")


def check_errors_of_flags(check: Check) -> None:
    for flags in FLAGS:
        result = asked(check, "--web.listen-address=127.0.0.1:0", *flags)
        check.that(result.returncode in (1, 2), f"{flags} are refused: {result.returncode}")


def check_what_a_terminal_acts_on(check: Check) -> None:
    """What turns the direction of writing, ends lines or moves the cursor reaches neither the log nor a page."""
    tricks = "\u202e\u2066\u2028\x1b[31m\x9b\u200f\ufeff"
    server = Captured(check, {"redis_version": f"7.4{tricks}", "master_host": tricks, "os": tricks})
    server.answers["CONFIG"] = f"-ERR {tricks} no\r\n".encode()
    exporter = watching(check, static("w", server), "--log-level=DEBUG")
    check.until(lambda: server.counts.get("INFO", 0) > 3, 10, "a few polls")
    # A line of the log with a name that a client chose.
    exporter.get("/scrape?target=" + urllib.parse.quote(f"redis://{tricks.replace(chr(27), '')}.invalid:1"))
    texts = {path: exporter.get(path).text for path in ("/", f"/node/127.0.0.1:{server.port}", "/events")}
    texts["the log"] = exporter.output()
    texts["check-access"] = asked(check, "check-access", str(check.folder / "redline.yml")).stdout
    for name, text in texts.items():
        check.equal([f"U+{ord(one):04X}" for one in tricks if one in text and not one.isprintable()], [], name)
