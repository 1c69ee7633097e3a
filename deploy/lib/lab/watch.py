"""The redline.yml that watches the lab, each workload from as few seeds as asked for."""

import pathlib

from .place import Place, write_whole
from .workloads import cache, queues, sessions
from .workloads.sessions import DRILL_USER, MASTER_NAME

# As they lie in the tree, or else where the image and the package of redline have them.
ADVISORIES = pathlib.Path(__file__).parents[2] / "advisories" / "redis.json"
INSTALLED_ADVISORIES = pathlib.Path("/usr/share/redline/advisories/redis.json")

TEXT = """\
# The lab's three workloads. Written by deploy/lab; everything else comes with the kind of the workload.
defaults:
  environment: lab
  # Known faults of versions, which redline audit holds against the servers.
  audit: {{ advisories: "{advisories}" }}
# With --storage.path, what decides on alerts is kept for a day: redline replay shows it.
recorder: {{ keep: 24h, size: 256MiB }}
# What deploy/lab drill, backup, loadtest and ready find is left here, and the redline that watches takes it in.
results: {{ path: "{results}" }}
# Who has this token may mark changes: deploy/docs/changes.md has the command.
marks: {{ token_file: "{marks_file}" }}
workloads:
  - name: cache
    kind: cache
    seeds: [{cache}]
    degraded: {{on_redis_loss: database, note: "One loader for each key; the database bears 800 requests/s."}}
    # What its servers should run with: redline drift tells what differs.
    declared: {{ redis_conf: "{declared}/cache.conf" }}
    # Which prefixes hold its memory: /metrics and the dashboard have it.
    keyspace: {{ every: 1m, sample: 5000, census: replicas }}
    aliases:
{cache_aliases}
  - name: sessions
    kind: session
    sentinel:
      master_name: {master_name}
      seeds: [{sentinels}]
    credentials:
      password_file: "{password_file}"
    # deploy/lab drill breaks its master.
    disruptive: allowed
    drill:
      credentials: {{ user: {drill_user}, password_file: "{drill_file}" }}
    degraded: {{on_redis_loss: relogin, note: "Tell support: it brings a rush of logins."}}
    # What its traffic keeps to: locks of 10 s, circuits of a minute, a limit of each kind.
    watches:
      # A replica names each lock as it changes: how long holds are, and which expire.
      follow: replica
      locks: {{ contracts: [{{ pattern: "lock:*", ttl: 10s, release: required }}] }}
      circuits: {{ ttl: 60s }}
      rate_limits:
        - {{ name: fixed, kind: fixed, patterns: ["rate:*:*"], limit: 100, window: 60s, ttl: 60s }}
        - {{ name: sliding, kind: sliding, patterns: ["sliding:*"], limit: 100, window: 60s }}
        - {{ name: bucket, kind: bucket, patterns: ["bucket:*"] }}
    declared: {{ redis_conf: "{declared}/sessions.conf" }}
    aliases:
{sessions_aliases}
  - name: queues
    kind: queue
    seeds: [{queues}]
    degraded: {{on_redis_loss: local, note: "Producers write to disk and send later."}}
    declared: {{ redis_conf: "{declared}/queues.conf" }}
    aliases:
{queues_aliases}
"""


def write_watch_file(place: Place, seed_count: int) -> pathlib.Path:
    # Made with the first server; here for a lab that was up before there were drills.
    place.password("drill")
    place.password("marks")
    # The commands want it even where no redline watches.
    results = place.folder / "results"
    results.mkdir(exist_ok=True)
    declared = place.folder / "declared"
    declared.mkdir(exist_ok=True)
    for name, workload in {"cache": cache, "sessions": sessions, "queues": queues}.items():
        write_whole(declared / f"{name}.conf", declaration(workload.SETTINGS))

    def seeds(workload: str) -> str:
        return ", ".join(node.address for node in place.nodes(workload)[:seed_count])

    def aliases(workload: str) -> str:
        # Spares too, so that a node that is added later has its name at once.
        return "\n".join(f"      127.0.0.1:{port}: {name}" for name, (port, _) in place.ports().items()
                         if name.startswith(workload + "-"))

    write_whole(place.watch_file, TEXT.format(
        cache=seeds("cache"), sentinels=seeds("sentinel"), queues=seeds("queues"), master_name=MASTER_NAME,
        advisories=ADVISORIES if ADVISORIES.exists() else INSTALLED_ADVISORIES, declared=declared,
        results=results, password_file=place.password_file("sessions"), drill_user=DRILL_USER, drill_file=place.password_file("drill"),
        marks_file=place.password_file("marks"), cache_aliases=aliases("cache"), sessions_aliases=aliases("sessions"), queues_aliases=aliases("queues")))
    return place.watch_file


def declaration(settings: str) -> str:
    """The lines of a workload's settings that are the same for all of its servers and no secret."""
    return "".join(f"{line}\n" for line in settings.splitlines() if "{" not in line)
