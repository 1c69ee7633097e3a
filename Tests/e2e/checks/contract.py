"""The names, types and labels that dashboards and rules rely on."""

import subprocess

from harness import awkward, exporters, servers
from harness.check import Check, Skipped
from harness.comparison import Difference
from harness.paths import E2E, REDLINE, rows, tool
from harness.process import Process
from harness.versions import on_servers

TIMEOUT_SECONDS = 120
CONTRACT = E2E / "contract"
ALL_FLAGS = ("--check-keys=db0=*", "--count-keys=db0=*", "--check-streams=db0=stream:*", "--check-key-groups=^(rate):",
             "--export-client-list", "--include-config-metrics", "--include-system-metrics", "--ping-on-connect",
             "--include-modules-metrics", "--include-rdb-file-size-metric")


def label_names(text: str) -> tuple[set[str], set[str]]:
    """The required and the optional label names of `a,b,[c]`."""
    names = [] if text in ("-", "") else text.split(",")
    optional = {name.strip("[]") for name in names if name.startswith("[")}
    return {name for name in names if not name.startswith("[")}, optional


def check_families(check: Check) -> None:
    """`redline families` names every family of the contract with its type and labels."""
    if not REDLINE.exists():
        raise Skipped(f"{REDLINE} is not built")
    listing = Process(check, "families", [str(REDLINE), "families"])
    check.equal(listing.wait(10), 0, "redline families exits")
    ours = {}
    for line in listing.output().splitlines():
        name, kind, *labels = line.split("\t")
        ours[name] = (kind, label_names(labels[0] if labels else ""))
    types = [Difference.read(row) for row in rows(E2E / "differential" / "deviations.tsv")]
    complaints = []
    for name, kind, labels, _source, gate in rows(CONTRACT / "families.tsv"):
        if gate == "pass-through":
            continue
        if name not in ours:
            complaints.append(f"{name} is missing")
            continue
        seen_kind, (seen, seen_optional) = ours[name]
        if seen_kind != kind and not any(d.series == name and d.kind == "type" and d.detail == seen_kind for d in types):
            complaints.append(f"{name} is a {seen_kind}, not a {kind}")
        required, optional = label_names(labels)
        if required - seen - seen_optional or (seen | seen_optional) - required - optional:
            complaints.append(f"{name} has the labels {sorted(seen | seen_optional)}, not {labels}")
    check.none(complaints, "families that differ from the contract")


@on_servers
def check_live_pages_keep_the_contract(check: Check) -> None:
    """What a real Redis makes us serve has the types and labels that the table promises."""
    table = {row[0]: row for row in rows(CONTRACT / "families.tsv")}
    complaints = []
    for page in (exporter.page() for exporter in every_role(check)):
        for name, family in page.families.items():
            if name not in table:
                continue
            _, kind, labels, _, _ = table[name]
            if family.type != kind:
                complaints.append(f"{name} is a {family.type}, not a {kind}")
            required, optional = label_names(labels)
            for _, pairs in family.series:
                seen = {label for label, _ in pairs} - {"le", "quantile"}
                if required - seen or seen - required - optional:
                    complaints.append(f"{name} has the labels {sorted(seen)}, not {labels}")
    check.none(sorted(set(complaints)), "families that differ from the contract")


def every_role(check: Check) -> list[exporters.Exporter]:
    """Redline on a loaded master, a replica, a Sentinel and a cluster node, each with every flag that adds families."""
    master = servers.RedisServer(check, *awkward.server_options(check))
    awkward.load(check, master)
    replica = servers.replica_of(check, master)
    sentinel = servers.sentinel_of(check, master)
    node = servers.cluster(check)[0]
    watched = [exporters.redline(check, server.url, exporters.FRESH, *ALL_FLAGS)
               for server in (master, replica, sentinel, node)]
    check.until(lambda: watched[0].page().families.get("redis_key_size"), 60, "key checks are on the master's page")
    return watched


@on_servers
def check_promtool(check: Check) -> None:
    """promtool complains of nothing but the names that compatibility forces."""
    allowed = {row[0] for row in rows(CONTRACT / "promtool_allowed.txt")}
    complaints = set()
    for exporter in every_role(check):
        result = subprocess.run([tool("promtool"), "check", "metrics"], input=exporter.get().body, capture_output=True,
                                timeout=30, check=False)
        complaints |= set(result.stderr.decode().strip().splitlines()) - allowed
    check.none(sorted(complaints), "new complaints of promtool check metrics")


def check_help_is_said(check: Check) -> None:
    """Every family has a help text that is more than its name."""
    page = every_role(check)[0].page()
    bare = [name for name, family in page.families.items()
            if len(family.help.split()) < 3 or family.help.endswith(" metric")]
    check.none(bare, "families without a sentence of help")
