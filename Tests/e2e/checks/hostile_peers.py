"""Peers that lie about others: members, addresses and failovers that one of them makes up cost little and give nothing away."""

import contextlib
import itertools
import pathlib
import random
import socket
import ssl
import threading
import time

from harness.captured import Captured, CapturedSentinel, bulk, encoded, static, watching
from harness.certificates import Authority
from harness.check import Check
from harness.evil import Hang

TIMEOUT_SECONDS = 90
# A quarter of what the unit of systemd allows.
RSS_LIMIT_BYTES = 128 << 20
DESCRIPTOR_LIMIT = 400
SECRET = "correct-horse"
CLUSTER_INFO = bulk(b"cluster_state:ok\r\n")


class Victim:
    """Something that is no Redis, and takes note of every byte that it is sent."""

    def __init__(self, check: Check, address="127.0.0.1", path: pathlib.Path | None = None):
        self.heard = b""
        if path:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(path))
            self.listener.listen()
        else:
            self.listener = socket.create_server((address, 0))
            self.port = self.listener.getsockname()[1]
        check.closing.callback(self.listener.close)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._listen, args=(connection,), daemon=True).start()

    def _listen(self, connection) -> None:
        with contextlib.suppress(OSError), connection:
            while data := connection.recv(4096):
                self.heard += data


def node_line(node: str, address: str, flags: str = "slave", master: str = "-", epoch: int = 1, slots: str = "") -> str:
    return f"{node} {address} {flags} {master} 0 0 {epoch} connected {slots}".rstrip() + "\n"


class ClusterNode(Captured):
    """A node of a cluster that lists what `others` return, below itself."""

    def __init__(self, check: Check, slots: str = "", others=lambda: ""):
        self.id, self.slots, self.others = f"{random.getrandbits(160):040x}", slots, others
        self.info_id = f"{random.getrandbits(160):040x}"
        super().__init__(check, {"redis_mode": "cluster", "cluster_enabled": 1, "run_id": self.info_id},
                         {"CLUSTER NODES": lambda _: bulk(self.nodes().encode()), "CLUSTER INFO": CLUSTER_INFO})

    def line(self, myself: bool = False) -> str:
        return node_line(self.id, f"{self.address}@1", ("myself," if myself else "") + "master", slots=self.slots)

    def nodes(self) -> str:
        return self.line(myself=True) + self.others()


def up(exporter) -> set[str]:
    samples = exporter.page().named("redis_up")
    return {dict(labels)["instance"] for labels, value in samples.items() if value == 1}


def metric(exporter, name: str, workload: str = "w", **labels: str) -> float:
    """The sum of the series of a workload with these labels, whatever others they have; -1 where there is none."""
    wanted = {"workload": workload, **labels}.items()
    found = [value for series, value in exporter.page().named(name).items() if wanted <= dict(series).items()]
    return sum(found) if found else -1


def refused(exporter, reason: str, workload: str = "w") -> float:
    return metric(exporter, "redis_workload_members_refused", workload, reason=reason)


def is_bounded(check: Check, exporter) -> None:
    exporter.lives()
    check.that(exporter.rss_bytes() < RSS_LIMIT_BYTES, f"resident memory is {exporter.rss_bytes() >> 20} MiB")
    check.that(exporter.descriptors() < DESCRIPTOR_LIMIT, f"{exporter.descriptors()} descriptors are open")


def made_up(count: int = 4000) -> str:
    """Members that nobody else knows, others each time."""
    numbers = [random.getrandbits(24) for _ in range(count)]
    return "".join(node_line(f"{random.getrandbits(160):040x}", f"127.{n >> 16}.{n >> 8 & 255}.{n & 255}:9@1") for n in numbers)


