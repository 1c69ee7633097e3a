"""Alerts to Alertmanager: a real one behind which a receiver hears them, and one that behaves badly in every way.

Driven through `redline test alertmanager`, which sends as the daemon does.
"""

import base64
import json
import ssl
import subprocess
import time

from harness.certificates import Authority
from harness.check import Check
from harness.fake_alertmanager import FakeAlertmanager, seconds
from harness.monitoring import Alertmanager, Prometheus, Receiver
from harness.paths import REDLINE

TIMEOUT_SECONDS = 60
SECRET = "hunter2-of-the-check"


def send(check: Check, alertmanagers: list[str], *arguments: str, more: str = "", seconds: float = 20,
         environment: dict[str, str] | None = None) -> tuple[int, list[str]]:
    """The exit code and the lines of `redline test alertmanager`; each Alertmanager is a mapping in flow style."""
    entries = "".join(f"    - {entry}\n" for entry in alertmanagers)
    config = check.file("redline.yml", f"alerting:\n  alertmanagers:\n{entries}{more}"
                        "workloads: [{name: w, kind: cache, seeds: ['127.0.0.1:1']}]\n")
    told = subprocess.run([REDLINE, "test", "alertmanager", *arguments, str(config)], capture_output=True, text=True,
                          timeout=seconds, env=environment)
    output = told.stdout + told.stderr
    check.that(SECRET not in output, f"no secret is shown: {output}")
    return told.returncode, output.splitlines()


def problem(check: Check, alertmanager: str, seconds: float = 20) -> str:
    """What is said of an Alertmanager that must not be seen as having accepted."""
    code, lines = send(check, [alertmanager], seconds=seconds)
    check.equal((code, len(lines)), (1, 1), f"{alertmanager} is told as failed in one line: {lines}")
    return lines[0].split("/api/v2/alerts: ", 1)[1]


def check_alertmanager_takes_it(check: Check) -> None:
    """Real Alertmanager under a path prefix and a user's name: it accepts, and its receiver hears alert and end."""
    receiver = Receiver(check)
    alertmanager = Alertmanager(check, f"""
route: {{receiver: hook, group_wait: 0s, group_interval: 1s}}
receivers: [{{name: hook, webhook_configs: [{{url: "{receiver.url}", send_resolved: true}}]}}]
""")
    code, lines = send(check, [f"{{url: 'http://localhost:{alertmanager.port}'}}"], "--page", "--label", "note=<a> & \"b\" é", "--seconds", "3")
    check.equal((code, lines), (0, [f"http://localhost:{alertmanager.port}/api/v2/alerts: accepted"]), "accepted")
    check.until(lambda: len(receiver.notifications) >= 2, 30, "the receiver hears alert and end")
    check.equal([page["status"] for page in receiver.notifications[:2]], ["firing", "resolved"], "in this order")
    labels = receiver.notifications[0]["alerts"][0]["labels"]
    check.equal(labels, {"alertname": "RedlineTest", "severity": "critical", "note": "<a> & \"b\" é"}, "its labels")


def check_test_alert_is_like_those_of_rules(check: Check) -> None:
    """It carries the external labels of the rules, and its link leads to where they say."""
    fake = FakeAlertmanager(check)
    code, lines = send(check, [f"{{url: '{fake.url}'}}"], "--label", "zone=own", more=(
        "rules: {files: [none.yml], external_labels: {site: a, zone: b}, external_url: 'http://redline.example:9121/'}\n"))
    check.equal(code, 0, f"accepted: {lines}")
    check.equal(fake.alert()["labels"], {"alertname": "RedlineTest", "severity": "none", "site": "a", "zone": "own"},
                "its labels")
    check.equal(fake.alert()["generatorURL"], "http://redline.example:9121/graph?g0.expr=vector%281%29&g0.tab=1", "its link")


