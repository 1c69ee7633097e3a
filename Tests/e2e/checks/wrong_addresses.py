"""Servers that are not what the configuration says: one sentence each, with the key to change."""

import json

from checks.fleet import DEFAULTS, address
from harness import exporters
from harness.certificates import Authority
from harness.check import Check
from harness.servers import RedisServer, sentinel_of

# Words of libraries and of their errors, which help nobody who configures.
INTERNALS = ("NIO", "SSLError", "BoringSSL", "errno", "hiredis", "CERTIFICATE_VERIFY", "POSIXError", "Error(", "Optional(")


def check_each_is_said_in_one_sentence(check: Check) -> None:
    authority = Authority(check)
    certificate, key = authority.issue("server")
    tls = authority.client_context()
    tls.check_hostname = False
    plain = RedisServer(check)
    locked = RedisServer(check, "requirepass right", password="right")
    node = RedisServer(check, "cluster-enabled yes", name="node")
    secure = RedisServer(check, f"tls-cert-file {certificate}", f"tls-key-file {key}", "tls-auth-clients no", tls=tls)
    sentinel = sentinel_of(check, plain, "carts")
    seeds = {server: f"seeds: ['{address(server)}']" for server in (plain, locked, node, secure, sentinel)}
    # Of each workload: how it is asked, what is found, and what to change.
    wrong = {
        "sentinel-as-seed": (
            f"kind: queue, {seeds[sentinel]}", "is a Sentinel, not a server of the workload",
            "name it in sentinel.seeds, with sentinel.master_name"),
        "sentinel-as-node": (
            f"kind: cache, {seeds[sentinel]}", "is a Sentinel, not a server of the workload",
            "name it in sentinel.seeds, with sentinel.master_name"),
        "other-master": (
            f"kind: session, sentinel: {{master_name: baskets, {seeds[sentinel]}}}", "No Sentinel knows a master baskets",
            "they know carts: correct sentinel.master_name"),
        "server-as-sentinel": (
            f"kind: session, sentinel: {{master_name: carts, {seeds[plain]}}}", "is no Sentinel", "correct sentinel.seeds"),
        "cache-alone": (
            f"kind: cache, {seeds[plain]}", "is no node of a cluster", "set topology: replication, or static"),
        "queue-on-node": (f"kind: queue, {seeds[node]}", "is a node of a cluster", "set topology: cluster"),
        "tls-to-plain": (
            f"kind: queue, tls: {{}}, {seeds[plain]}", "does not speak TLS on this port",
            "leave out tls, and rediss:// in seeds"),
        "plain-to-tls": (f"kind: queue, {seeds[secure]}", "TLS on this port", "give tls, and {} is enough"),
        "unknown-authority": (
            f"kind: queue, tls: {{}}, {seeds[secure]}", "has a certificate that no known authority has signed",
            "name its authority by tls.ca_file"),
        "wrong-password": (
            f"kind: queue, credentials: {{password: hunter2}}, {seeds[locked]}", "the user or the password is wrong",
            "check credentials.user and the password of credentials"),
        "no-password": (f"kind: queue, {seeds[locked]}", "NOAUTH", "give its password by credentials"),
        "needless-password": (
            f"kind: queue, credentials: {{password: hunter2}}, {seeds[plain]}", "the server wants no password",
            "leave out credentials"),
    }
    # Whom the right words reach: nobody is blamed for what is right.
    right = f"kind: custom, topology: static, tls: {{ca_file: {authority.certificate}}}, {seeds[secure]}"
    rows = [f"- {{name: {name}, {how}}}\n" for name, (how, *_) in wrong.items()] + [f"- {{name: right, {right}}}\n"]
    path = check.file("redline.yml", DEFAULTS + "workloads:\n" + "".join(rows))
    exporter = exporters.redline(check, None, f"--config.file={path}")

    def findings() -> dict[str, list[str]]:
        fleet = json.loads(exporter.get("/api/v1/fleet").text)["data"]["workloads"]
        return {one["name"]: [finding["text"] for finding in one["findings"] if finding["group"] == "health"] for one in fleet}

    def missing() -> list[str]:
        found = findings()
        return [f"{name}: {found[name]}, not {words}" for name, (_, *words) in wrong.items()
                if sum(all(word in text for word in words) for text in found[name]) != 1]

    try:
        check.until(lambda: not missing(), 20, "each is found")
    except AssertionError:
        check.none(missing(), "not said in one sentence")
    check.equal(findings()["right"], [], "who is configured rightly is not blamed")
    page = exporter.get("/").text
    told = "\n".join([page, exporter.get("/api/v1/fleet").text, exporter.output()])
    check.none([word for word in INTERNALS if word in told], "internals of libraries")
    check.that("hunter2" not in told, "no password is shown")
    states = {one["name"]: one["state"] for one in json.loads(exporter.get("/api/v1/fleet").text)["data"]["workloads"]}
    check.none([f"{name}: {states[name]}" for name in wrong if states[name] in ("healthy", "unknown")], "called well")