def check_members_that_one_node_makes_up(check: Check) -> None:
    """The two honest nodes of the cluster are found beside thousands that the third one names, and nobody else is shown."""
    nodes = [ClusterNode(check, slots) for slots in ("0-5000", "5001-10000", "10001-16383")]
    for node in nodes:
        node.others = lambda node=node: "".join(other.line() for other in nodes if other is not node)
    honest = nodes[0].others, nodes[2].others
    nodes[2].others = lambda: made_up() + honest[1]()
    exporter = watching(check, f"  - {{name: w, kind: cache, seeds: [{nodes[0].address}], poll_interval: 200ms}}")
    check.until(lambda: up(exporter) == {node.address for node in nodes}, 20, "the true members are up")
    polls = nodes[2].counts.get("INFO", 0)
    check.until(lambda: nodes[2].counts.get("INFO", 0) > polls + 15, 30, "the liar is polled 15 times")
    is_bounded(check, exporter)
    shown = {dict(labels)["instance"] for labels in exporter.page().named("redis_up")}
    check.equal(shown, {node.address for node in nodes}, "the members on the page")
    check.that(refused(exporter, "unconfirmed") > 3000, "the metric says how many were not admitted")
    check.that("not admitted" in exporter.get("/").text, "the start page says that members were not admitted")


def check_members_that_the_only_node_makes_up(check: Check) -> None:
    """One seed that names other thousands, or other names, at every poll: a bounded number is tried, and the rest works."""
    floods = {
        "members": lambda: made_up(),
        "names": lambda count=itertools.count(): "".join(
            node_line(f"{index:040x}", f"127.0.0.1:{index + 1}@1,host-{next(count)}.invalid") for index in range(4000)),
        "bytes": lambda: made_up(5) + "x" * 3_000_000 + "\n" + made_up(50_000),
    }
    nodes = {name: ClusterNode(check, "0-16383", others) for name, others in floods.items()}
    workloads = "\n".join(f"  - {{name: {name}, kind: cache, seeds: [{node.address}], poll_interval: 500ms}}"
                          for name, node in nodes.items())
    exporter = watching(check, workloads)
    check.until(lambda: all(node.counts.get("INFO", 0) > 12 for node in nodes.values()), 45, "each is polled 12 times")
    check.until(lambda: {node.address for node in nodes.values()} <= up(exporter), 10, "the seeds are up")
    is_bounded(check, exporter)


class Group:
    """A master, a replica and three Sentinels of which the first may lie."""

    def __init__(self, check: Check, count: int = 3):
        self.master = Captured(check, {"role": "master", "connected_slaves": 0})
        self.replica = Captured(check, {"role": "slave", "master_host": "127.0.0.1", "master_port": self.master.port,
                                        "master_link_status": "up", "run_id": "b" * 40})
        self.sentinels = [CapturedSentinel(check, ("127.0.0.1", self.master.port),
                                           [("127.0.0.1", self.replica.port)]) for _ in range(count)]
        for one in self.sentinels:
            one.peers = [("127.0.0.1", other.port) for other in self.sentinels if other is not one]
        self.seeds = ", ".join(f'"{one.address}"' for one in self.sentinels)
        self.workload = (f"  - {{name: w, kind: session, expected: {{replicas: 1}}, "
                         f"sentinel: {{master_name: mymaster, seeds: [{self.seeds}]}}}}")

    def is_watched(self, exporter) -> bool:
        """Both servers have answered as what they are, and each Sentinel is heard."""
        return {self.master.address, self.replica.address} <= up(exporter) and all(one.subscribers for one in self.sentinels)

    def switch(self, old: int, new: int) -> tuple[str, str]:
        return "+switch-master", f"mymaster 127.0.0.1 {old} 127.0.0.1 {new}"


def failovers(exporter) -> float:
    return metric(exporter, "redis_failovers_total")