def check_nobody_is_woken_unasked(check: Check) -> None:
    """With the shipped routes a test alert goes to nobody, and with --page to the person on call."""
    for words, status in (((), 0), (("--label", "severity=none"), 0), (("--label", "severity=critical"), 64),
                          (("--page", "--label", "severity=warning"), 0)):
        fake = FakeAlertmanager(check)
        code, lines = send(check, [f"{{url: '{fake.url}'}}"], *words)
        check.equal(code, status, f"the exit of {words}: {lines}")
        check.equal([fake.alert()["labels"]["severity"]] if fake.posts else [],
                    [] if status else ["warning" if "--page" in words else "none"], f"the severity of {words}")
        check.that(not status or any("--page" in line for line in lines), f"what to do instead: {lines}")


def check_logins(check: Check) -> None:
    """Basic authentication, a token from a file, a path prefix; whoever has none sends none."""
    password, token = check.file("password", f"{SECRET}\n"), check.file("token", f"{SECRET}\n")
    fakes = [FakeAlertmanager(check) for _ in range(3)]
    code, lines = send(check, [
        f"{{url: '{fakes[0].url}/a/b/', basic_auth: {{username: redline, password_file: '{password}'}}}}",
        f"{{url: '{fakes[1].url}', bearer_token_file: '{token}'}}", f"{{url: '{fakes[2].url}'}}"])
    check.equal(code, 0, f"all accept: {lines}")
    check.equal(fakes[0].paths, ["/a/b/api/v2/alerts"], "the prefix is before the path")
    basic = base64.b64encode(f"redline:{SECRET}".encode()).decode()
    check.equal([fake.headers[0].get("Authorization") for fake in fakes], [f"Basic {basic}", f"Bearer {SECRET}", None],
                "each gets its own")
    check.equal({fake.headers[0]["Content-Type"] for fake in fakes}, {"application/json"}, "the type")
    code, lines = send(check, [f"{{url: '{fakes[1].url}', bearer_token_file: '{check.folder}/none'}}"])
    check.that(code == 1 and "credentials: " in lines[0] and "none: cannot be read" in lines[0],
               f"a token that cannot be read is named: {lines}")


def check_bad_answers(check: Check) -> None:
    """Each way to fail has its class, within the timeout, and harms no other Alertmanager."""
    limited = "timeout: 1s"

    def hang(handler) -> None:
        time.sleep(8)

    def slow(handler) -> None:
        time.sleep(0.4)
        handler.reply(200)

    def close(handler) -> None:
        handler.close_connection = True

    def garbage(handler) -> None:
        handler.wfile.write(b"\x00\xff not HTTP at all\r\n\r\n")
        handler.close_connection = True

    def flood(handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(4 << 20))
        handler.end_headers()
        try:
            handler.wfile.write(b"x" * (4 << 20))
        except OSError:
            pass

    expected = [
        (lambda handler: handler.reply(500, b"boom"), "status_500: it answered 500: boom"),
        (lambda handler: handler.reply(400, b"bad label"), "status_400: it answered 400: bad label"),
        (lambda handler: handler.reply(302), "status_302: it answered 302: "), (hang, "timeout: "),
        (close, "closed: "), (garbage, "protocol: "), (flood, "limit: "), (slow, "accepted"),
        (lambda handler: handler.reply(202), "accepted"),
    ]
    fakes = [FakeAlertmanager(check, answer) for answer, _ in expected]
    began = time.monotonic()
    code, lines = send(check, [f"{{url: '{fake.url}', {limited}}}" for fake in fakes])
    check.that(time.monotonic() - began < 5, f"none holds up the others: {time.monotonic() - began:.1f} s")
    check.equal(code, 1, "some failed")
    said = [line.split("/api/v2/alerts: ", 1)[1] for line in lines]
    check.none([f"{words!r} expected, {line!r} said" for (_, words), line in zip(expected, said)
                if not line.startswith(words)], "the classes of bad answers")
    # A kept connection that ends without an answer is taken for an idle one that was closed: tried anew once.
    check.equal([len(fake.posts) for fake in fakes], [2 if answer is close else 1 for answer, _ in expected],
                "each was told once")
    check.that(problem(check, f"{{url: 'http://127.0.0.1:{check.free_port()}'}}").startswith("connect: "), "nobody there")
    check.that(problem(check, "{url: 'http://no-such-host.invalid:9093'}").startswith("dns: "), "no such name")


