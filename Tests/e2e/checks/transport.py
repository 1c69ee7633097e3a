"""TLS on both sides, UNIX sockets, IPv6 and every form of address."""

import html
import json
import pathlib
import re
import socket
import ssl
import subprocess
import urllib.parse

from harness import captured, exporters, http, schema, servers
from harness.certificates import Authority, serial
from harness.check import Check, Skipped
from harness.paths import REDLINE, ROOT, tool
from harness.resp import Redis

SCHEMA = ROOT / "deploy" / "docs" / "api" / "runbooks.schema.json"


def tls_redis(check: Check, authority: Authority, *options: str) -> tuple[servers.RedisServer, int]:
    """A Redis with a TLS port beside its plain one."""
    certificate, key = authority.issue("redis")
    port = check.free_port()
    server = servers.RedisServer(check, f"tls-port {port}", f"tls-cert-file {certificate}", f"tls-key-file {key}",
                                 f"tls-ca-cert-file {authority.certificate}", *(options or ("tls-auth-clients no",)))
    return server, port


def up(check: Check, expected: float, address: str, text: str, *flags: str, says: str = "") -> exporters.Exporter:
    """`says` stands in the log and on the page: what is wrong, and what to change."""
    exporter = exporters.redline(check, address, exporters.FRESH, *flags)
    check.equal(exporter.page().value("redis_up"), expected, f"redis_up: {text}")
    for where, words in (("the log", exporter.output()), ("the page", html.unescape(exporter.get("/").text))):
        check.that(says in words, f"{text}: {where} does not say {says!r}: {words[-1500:]}")
    return exporter


def check_redis_tls(check: Check) -> None:
    authority = Authority(check)
    server, port = tls_redis(check, authority)
    ca = f"--tls-ca-cert-file={authority.certificate}"
    for scheme in ("rediss", "valkeys"):
        up(check, 1, f"{scheme}://127.0.0.1:{port}", scheme, ca)
    up(check, 1, f"rediss://localhost:{port}", "a host name", ca)
    up(check, 0, f"rediss://127.0.0.1:{port}", "an unknown authority",
       says="name its authority by --tls-ca-cert-file")
    up(check, 1, f"rediss://127.0.0.1:{port}", "verification skipped", "--skip-tls-verification")
    up(check, 0, f"rediss://127.0.0.1:{port}", "a wrong server name", ca, "--tls-server-name=other.example",
       says="give a name that its certificate carries by --tls-server-name")
    up(check, 0, f"rediss://127.0.0.1:{server.port}", "TLS to a plain port", ca, "--connection-timeout=1s",
       says="write redis:// in --redis.addr")
    up(check, 0, f"redis://127.0.0.1:{port}", "plain to a TLS port", "--connection-timeout=1s",
       says="write rediss:// in --redis.addr")


def check_redis_server_name(check: Check) -> None:
    """A certificate without addresses: only the given server name makes it good."""
    authority = Authority(check)
    certificate, key = authority.issue("named", "DNS:redis.example")
    port = check.free_port()
    servers.RedisServer(check, f"tls-port {port}", f"tls-cert-file {certificate}", f"tls-key-file {key}",
                        f"tls-ca-cert-file {authority.certificate}", "tls-auth-clients no")
    ca = f"--tls-ca-cert-file={authority.certificate}"
    up(check, 0, f"rediss://127.0.0.1:{port}", "an address that the certificate lacks", ca)
    up(check, 1, f"rediss://127.0.0.1:{port}", "the right server name", ca, "--tls-server-name=redis.example")