def check_one_lying_sentinel(check: Check) -> None:
    """Failovers that one of three Sentinels makes up are not counted, and the servers notice nothing; a true one counts once."""
    group = Group(check)
    exporter = watching(check, group.workload, f"--storage.path={check.folder / 'store.db'}")
    check.until(lambda: group.is_watched(exporter), 20, "all are watched")
    liar = group.sentinels[0]
    began, before = time.monotonic(), sum(group.master.counts.values())
    for index in range(300):
        liar.publish(group.switch(40000 + index % 40, 40000 + (index + 1) % 40),
                     ("+try-failover", f"master mymaster 127.0.0.1 {group.master.port}"),
                     ("-failover-abort-not-elected", f"master mymaster 127.0.0.1 {group.master.port}"))
        time.sleep(0.02)
    passed = time.monotonic() - began
    asked = sum(group.master.counts.values()) - before
    # A poll out of turn a second, of 9 commands, beside what is always asked.
    check.that(asked < 16 * (passed + 2), f"the master was sent {asked} commands in {passed:.0f} s")
    check.equal(failovers(exporter), 0, "failovers counted")
    check.that(metric(exporter, "redis_failovers_aborted_total") <= 11, "aborted attempts are counted at a pace")
    check.until(lambda: metric(exporter, "redis_failovers_unconfirmed_total") > 100, 10, "the claims are counted")
    check.that("published that neither" in exporter.get("/").text, "the start page tells of the claims")
    # Now it is true.
    for one in group.sentinels:
        one.master = ("127.0.0.1", group.replica.port)
    group.replica.info |= {"role": "master"}
    group.master.info |= {"role": "slave", "master_host": "127.0.0.1", "master_port": group.replica.port}
    for one in group.sentinels[1:]:
        one.publish(group.switch(group.master.port, group.replica.port))
    check.until(lambda: failovers(exporter) == 1, 5, "the true failover is counted")


def check_servers_confirm_a_switch(check: Check) -> None:
    """With two Sentinels of which one is heard, the roles of the servers confirm the switch."""
    group = Group(check, 2)
    exporter = watching(check, group.workload)
    check.until(lambda: group.is_watched(exporter), 20, "all are watched")
    group.sentinels[0].publish(group.switch(group.master.port, group.replica.port))
    check.until(lambda: metric(exporter, "redis_failovers_total", kind="manual") == 0, 5, "counts are shown")
    group.replica.info |= {"role": "master"}
    group.master.info |= {"role": "slave", "master_host": "127.0.0.1", "master_port": group.replica.port}
    check.until(lambda: failovers(exporter) == 1, 15, "the switch is counted once the servers have turned")


def check_a_sentinel_that_floods(check: Check) -> None:
    """A lone Sentinel is believed, but a flood of switches is counted at a pace, and its events leave room for others'."""
    group = Group(check, 1)
    exporter = watching(check, group.workload, f"--storage.path={check.folder / 'store.db'}")
    check.until(lambda: len(up(exporter)) >= 2 and group.sentinels[0].subscribers, 20, "all are watched")
    for start in range(0, 4000, 50):
        group.sentinels[0].publish(*(group.switch(40000 + n % 400, 40000 + (n + 1) % 400) for n in range(start, start + 50)))
    check.until(lambda: metric(exporter, "redis_failovers_unconfirmed_total") > 1000 or failovers(exporter) > 100, 20,
                "the flood is taken in")
    check.that(0 < failovers(exporter) <= 25, f"{failovers(exporter):.0f} failovers were counted")
    is_bounded(check, exporter)


def check_events_of_one_workload(check: Check) -> None:
    """Servers that give another run id, role and limit at every poll fill neither the log nor the file of events."""
    numbers = itertools.count(1)
    changing = {"run_id": lambda: f"{next(numbers):040x}", "maxmemory": lambda: next(numbers),
                "role": lambda: random.choice(["master", "slave"])}
    servers = [Captured(check, dict(changing)) for _ in range(30)]
    exporter = watching(check, static("w", *servers, interval="200ms"), f"--storage.path={check.folder / 'store.db'}")
    check.until(lambda: metric(exporter, "redis_workload_events_omitted_total") > 50, 60, "events are left out")
    kept = exporter.get("/events").text.count("another process than before")
    check.that(kept > 0, "some events are kept")
    is_bounded(check, exporter)