def check_tls(check: Check) -> None:
    """The authority, the name and the client's certificate are checked as configured; nothing goes to a wrong server."""
    authority, foreign = Authority(check), Authority(check, "foreign")

    def server(certificate, client_authority: Authority | None = None) -> FakeAlertmanager:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*map(str, certificate))
        if client_authority:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(str(client_authority.certificate))
        return FakeAlertmanager(check, tls=context)

    good, wrong = server(authority.issue("good")), server(authority.issue("wrong", "DNS:elsewhere.example"))
    client = authority.issue("client")
    asking = server(authority.issue("asking"), authority)
    trusting = f"ca_file: '{authority.certificate}'"
    for host in ("localhost", "127.0.0.1"):
        code, lines = send(check, [f"{{url: 'https://{host}:{good.port}', tls: {{{trusting}}}}}"])
        check.equal(code, 0, f"https to {host}: {lines}")
    for url, tls in [
        (f"https://localhost:{wrong.port}", trusting), (f"https://127.0.0.1:{wrong.port}", trusting),
        (f"https://localhost:{good.port}", f"ca_file: '{foreign.certificate}'"),
        (f"https://localhost:{good.port}", f"{trusting}, server_name: elsewhere.example"),
        (f"https://localhost:{good.port}", f"ca_file: '{check.folder}/none.pem'"),
    ]:
        said = problem(check, f"{{url: '{url}', tls: {{{tls}}}, bearer_token: {SECRET}}}")
        check.that(said.startswith("tls: "), f"{url} with {tls}: {said}")
    check.equal((len(wrong.posts), len(good.posts)), (0, 2), "nothing went where the certificate is wrong")
    code, lines = send(check, [
        f"{{url: 'https://localhost:{wrong.port}', tls: {{{trusting}, server_name: elsewhere.example}}}}",
        f"{{url: 'https://localhost:{asking.port}', tls: {{{trusting}, cert_file: '{client[0]}', key_file: '{client[1]}'}}}}",
        f"{{url: 'https://127.0.0.1:{wrong.port}', tls: {{insecure_skip_verify: true}}}}"])
    check.equal(code, 0, f"another name, a client's certificate, no check: {lines}")
    said = problem(check, f"{{url: 'https://localhost:{asking.port}', tls: {{{trusting}}}}}")
    check.that(said.startswith(("tls: ", "closed: ")), f"without the client's certificate: {said}")


def check_clocks(check: Check) -> None:
    """The other clock's offset is told, and the end of the alert is moved when that clock is ahead."""
    for offset, words in [(300, "; its clock is 300 s ahead"), (-300, "; its clock is 300 s behind"), (0, "")]:
        fake = FakeAlertmanager(check, date_offset=offset)
        began = time.time()
        code, lines = send(check, [f"{{url: '{fake.url}'}}"])
        check.equal(code, 0, f"accepted: {lines}")
        said = lines[0].split(": accepted", 1)[1]
        near = {words, words.replace("300", "299"), words.replace("300", "301")}
        check.that(said in near, f"a clock {offset} s off: {said!r}")
        moved = seconds(fake.alert()["endsAt"]) - began - 60
        check.that(abs(moved - max(0, offset)) < 4, f"a clock {offset} s off moves the end by {moved:.1f} s")
        check.that(abs(seconds(fake.alert()["startsAt"]) - began) < 3, "the start is not moved")


def check_every_address_of_a_name(check: Check) -> None:
    """A name is one Alertmanager for each of its addresses."""
    fake = FakeAlertmanager(check)
    code, lines = send(check, [f"{{dns: {{name: localhost, port: {fake.port}}}}}"])
    check.that(any(line == f"http://127.0.0.1:{fake.port}/api/v2/alerts: accepted" for line in lines),
               f"each address has a line: {lines}")
    check.equal(fake.headers[0]["Host"], f"localhost:{fake.port}", "the name is the Host")
    code, lines = send(check, ["{dns: {name: no-such-host.invalid}}"])
    check.equal((code, lines), (1, ["http://no-such-host.invalid:9093: dns: the name does not resolve"]), "a wrong name")