def check_redis_announced_names(check: Check) -> None:
    """A cluster whose nodes are found by address, and whose certificates have nothing but their names."""
    authority = Authority(check)
    certificate, key = authority.issue("node", "DNS:localhost,DNS:node.example")
    context = authority.client_context()
    context.check_hostname = False
    node = servers.RedisServer(
        check, f"tls-cert-file {certificate}", f"tls-key-file {key}", f"tls-ca-cert-file {authority.certificate}",
        "tls-auth-clients no", "tls-cluster yes", "cluster-enabled yes", "cluster-announce-ip 127.0.0.1",
        tls=context)
    with node.client() as client:
        client("CLUSTER", "ADDSLOTS", *range(16384))
        check.until(lambda: "cluster_state:ok" in client("CLUSTER", "INFO").decode(), 10, "the cluster is whole")
        config = check.file("redline.yml", f"""
workloads:
  - name: pages
    kind: cache
    topology: cluster
    seeds: ['localhost:{node.port}']
    tls: {{ca_file: '{authority.certificate}'}}
    poll_interval: 500ms
""")
        exporter = exporters.redline(check, None, f"--config.file={config}")

        def ups() -> dict[str, float]:
            return {dict(labels)["instance"]: value
                    for (_, labels), value in exporter.page().families["redis_up"].series.items()}

        check.until(lambda: ups() == {f"127.0.0.1:{node.port}": 0}, 15, "a certificate without the address")
        client("CONFIG", "SET", "cluster-announce-hostname", "node.example")
        check.until(lambda: ups() == {f"node.example:{node.port}": 1}, 15, "the announced name makes it good")


def check_redis_names_that_sentinels_do_not_announce(check: Check) -> None:
    """A Sentinel names its master by address, and the certificate has a name: only the configuration knows it."""
    authority = Authority(check)
    certificate, key = authority.issue("master", "DNS:localhost")
    port = check.free_port()
    servers.RedisServer(check, f"tls-port {port}", f"tls-cert-file {certificate}", f"tls-key-file {key}",
                        f"tls-ca-cert-file {authority.certificate}", "tls-auth-clients no")
    sentinel = captured.CapturedSentinel(check, ("127.0.0.1", port))
    for rewrites, expected in (("[]", 0), ("[{from: '127.0.0.1:*', to: 'localhost:*'}]", 1)):
        config = check.file(f"redline-{expected}.yml", f"""
workloads:
  - name: sessions
    kind: session
    sentinel: {{master_name: mymaster, seeds: ['{sentinel.address}']}}
    tls: {{ca_file: '{authority.certificate}'}}
    address_rewrites: {rewrites}
    poll_interval: 500ms
""")
        exporter = exporters.redline(check, None, f"--config.file={config}")
        check.until(lambda: exporter.page().value(
            "redis_up", workload="sessions", instance=f"127.0.0.1:{port}") == expected, 15, f"redis_up {expected}: {rewrites}")
        advice = "map its address to a name that its certificate carries by address_rewrites"
        check.equal(advice in exporter.output(), not expected, "the log says what to do")


def check_redis_client_certificate(check: Check) -> None:
    authority = Authority(check)
    server, port = tls_redis(check, authority, "tls-auth-clients yes")
    certificate, key = authority.issue("watcher")
    ca = f"--tls-ca-cert-file={authority.certificate}"
    up(check, 1, f"rediss://127.0.0.1:{port}", "a client certificate", ca, f"--tls-client-cert-file={certificate}",
       f"--tls-client-key-file={key}")
    up(check, 0, f"rediss://127.0.0.1:{port}", "no client certificate", ca,
       says="give one that it accepts by --tls-client-cert-file and --tls-client-key-file")
    half = exporters.redline(check, f"rediss://127.0.0.1:{port}", ca, f"--tls-client-cert-file={certificate}", wait=False)
    check.that(half.wait(5) > 0, "a certificate without its key is an error")
    commands_of_runbooks(check, server, port, f"{{ca_file: '{authority.certificate}', cert_file: '{certificate}', key_file: '{key}'}}")