def workload_of(topology: str, check: Check, addresses: list[tuple[str, int]], more: str) -> tuple[str, Captured]:
    """A workload of one seed that announces these addresses, and the seed."""
    if topology == "cluster":
        lines = "".join(node_line(f"{index:040x}", f"{host}:{port}@1") for index, (host, port) in enumerate(addresses, 1))
        seed = ClusterNode(check, "0-16383", lambda: lines)
        source = f"kind: cache, seeds: [{seed.address}]"
    elif topology == "replication":
        seed = Captured(check, {"role": "master"} | {
            f"slave{index}": f"ip={host},port={port},state=online,offset=1,lag=0" for index, (host, port) in enumerate(addresses)})
        source = f"kind: queue, seeds: [{seed.address}]"
    else:
        seed = CapturedSentinel(check, addresses[0], addresses[1:], peers=addresses)
        source = (f"kind: session, sentinel: {{master_name: mymaster, seeds: [{seed.address}], "
                  f"credentials: {{password: {SECRET}}}}}")
    return (f"  - {{name: {topology}, {source}, poll_interval: 300ms, "
            f"credentials: {{user: monitor, password: {SECRET}}}{more}}}"), seed


TOPOLOGIES = ("cluster", "replication", "sentinel")


def check_announced_addresses(check: Check) -> None:
    """Sockets of the machine, and addresses that are none in full, are neither connected to nor sent a password."""
    # The path has to be short enough for a unix socket.
    path = pathlib.Path("/tmp") / f"redline-victim-{check.free_port()}.sock"
    check.closing.callback(lambda: path.unlink(missing_ok=True))
    unix, tcp = Victim(check, path=path), Victim(check, "0.0.0.0")
    hosts = ["127.1", "0.0.0.0", "0x7f000001", "2130706433", "017700000001", "::", "169.254.169.254", "a b", "[::1]", "../x"]
    addresses = [(host, tcp.port) for host in hosts] + [(str(path), 0), (str(path), 1)]
    made = [workload_of(topology, check, addresses, "") for topology in TOPOLOGIES]
    exporter = watching(check, "\n".join(workload for workload, _ in made))
    for topology, (_, seed) in zip(TOPOLOGIES, made):
        check.until(lambda seed=seed: seed.counts.get("INFO", 0) > 8, 30, f"the seed of {topology} is polled")
    check.equal(unix.heard, b"", "what the unix socket was sent")
    check.equal(tcp.heard, b"", "what the TCP server was sent")
    for topology in TOPOLOGIES:
        for reason in ("form", "scope"):
            check.that(refused(exporter, reason, topology) > 0, f"{topology}: what was refused by its {reason} is counted")


def check_allowed_members(check: Check) -> None:
    """With members.allow nobody else is connected to, whoever announces it, be it by a name that leads elsewhere."""
    victim, named = Victim(check, "127.0.0.2"), Victim(check, "127.0.0.1")
    honest = Captured(check, {"run_id": "c" * 40})
    hosts = [("127.0.0.2", victim.port), ("localhost", named.port), ("127.0.0.1", honest.port)]
    allow = ', members: {allow: ["127.0.0.1/32", "redis-*.internal"]}'
    made = [workload_of(topology, check, hosts, allow) for topology in TOPOLOGIES]
    # Names are allowed here, but not where this one leads.
    led, seed = workload_of("cluster", check, hosts[1:2], ', members: {allow: ["127.0.0.9/32", "local*"]}')
    workloads = [workload for workload, _ in made] + [led.replace("name: cluster", "name: led")]
    exporter = watching(check, "\n".join(workloads))
    check.until(lambda: honest.address in up(exporter), 20, "the member that is allowed is up")
    for one in [seed, *(seed for _, seed in made)]:
        check.until(lambda one=one: one.counts.get("INFO", 0) > 6, 30, "each seed is polled")
    for topology in TOPOLOGIES:
        count = refused(exporter, "allow", topology)
        check.that(count >= 2, f"{topology}: the metric counts {count:.0f} members that are not allowed")
    check.that("members.allow does not name them" in exporter.get("/").text, "the start page says why")
    check.equal((victim.heard, named.heard), (b"", b""), "what others were sent")