RELABEL = r"""
    - {source_labels: [replica], regex: "(.+)-([ab])", target_label: "${1}_is", replacement: "$2/${1}x$3"}
    - {source_labels: [zone, team], separator: "|", target_label: both}
    - {source_labels: [zone], regex: "(?P<first>.)(.*)", target_label: first, replacement: "${first}"}
    - {source_labels: [none], target_label: none_at_all}
    - {source_labels: [team], target_label: moved, replacement: "$$1"}
    - {source_labels: [team], regex: Cor, target_label: unmatched, replacement: x}
    - {action: hashmod, source_labels: [zone, team], modulus: 97, target_label: shard}
    - {action: lowercase, source_labels: [team], target_label: low}
    - {action: uppercase, source_labels: [odd], target_label: loud}
    - {action: labelmap, regex: "app_(.+)", replacement: "mapped_$1"}
    - {action: labeldrop, regex: "app_.*|gone"}
    - {action: drop, source_labels: [team], regex: "core"}
    - {action: keep, source_labels: [alertname], regex: "Redline.*"}
    - {action: dropequal, source_labels: [team], target_label: zone}
    - {source_labels: [zone], target_label: zone, replacement: ""}
"""
LABELS = {"replica": "redis-a", "zone": "eu-west", "team": "Core", "odd": "straße é ǆ", "app_x": "1", "app_y": "", "gone": "g"}


def check_relabelling_is_that_of_prometheus(check: Check) -> None:
    """The same labels through the same steps leave Prometheus and Redline the same, byte for byte."""
    fake = FakeAlertmanager(check)
    rules = check.file("rules.yml", "groups:\n- name: g\n  rules:\n  - alert: RedlineTest\n    expr: vector(1)\n"
                       f"    labels: {json.dumps(LABELS | {'severity': 'none'}, ensure_ascii=False)}\n")
    Prometheus(check, f"""
global: {{evaluation_interval: 1s}}
rule_files: ['{rules}']
alerting:
  alert_relabel_configs:{RELABEL}
  alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{fake.port}']}}]}}]
""", flags=("--rules.alert.resend-delay=1s",))
    # What Prometheus sends before it has found its Alertmanagers is lost; it finds them after five seconds.
    check.until(lambda: fake.posts, 30, "Prometheus sends its alert")
    theirs = fake.posts[0]
    arguments = [word for name, value in LABELS.items() for word in ("--label", f"{name}={value}")]
    own = FakeAlertmanager(check)
    code, lines = send(check, [f"{{url: '{own.url}'}}"], *arguments, more=f"  relabel:{RELABEL}")
    check.equal(code, 0, f"accepted: {lines}")
    ours = own.posts[0]
    check.equal(ours[ours.index(b'"labels":'):], theirs[theirs.index(b'"labels":'):], "the labels on the wire")
    check.equal(list(json.loads(own.posts[0])[0]), ["annotations", "endsAt", "startsAt", "labels"], "the order of the fields")


def check_bad_configuration(check: Check) -> None:
    """An expression that cannot be used is an error of the configuration, at its place."""
    config = check.file("bad.yml", "alerting:\n  alertmanagers: [{url: 'http://a:1'}]\n"
                        "  relabel: [{action: drop, source_labels: [a], regex: '(b'}]\n"
                        "workloads: [{name: w, kind: cache, seeds: [a]}]\n")
    for words in (["check-config"], ["test", "alertmanager"]):
        told = subprocess.run([REDLINE, *words, config], capture_output=True, text=True, timeout=10)
        check.equal((told.returncode, told.stderr), (
            1, f"{config}:3:55: alerting.relabel[0].regex: \"(b\" is no regular expression; missing ): (b\n"),
            f"redline {' '.join(words)} refuses it")