def commands_of_runbooks(check: Check, server: servers.RedisServer, port: int, tls: str) -> None:
    """What a runbook says is pasted into a shell as it stands, and reaches the server with its user, password and TLS."""
    hostile = """a'b "$(touch broken-in)" `touch broken-in`; touch broken-in #"""
    with server.client() as client:
        client("XADD", hostile, "*", "job", "1")
        client("XGROUP", "CREATE", hostile, "g", "0")
        client("ACL", "SETUSER", "ops", "on", ">sesame-3", "~*", "&*", "+@all")
        client("ACL", "SETUSER", "default", "resetpass", ">other")
    password = check.file("ops.password", "sesame-3\n")
    config = check.file("redline.yml", f"""
workloads:
  - name: sessions
    kind: session
    topology: static
    seeds: ['127.0.0.1:{port}']
    credentials: {{user: ops, password_file: '{password}'}}
    tls: {tls}
rules: {{files: ['{ROOT}/alerts/*.yml']}}
""")
    exporter = exporters.redline(check, None, f"--config.file={config}")
    instance = f"127.0.0.1:{port}"
    check.until(lambda: exporter.page().value("redis_up", workload="sessions", instance=instance) == 1, 15, "it is watched")
    url = f"http://127.0.0.1:{exporter.port}"
    path = {"PATH": f"{pathlib.Path(tool('redis-cli')).parent}:/usr/bin:/bin"}

    def pasted(name: str, **about: str) -> dict[str, str]:
        """The commands of the first block, each with what it printed."""
        answer = exporter.get(f"/api/v1/runbooks/{name}?{urllib.parse.urlencode(about)}")
        found = json.loads(answer.text)
        check.none(schema.complaints(found, json.loads(SCHEMA.read_text())), f"what {name} says beside its schema")
        text = found["data"]["text"]
        check.that("sesame" not in text, f"the password is in {name}")
        block = text.split("```sh\n")[1].split("```")[0]
        return {line: subprocess.run(["sh", "-c", line], cwd=check.folder, env=path, stdin=subprocess.DEVNULL, timeout=20,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
                for line in block.splitlines()}

    printed = pasted("RedisMemoryHigh", workload="sessions", node=instance)
    check.that(all(line.startswith(f"REDISCLI_AUTH=$(cat {password}) redis-cli -h 127.0.0.1 -p {port} --user ops --tls ")
                   for line in printed), f"every command is filled in: {list(printed)}")
    check.that("maxmemory:0" in next(iter(printed.values())), f"what it prints: {printed}")
    check.none([f"{line}: {text}" for line, text in printed.items() if not text or re.search("NOAUTH|WRONGPASS|rror|Could", text)],
               "commands that fail")
    printed = pasted("RedisStreamLagHigh", workload="sessions", stream=hostile, group="g", db="db0")
    lengths = [text for line, text in printed.items() if " XLEN " in line]
    check.equal(lengths, ["1\n"], "the stream with a hostile name")
    check.that(not (check.folder / "broken-in").exists(), "the name of a stream is a word, not a command")

    def runbook(*words: str) -> tuple[int, str, str]:
        told = subprocess.run([REDLINE, "runbook", *words], capture_output=True, text=True, timeout=20, cwd=check.folder,
                              env={"HOME": "/", "COLUMNS": "80"})
        return told.returncode, told.stdout, told.stderr

    status, text, _ = runbook("RedisDown", "--url", url, "--node", instance)
    check.equal(status, 0, "redline runbook")
    check.that(f"  REDISCLI_AUTH=$(cat {password}) redis-cli -h 127.0.0.1" in text and "{node}" not in text, f"filled in: {text}")
    prose = [line for line in text.splitlines() if not line.startswith("  ") and "`" not in line]
    check.none([line for line in prose if len(line) > 80], "lines that are too long")
    for words, meant in ((["RedisDwon"], "RedisDown"), (["RedisDown", "--workload", "session"], "sessions"),
                         (["RedisDown", "--node", instance + "1"], instance)):
        status, _, said = runbook(*words, "--url", url)
        check.that(status == 1 and f"did you mean {meant}?" in said, f"{words}: {status} {said}")
    status, text, said = runbook("RedisDown", "--url", f"http://127.0.0.1:{check.free_port()}", "--folder",
                                 f"{ROOT}/alerts/runbooks")
    check.that(status == 3 and "redis-cli {node} -t 3 PING" in text and "gives no answer" in said, f"without a daemon: {text} {said}")


def check_web_tls(check: Check) -> None:
    """HTTPS, and a new certificate on disk without a restart."""
    authority = Authority(check)
    certificate, key = authority.issue("web")
    server = servers.RedisServer(check)
    exporter = exporters.redline(check, server.url, f"--tls-server-cert-file={certificate}", f"--tls-server-key-file={key}")
    context = authority.client_context()
    check.equal(exporter.get(tls=context).status, 200, "the status by HTTPS")
    first = serial(exporter.port, context)
    authority.issue("web")
    check.until(lambda: serial(exporter.port, context) != first, 10, "the new certificate is shown")
    old = authority.client_context()
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    try:
        exporter.get(tls=old)
        check.that(False, "TLS 1.1 is accepted although the least is 1.2")
    except OSError:
        pass


def check_web_client_certificate(check: Check) -> None:
    authority, stranger = Authority(check), Authority(check, "stranger")
    certificate, key = authority.issue("web")
    server = servers.RedisServer(check)
    exporter = exporters.redline(check, server.url, f"--tls-server-cert-file={certificate}", f"--tls-server-key-file={key}",
                                 f"--tls-server-ca-cert-file={authority.certificate}")
    check.equal(exporter.get(tls=authority.client_context(authority.issue("reader"))).status, 200, "with a certificate")
    for name, context in (("no certificate", authority.client_context()),
                          ("a stranger's certificate", authority.client_context(stranger.issue("reader")))):
        try:
            response = exporter.get(tls=context)
            check.that(False, f"{name}: answered {response.status}")
        except (OSError, ConnectionError):
            pass


def check_web_config_tls(check: Check) -> None:
    authority = Authority(check)
    certificate, key = authority.issue("web")
    config = check.file("web.yml", f"tls_server_config:\n  cert_file: {certificate}\n  key_file: {key}\n")
    server = servers.RedisServer(check)
    exporter = exporters.redline(check, server.url, f"--web.config.file={config}")
    check.equal(exporter.get(tls=authority.client_context()).status, 200, "the status by HTTPS")


def check_addresses(check: Check) -> None:
    """Every scheme and the bare form; /N selects a database."""
    server = servers.RedisServer(check)
    for address in (f"redis://127.0.0.1:{server.port}", f"valkey://127.0.0.1:{server.port}", f"tcp://127.0.0.1:{server.port}",
                    f"127.0.0.1:{server.port}", f"localhost:{server.port}", f"redis://localhost:{server.port}/3"):
        up(check, 1, address, address)
    for address in ("ftp://127.0.0.1:1", "redis://127.0.0.1:99999", "redis://[::1"):
        wrong = exporters.redline(check, address, wait=False)
        check.that(wrong.wait(5) > 0, f"{address} is an error at start")


def check_unix_socket(check: Check) -> None:
    server = servers.RedisServer(check, f"unixsocket {check.folder}/r.sock", "unixsocketperm 700")
    with Redis(unix=f"{check.folder}/r.sock") as redis:
        check.equal(redis("PING"), "PONG", "PING by the socket")
    up(check, 1, f"unix://{check.folder}/r.sock", "a UNIX socket")
    check.equal(server.process.child.poll(), None, "Redis lives")


def check_ipv6(check: Check) -> None:
    if not socket.has_ipv6:
        raise Skipped("this machine has no IPv6")
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        raise Skipped("the IPv6 loopback address is not configured here") from None
    server = servers.RedisServer(check)
    up(check, 1, f"redis://[::1]:{server.port}", "an IPv6 address")
    up(check, 1, f"[::1]:{server.port}", "a bare IPv6 address")
    port = check.free_port()
    exporters.redline(check, server.url, f"--web.listen-address=[::1]:{port}", wait=False)
    check.until(lambda: http.get(port, "/health", host="::1").status == 200, 5, "the page on [::1]")