def check_key_work_connections(check: Check) -> None:
    """Key work whose commands hang never has more than its one connection beside the poll and the probe."""

    def hang(_):
        raise Hang

    names = itertools.count()
    server = Captured(check, answers={
        "SCAN": lambda _: encoded(["0", [f"stream-{index}-{next(names)}" for index in range(8)]]),
        "TYPE": b"+stream\r\n", "XPENDING": b"*0\r\n", "XINFO STREAM": b"*0\r\n", "XINFO GROUPS": hang})
    workload = static("w", server, more=", timeout: 5s, watches: {interval: 1s, streams: {enabled: true}}")
    check.closing.callback(server.closing.set)
    exporter = watching(check, workload, "--keywork.duty-ratio=0.5")
    most = 0
    end = time.monotonic() + 20
    while time.monotonic() < end:
        most = max(most, connections_to(server.port))
        time.sleep(0.02)
    check.that(server.counts.get("XINFO", 0) > 1, "streams are asked for")
    check.that(most <= 3, f"{most} connections were open at once")
    exporter.lives()


def connections_to(port: int) -> int:
    """Sockets of this machine that are connected, or on the way, to the port."""
    rows = (line.split() for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:])
    return sum(int(row[2].rpartition(":")[2], 16) == port and row[3] in ("01", "02") for row in rows)


def check_no_login_before_the_certificate(check: Check) -> None:
    """Servers and Sentinels whose certificate is another's, or from another authority, see no login on any connection."""
    right, wrong = Authority(check), Authority(check, "other")
    heard: list[bytes] = []
    ports = [tls_server(check, *pair, heard) for pair in
             (right.issue("elsewhere", "DNS:elsewhere.example"), wrong.issue("localhost"))]
    seeds = ", ".join(f"127.0.0.1:{port}" for port in ports)
    trust = f"credentials: {{password: {SECRET}}}, tls: {{ca_file: {right.certificate}, server_name: localhost}}"
    exporter = watching(check, "\n".join([
        f"  - {{name: servers, kind: queue, topology: static, seeds: [{seeds}], poll_interval: 200ms, {trust}}}",
        f"  - {{name: sentinels, kind: session, poll_interval: 200ms, "
        f"sentinel: {{master_name: mymaster, seeds: [{seeds}], {trust}}}}}"]))
    check.until(lambda: len(heard) > 12, 30, "connections are tried")
    check.equal(b"".join(heard), b"", "what the servers were sent inside TLS")
    exporter.lives()


def tls_server(check: Check, certificate, key, heard: list[bytes]) -> int:
    """A port that speaks TLS and adds to `heard` what each connection brings; nothing where the handshake fails."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listener = socket.create_server(("127.0.0.1", 0))
    check.closing.callback(listener.close)

    def serve(plain) -> None:
        data = b""
        with contextlib.suppress(OSError), plain:
            plain.settimeout(5)
            with context.wrap_socket(plain, server_side=True) as connection:
                data = connection.recv(4096)
        heard.append(data)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def check_a_cluster_node_that_lies_about_slots(check: Check) -> None:
    """A failover that one node of a cluster tells of, by ever higher epochs, is not counted."""
    nodes = [ClusterNode(check, slots) for slots in ("0-8000", "8001-16383")]
    replica = ClusterNode(check)
    replica.info |= {"role": "slave", "master_host": "127.0.0.1", "master_port": nodes[0].port, "master_link_status": "up"}

    def replica_line(myself: bool = False) -> str:
        return node_line(replica.id, f"{replica.address}@1", ("myself," if myself else "") + "slave", nodes[0].id)

    replica.line = replica_line
    everybody = [*nodes, replica]
    for node in everybody:
        node.others = lambda node=node: "".join(other.line() for other in everybody if other is not node)
    exporter = watching(check, f"  - {{name: w, kind: cache, seeds: [{nodes[0].address}], poll_interval: 200ms}}")
    check.until(lambda: len(up(exporter)) == 3, 20, "all are up")
    epochs = itertools.count(100)
    nodes[1].others = lambda: node_line(nodes[0].id, f"{nodes[0].address}@1", "slave", replica.id, next(epochs)) + node_line(
        replica.id, f"{replica.address}@1", "master", "-", next(epochs), "0-8000")
    polls = nodes[1].counts["INFO"]
    # Without anybody else's word the verdict would come 10 s after the first look.
    check.until(lambda: nodes[1].counts["INFO"] > polls + 70, 60, "the liar is polled 70 times")
    check.equal(failovers(exporter), 0, "failovers counted")
