"""The audit: planted faults give exactly their ids, a hardened server none, and what a right is missing for is unknown."""

import hashlib
import json
import os
import pathlib
import signal
import subprocess
import time

from harness.certificates import Authority
from harness.check import Check
from harness.judging import Daemon
from harness.paths import REDLINE, ROOT
from harness.resp import ReplyError
from harness.servers import RedisServer
from harness.versions import on_servers

TIMEOUT_SECONDS = 240
WAITS = True

PASSWORD = "planted-audit-password-4711"
OTHER = "planted-other-password-4712"
RIGHTS = ("+ping +info +latency|histogram +latency|latest +slowlog|get +slowlog|len +client|setname +command|info +acl|users"
          " +acl|dryrun +acl|log +client|list +config|get +module|list")
API = "~cart:* -@all +@read +@write +ping +client|setname -@dangerous"


class Site:
    """Servers with a fault each, and one file that has them all as workloads of their own."""

    def __init__(self, check: Check):
        self.check = check
        self.password = check.file("password", PASSWORD)
        self.workloads: list[str] = []
        self.holders = []

    def add(self, name: str, *options: str, rights: str = RIGHTS, api: str = API, more_users: str = "", user: str = "redline",
            audit: str = "", password: pathlib.Path | None = None, tls: str = "", context=None, wait: bool = True) -> RedisServer:
        acl = self.check.file(f"{name}.acl", (
            f"user default {'on nopass resetkeys -@all +ping' if user is None else 'off resetkeys -@all'}\n"
            f"user redline on >{PASSWORD} resetkeys -@all {rights}\n"
            f"user api on >{OTHER} resetkeys {api}\n{more_users}"))
        server = RedisServer(self.check, "protected-mode yes", f"aclfile {acl}", *options, name=name, tls=context, wait=False)
        self.check.until(lambda: self.is_up(server), 15, f"{name} answers")
        scheme = f", tls: {{{tls}}}" if tls else ""
        self.workloads.append(
            f"- {{name: {name}, kind: custom, topology: static, seeds: ['127.0.0.1:{server.port}']{scheme},"
            f" credentials: {{user: redline, password_file: '{password or self.password}'}}, audit: {{{audit}}}}}\n")
        return server

    def is_up(self, server: RedisServer) -> bool:
        with server.client() as client:
            return client("AUTH", "redline", PASSWORD) == "OK"

    def hold(self, server: RedisServer, name: str = "cart-1"):
        """A client that is logged in as the application until the check ends."""
        client = server.client()
        client("AUTH", "api", OTHER)
        client("CLIENT", "SETNAME", name)
        self.holders.append(client)
        return client

    def config(self, more: str = "") -> pathlib.Path:
        return self.check.file("redline.yml", f"{more}workloads:\n{''.join(self.workloads)}")

    def audit(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run([str(REDLINE), "audit", str(self.config()), *words], capture_output=True, text=True, timeout=90)

    def found(self) -> dict[str, dict[str, list[str]]]:
        """By workload and id: severities of findings, and other verdicts but ok."""
        told = self.audit("--format", "json")
        self.check.equal(told.stderr, "", "what it says beside the results")
        found: dict[str, dict[str, list[str]]] = {}
        for result in json.loads(told.stdout)["results"]:
            own = found.setdefault(result["workload"], {})
            own.setdefault("ids", []).append(result["check"])
            if result["verdict"] != "ok":
                own.setdefault(result["check"], []).append(result.get("severity") or result["verdict"])
        return found


def own(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """What is found, without what every server here has: a way over loopback, a first look, and no file of known faults."""
    return {check: words for check, words in sorted(found.items())
            if check != "ids" and words != ["not compared"] and (check, words) != ("tls-off", ["info"])}


@on_servers
def check_each_planted_fault_is_its_id(check: Check) -> None:
    site = Site(check)
    site.hold(site.add("hardened"))
    site.add("open", user=None)
    site.add("wide-open", "bind 0.0.0.0", user=None)
    site.add("public", "bind 127.0.0.1 -8.8.8.8")
    site.add("unprotected", "protected-mode no")
    site.hold(site.add("reach", api=API + " +flushall +config|set"))
    site.hold(site.add("keys", api=API.replace("~cart:*", "~*")))
    site.add("spare", more_users=f"user spare on >{OTHER} ~* +@all\n")
    site.add("blind", rights=RIGHTS.replace(" +acl|users", ""))
    site.add("debug", "enable-debug-command yes")
    folder = check.folder / "home" / ".ssh"
    folder.mkdir(parents=True)
    site.add("breach", f"dir {folder}")
    stranger = site.add("stranger", audit="clients: [{name: 'cart-*', user: api}], forbidden_clients: [{name: 'ci-*'}]")
    site.hold(stranger)
    site.hold(stranger, "laptop")
    site.hold(stranger, "ci-3")
    denied = site.hold(site.add("denied"))
    try:
        denied("CONFIG", "GET", "dir")
    except ReplyError:
        pass
    old = check.file("old-password", PASSWORD)
    os.utime(old, (time.time() - 100 * 86400,) * 2)
    site.add("aged", password=old)
    site.add("accepted", "bind 0.0.0.0", audit="accept: [{check: bind-wide, reason: the firewall, until: 2099-01-01}]")
    found = site.found()
    expected = {
        "hardened": {}, "open": {"open-login": ["info"]},
        "wide-open": {"bind-wide": ["warning"], "open-login": ["critical"]},
        "public": {"public-address": ["critical"]}, "unprotected": {"protected-off": ["info"]},
        "reach": {"danger-reach": ["critical"]}, "keys": {"all-keys": ["warning"]}, "spare": {"danger-reach": ["info"]},
        "blind": {"all-keys": ["unknown"], "danger-present": ["warning"], "danger-reach": ["unknown"],
                  "user-unused": ["unknown"]},
        "debug": {"debug-enabled": ["warning"]}, "breach": {"breach-signs": ["critical"]},
        "stranger": {"client-unexpected": ["critical", "warning"]}, "denied": {"denied-attempt": ["warning"]},
        "aged": {"credential-age": ["warning"]}, "accepted": {"bind-wide": ["accepted"]},
    }
    for name, ids in expected.items():
        check.equal(own(found[name]), ids, f"what is found at {name}")
        check.equal(len(set(found[name]["ids"])), len({*found["hardened"]["ids"]}), f"{name}: every id is there")


def check_tls(check: Check) -> None:
    site = Site(check)
    authority = Authority(check)
    client, client_key = authority.issue("client", days=90)
    context = authority.client_context((client, client_key))
    context.check_hostname = False

    def add(name: str, *options: str, days: int = 90, **more) -> None:
        certificate, key = authority.issue(name, days=days)
        server = site.add(
            name, f"tls-cert-file {certificate}", f"tls-key-file {key}", f"tls-ca-cert-file {authority.certificate}", *options,
            tls=f"ca_file: '{authority.certificate}', cert_file: '{client}', key_file: '{client_key}'", context=context, **more)
        check.that(server.port > 0, name)

    hardened = ("tls-replication yes", "tls-auth-clients yes", 'tls-protocols "TLSv1.2 TLSv1.3"')
    add("hardened", *hardened)
    # Whoever has a certificate needs no password; whoever has none comes nowhere.
    add("certified", *hardened, user=None)
    add("inner", "tls-replication no", "tls-auth-clients yes")
    add("weak", "tls-replication yes", f"port {check.free_port()}", "tls-auth-clients no")
    add("ends", *hardened, days=20)
    add("ends-soon", *hardened, days=3)
    found = site.found()
    for name, ids in {"hardened": {}, "certified": {}, "inner": {"tls-inner": ["warning"]},
                      "weak": {"tls-weak": ["warning", "info"]}, "ends": {"cert-expiry": ["warning"]},
                      "ends-soon": {"cert-expiry": ["critical"]}}.items():
        check.equal(own(found[name]), ids, f"what is found at {name}")
        check.that("tls-off" not in own(found[name]) and "tls-off" in found[name]["ids"], f"{name}: TLS is on")


@on_servers
def check_a_right_that_is_missing_is_named(check: Check) -> None:
    site = Site(check)
    lacking = {"config|get": {"protected-off", "debug-enabled", "breach-signs", "tls-inner", "tls-weak"},
               "client|list": {"client-unexpected", "user-unused"}, "acl|log": {"denied-attempt"},
               "acl|users": {"danger-reach", "all-keys", "user-unused"}, "acl|dryrun": {"danger-reach", "all-keys", "user-unused"},
               "command|info": {"danger-reach", "all-keys", "user-unused", "danger-present"}, "module|list": {"breach-signs"}}
    names = {right: right.replace("|", "-") for right in lacking}
    for right, name in names.items():
        site.add(name, rights=RIGHTS.replace(f" +{right}", ""), audit="clients: [{name: 'cart-*'}]")
    told = site.audit("--format", "json", "--fail-on", "critical")
    check.equal(told.returncode, 3, f"what is unknown is no success ({told.stdout[:3000]})")
    results = json.loads(told.stdout)["results"]
    for right, ids in lacking.items():
        unknown = {r["check"]: r["right"] for r in results if r["workload"] == names[right] and r["verdict"] == "unknown"}
        # Where the server itself says in INFO what it listens on, no right is needed for that.
        check.equal({id for id in unknown if id != "bind-wide"}, ids, f"what {right} is missing for")
        check.that(all(reason == f"+{right}" for reason in unknown.values()), f"{right} is named: {unknown}")


@on_servers
def check_the_rights_of_acl_are_enough(check: Check) -> None:
    site = Site(check)
    server = site.add("carts")
    printed = subprocess.run([str(REDLINE), "acl", "--setuser", "--server", {
        "redis-7.0": "redis-7.0", "redis-8.2": "redis-8.2", "valkey-9.1": "valkey-9.1"}.get(check.server, "redis-7.0"),
        str(site.config())], capture_output=True, text=True, timeout=20).stdout
    line = next(line for line in printed.splitlines() if line.startswith("ACL SETUSER"))
    with server.client() as admin:
        admin("AUTH", "redline", PASSWORD)
    (site.check.folder / "carts.acl").write_text(
        "user default off resetkeys -@all\n"
        + line.replace("ACL SETUSER ", "user ").replace(">PASSWORD", f">{PASSWORD}").replace(" reset ", " ") + "\n")
    server.process.signal(signal.SIGKILL)
    server.process.wait(5)
    server.restart(wait=False)
    check.until(lambda: site.is_up(server), 15, "it answers again")
    found = site.found()["carts"]
    check.equal(own(found), {}, f"with the rights of redline acl nothing is unknown ({line})")


def check_no_secret_is_asked_or_shown(check: Check) -> None:
    """Hashes of passwords are in ACL LIST and GETUSER: neither is sent, and nothing that is secret is anywhere."""
    site = Site(check)
    server = site.add("carts", audit="interval: 10s")
    site.hold(server)
    secrets = [PASSWORD, OTHER, hashlib.sha256(PASSWORD.encode()).hexdigest(), hashlib.sha256(OTHER.encode()).hexdigest()]
    daemon = Daemon(check, site.config()).start()
    texts = {"audit as " + format: site.audit("--format", format).stdout for format in ("text", "markdown", "json")}
    check.until(lambda: "1 server:" in daemon.process.get("/audit").text, 100, "the daemon has looked", pause=2)
    for path in ("/audit", "/audit?workload=carts", "/api/v1/checks", "/metrics", "/workload/carts"):
        texts[path] = daemon.process.get(path).text
    daemon.process.stop()
    texts["the log"] = daemon.process.output()
    texts["the store"] = b"".join(path.read_bytes() for path in check.folder.glob("redline.db*")).decode("latin-1")
    for where, text in texts.items():
        check.none([secret for secret in secrets if secret in text], f"secrets in {where}")
    with server.client() as client:
        client("AUTH", "redline", PASSWORD)
        stats = client.info("commandstats")
    check.none([name for name in stats if name in ("cmdstat_acl|list", "cmdstat_acl|getuser")], "what was never asked")
    check.that("cmdstat_acl|dryrun" in stats, "the server was asked what its users may do")


def check_the_first_look_alerts_nobody_and_what_is_new_does(check: Check) -> None:
    site = Site(check)
    server = site.add("carts", "enable-debug-command yes", rights=RIGHTS + " +acl|setuser", audit="interval: 10s")
    site.hold(server)
    config = site.config(f"defaults: {{poll_interval: 1s}}\nrules: {{files: ['{ROOT}/alerts/audit.yml'], interval: 1s,"
                         " scrape_interval: 1s}\n")
    daemon = Daemon(check, config).start()

    def value(name: str, id: str) -> float | None:
        return daemon.process.page().value(name, workload="carts", check=id, instance=f"127.0.0.1:{server.port}")

    check.until(lambda: value("redis_finding", "debug-enabled") == 2, 100, "the first look", pause=2)
    check.equal(value("redis_finding_known", "debug-enabled"), 1, "what the first look finds is known")
    before = daemon.ask("fleet")["workloads"][0]["stateByChecks"]
    with server.client() as admin:
        admin("AUTH", "redline", PASSWORD)
        admin("ACL", "SETUSER", "api", "+flushall")
    check.until(lambda: value("redis_finding", "danger-reach") == 3, 60, "the new right is found", pause=1)
    check.equal(value("redis_finding_known", "danger-reach"), None, "it is new")
    check.until(lambda: ("RedisAuditWarning", "pending") in daemon.states() or ("RedisAuditWarning", "firing") in daemon.states(),
                30, "it alerts", pause=1)
    told = {(alert["labels"]["alertname"], alert["labels"].get("check")) for alert in daemon.alerts()}
    check.equal({name for name in told if name[0].startswith("RedisAudit")}, {("RedisAuditWarning", "danger-reach")},
                "it alone alerts")
    asked = subprocess.run([str(REDLINE), "audit", "--url", f"http://127.0.0.1:{daemon.process.port}", "--format", "markdown"],
                           capture_output=True, text=True, timeout=20)
    check.that(asked.returncode == 1 and "| critical | danger-reach |" in asked.stdout, f"the daemon is asked: {asked.stdout}")
    page = daemon.process.get("/audit").text
    check.that("<b>new</b>" in page and "there from the first look" in page, "the page tells them apart")
    check.equal(daemon.ask("fleet")["workloads"][0]["stateByChecks"], before, "the state of the workload")
    daemon.kill()
    daemon.start()
    check.until(lambda: value("redis_finding", "danger-reach") == 3, 100, "the first look after kill -9", pause=2)
    check.equal((value("redis_finding_known", "debug-enabled"), value("redis_finding_known", "danger-reach")), (1, None),
                "what was known before is known, what was new is new")


def check_nobody_answers(check: Check) -> None:
    site = Site(check)
    server = site.add("carts")
    server.process.signal(signal.SIGKILL)
    server.process.wait(5)
    told = site.audit()
    check.equal(told.returncode, 3, f"what cannot be reached is unknown ({told.stdout})")
    check.that("it does not answer" in told.stdout, "and says why")
    wrong = subprocess.run([str(REDLINE), "audit", "/nowhere.yml"], capture_output=True, text=True, timeout=20)
    check.equal(wrong.returncode, 2, "a file that is not there")
    missing = subprocess.run([str(REDLINE), "audit", str(site.config()), "--workload", "cart"], capture_output=True, text=True,
                             timeout=20)
    check.that(missing.returncode == 2 and "it has carts" in missing.stderr, f"a workload that there is none of: {missing.stderr}")
