"""Who runs each command of the documents. One that is new has no row here, and the check says so."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Runs:
    """The check of documents runs it, with words of the document exchanged for some that are there."""
    exchange: tuple[tuple[str, str], ...] = ()


@dataclasses.dataclass(frozen=True)
class Serves:
    """The check of documents runs it until it serves."""


@dataclasses.dataclass(frozen=True)
class By:
    """Another check runs it: its file, the function (or class of the harness) that does, and words of it there."""
    path: str
    name: str
    words: str


@dataclasses.dataclass(frozen=True)
class Not:
    """Nothing runs it, for this reason."""
    reason: str


CHECKS = "Tests/e2e/checks/"
ITSELF = Not("it runs this very check, too; its options are held by Tests/run --help")
MEASURES = "it measures for many minutes on a machine that does nothing else"
RULES = (("FILES", "alerts/*.yml"),)

COMMANDS: dict[str, Runs | Serves | By | Not] = {
    # Starting
    "deploy/quickstart": By(CHECKS + "quickstart.py", "check_the_lab", "started(check)"),
    "deploy/quickstart --redis redis://host:6379": By(CHECKS + "quickstart.py", "check_existing_redis", '"--redis"'),
    "swift build -c release --static-swift-stdlib --product redline": By(
        "deploy/lib/build.sh", "swift_build", "-c release --static-swift-stdlib --product redline"),
    ".build/release/redline --redis.addr redis://host:6379": Serves(),
    "redline --config.file redline.yml": Serves(),
    # Shards
    "redline --config.file=/etc/redline/redline.yml --shard=3/10 --storage.path=/var/lib/redline/3.db": By(
        CHECKS + "shards.py", "start", "--shard="),
    "redline check config redline.yml --shard 1/10": Runs(),
    "redline check fleet redline.yml --shard 3/10": By(
        CHECKS + "shards.py", "check_commands_say_who_watches_what", '"fleet", site.config, "--shard"'),
    # Drift
    "redline audit FILE": By(CHECKS + "audit.py", "", 'REDLINE), "audit"'),
    "redline audit /etc/redline/redline.yml": By(CHECKS + "audit.py", "", 'REDLINE), "audit"'),
    "redline audit --url http://127.0.0.1:9121 --format markdown": By(
        CHECKS + "audit.py", "check_the_first_look_alerts_nobody_and_what_is_new_does", '"--url"'),
    "redline audit": By(CHECKS + "audit.py", "", 'REDLINE), "audit"'),
    "redline acl FILE": By(CHECKS + "audit.py", "check_the_rights_of_acl_are_enough", '"acl"'),
    # Keys
    "redline keys redis://10.0.0.1:6379": By(CHECKS + "keyspace.py", "keys", 'REDLINE, "keys"'),
    "redline drift redline.yml": By(CHECKS + "drift.py", "drift", 'REDLINE, "drift"'),
    # Drills
    "redline drill redline.yml --workload sessions --fault planned": By(
        CHECKS + "drill.py", "check_a_planned_failover_loses_nothing", '"--fault", "planned"'),
    "redline drill redline.yml --workload sessions --fault kill --exec 'ssh -n \"$REDLINE_DRILL_HOST\" pkill -9 -x redis-server'": By(
        CHECKS + "drill.py", "check_a_master_that_is_killed", '"--fault", "kill", "--exec"'),
    "deploy/lab drill": By(CHECKS + "drill.py", "check_the_lab_drills", 'lab.run("drill"'),
    "deploy/lab drill bare": By(CHECKS + "drill.py", "check_the_lab_drills", '"drill", "bare"'),
    "deploy/lab loadtest good": By(CHECKS + "ready.py", "check_a_lab_that_is_ready", '("loadtest",)'),
    "deploy/lab loadtest stall": By(CHECKS + "ready.py", "check_a_lab_that_is_ready", '"loadtest", "stall"'),
    "deploy/lab ready": By(CHECKS + "ready.py", "check_a_lab_that_is_ready", 'lab.run("ready"'),
    "deploy/lab backup good": By(CHECKS + "drill.py", "check_the_lab_verifies_backups", 'lab.run("backup"'),
    "deploy/lab backup damaged": By(CHECKS + "drill.py", "check_the_lab_verifies_backups", '"backup", "damaged"'),
    "redis-cli -h MASTER KEYS redline:canary:RUN:*": By(CHECKS + "drill.py", "left", '"KEYS", f"redline:canary:{run}:*"'),
    "redis-cli -h OLD_MASTER CLIENT UNPAUSE": Not("the drill does it by itself; it is for whom a killed one left in doubt"),
    "redis-cli -h SERVER ACL SETUSER drill on >PASSWORD ~redline:canary:* resetchannels -@all +set +get +unlink +info +role +ping "
    "+cluster +client|pause +client|unpause +client|kill +client|setname +replicaof +config|get": By(
        "Tests/e2e/harness/drills.py", "may", "SERVER_RULES"),
    "redis-cli -h SENTINEL ACL SETUSER drill on >PASSWORD allchannels -@all +sentinel|master +sentinel|replicas +sentinel|sentinels "
    "+sentinel|ckquorum +sentinel|get-master-addr-by-name +sentinel|failover +info +psubscribe +ping": By(
        "Tests/e2e/harness/drills.py", "may", "SENTINEL_RULES"),
    # The lab
    "deploy/lab --help": Runs(),
    "deploy/lab up": By("Tests/e2e/harness/lab.py", "up", '"up"'),
    "deploy/lab config": By(CHECKS + "pages.py", "check_a_live_fleet", "lab.does('config')"),
    "deploy/lab down": By("Tests/e2e/harness/lab.py", "goes_down", '"down"'),
    "deploy/lab kill sessions-1": By(CHECKS + "pages.py", "check_a_live_fleet", '"kill", "sessions-1"'),
    "redline runbook NAME --gather --workload W --config.file redline.yml": By(
        CHECKS + "evidence.py", "check_a_terminal_gathers_without_a_daemon", '"--gather", "--workload", "shop"'),
    # The flight recorder
    "redline replay FOLDER": By(CHECKS + "recorder.py", "check_other_rules_over_the_same_samples", '"--format", "json"'),
    "redline replay FOLDER --at 2026-11-30T03:12:00Z": By(
        CHECKS + "recorder.py", "check_faults_of_the_lab_replay_to_the_very_alerts", '"--at", during'),
    "redline replay FOLDER --at 2026-11-30T03:12:00Z --metrics NAME": By(
        CHECKS + "recorder.py", "check_other_rules_over_the_same_samples", '"--metrics"'),
    "redline replay FOLDER --rules alerts/memory.yml": By(
        CHECKS + "recorder.py", "check_other_rules_over_the_same_samples", '"--rules"'),
    "redline replay FOLDER --cut scenario --workload NAME --check ID": By(
        CHECKS + "recorder.py", "check_other_rules_over_the_same_samples", '"--cut", "scenario"'),
    # Tests
    "Tests/run": ITSELF,
    "Tests/run --quick": ITSELF,
    "Tests/run --thorough": ITSELF,
    "Tests/run --only NAME": ITSELF,
    "UPDATE_GOLDEN=1 Tests/run --quick": Not("it would rewrite the goldens that the tests compare with"),
    "UPDATE_GOLDEN=1 Tests/run --only documents": Not("it would rewrite what this check compares with"),
    "Tests/e2e/run.py --list": Runs(),
    "swift format lint -r --strict Sources Tests Package.swift": By(CHECKS + "tidy.py", "check_format", '"lint"'),
    "Tests/fuzz": By(CHECKS + "fuzz.py", "check_extremes", "Campaign("),
    "Tests/sanitize": Not("it builds everything anew with each sanitizer, which takes as long as all tests"),
    "Tests/bench/run": Not(MEASURES),
    "Tests/bench/run --scale": By(CHECKS + "scale.py", "check_benchmark", '"scale.py"'),
    "Tests/bench/run --failover": Not(MEASURES),
    "Tests/bench/run --rules": Not(MEASURES),
    "Tests/bench/run --page": Not(MEASURES),
    "Tests/bench/run --soak": Not(MEASURES),
    "Tests/bench/run --precision": By(CHECKS + "precision.py", "check_both_judge_alike", "precision.lay_out("),
    "Tests/bench/run --precision --only NAME": Not(MEASURES),
    # Subcommands
    "redline --version": Runs(),
    "redline families --help-texts": Runs(),
    "redline check-config redline.yml": Runs(),
    "redline check fleet redline.yml": By(CHECKS + "check_fleet.py", "check_one_command_says_the_same", "asked("),
    "redline ready": By(CHECKS + "ready.py", "ready", '"ready", str('),
    "redline ready /etc/redline/redline.yml --workload carts --factor 10 --url http://127.0.0.1:9121": By(
        CHECKS + "ready.py", "ready", '"--workload", "carts"'),
    "redline load plan /etc/redline/redline.yml --workload carts --factor 3": By(
        CHECKS + "load.py", "check_a_plan_has_the_mix", '"load", "plan"'),
    "redline load run /etc/redline/redline.yml --workload carts --exec ./generate --for 10m": By(
        CHECKS + "load.py", "check_a_stall_of_a_second_shows", "words(config"),
    "redline backup verify": By(CHECKS + "backup.py", "check_keys_are_counted_exactly", "verify(check"),
    "redline backup verify /etc/redline/redline.yml --workload carts": By(
        CHECKS + "backup.py", "check_keys_are_counted_exactly", "verify(check"),
    "redline check fleet --url": By(CHECKS + "api_fleet.py", "check_a_command_asks_the_daemon", '"--url", url'),
    "redline runbook NAME": By(CHECKS + "transport.py", "commands_of_runbooks", '"runbook", *words'),
    "redline runbook NAME --workload W": By(CHECKS + "transport.py", "commands_of_runbooks", '"--workload", "session"'),
    "redline report --workload sessions --from 2026-11-30T03:00:00Z --to 2026-11-30T03:30:00Z --format markdown": By(
        CHECKS + "report.py", "forms", "report(exporter,"),
    """curl -fsS -H "Authorization: Bearer $(cat results.token)" -d @result.json http://127.0.0.1:9121/api/v1/results""": By(
        CHECKS + "results.py", "check_results_are_taken_kept_and_shown", "site.post(drill)"),
    """curl -fsS -H "Authorization: Bearer $(cat marks.token)" -d '{"text": "deploy 4711", "tags": ["workload:carts", "kind:change"]}' http://127.0.0.1:9121/api/v1/marks""": By(
        CHECKS + "marks.py", "check_a_change_opens_a_maintenance_window", '"workload:carts", "kind:change"'),
    """curl -fsS -H "Authorization: Bearer $(cat marks.token)" -d '{"text": "deploy 4711 is done", "tags": ["workload:carts", "kind:change-end"]}' http://127.0.0.1:9121/api/v1/marks""": By(
        CHECKS + "marks.py", "check_a_change_opens_a_maintenance_window", '"workload:carts", "kind:change-end"'),
    "redline status": By(CHECKS + "marks.py", "check_a_change_opens_a_maintenance_window", '"status", "--url"'),
    "redline upgrade check": By(CHECKS + "upgrade.py", "check_one_fault_each", "asked("),
    "redline upgrade check /etc/redline/redline.yml --workload sessions --to valkey-9.1": By(
        CHECKS + "upgrade.py", "check_the_user_of_sentinels_is_asked_about", 'config, "valkey-9.1"'),
    "redis-cli -h MASTER CLIENT PAUSE 30000 WRITE && redis-cli -h SENTINEL -p 26379 SENTINEL FAILOVER NAME": By(
        CHECKS + "drill.py", "check_the_pause_of_runbooks_loses_nothing", "runbook_failover("),
    "redline report": By(CHECKS + "report.py", "check_the_report_of_an_incident", "report(exporter,"),
    "redline check fleet": By(CHECKS + "check_fleet.py", "check_one_command_says_the_same", "asked("),
    "redline check-config redline.yml --print": Runs(),
    "redline check rules FILES": Runs(RULES),
    "redline test rules FILES": Runs((("FILES", "alerts/tests/failover.test.yml"),)),
    "redline test promql FILES": Runs((("FILES", "Tests/PromQLTests/Scripts/functions.test"),)),
    "redline test alertmanager redline.yml": By(CHECKS + "notifier.py", "", '"test", "alertmanager"'),
    "redline acl": Runs(),
    "redline acl redline.yml": Runs(),
    "redline acl --features": Runs(),
    "redline switch check --prometheus http://prometheus:9090 --exporter http://cache-1:9121 --redline http://cache-1:9122 "
    "--dashboard redis.json": By(CHECKS + "switching.py", "check_the_verdict_before_the_swap", "asked("),
    "redline switch check": By(CHECKS + "switching.py", "check_the_verdict_before_the_swap", "asked("),
    "redline check access --scrape targets.txt": By(
        CHECKS + "endpoints.py", "check_scrape_withholds_credentials", "tried_beforehand("),
    "redline check-access": By(CHECKS + "least_privilege.py", "check_exit_codes", '"check-access"'),
    # Monitoring
    "sudo mkdir -p /etc/prometheus/redline": Runs(),
    "sudo cp alerts/*.yml alerts/meta/*.yml /etc/prometheus/redline/": Runs(),
    "sudo cp deploy/prometheus/prometheus.yml deploy/alertmanager/{alertmanager.yml,redline.tmpl} /etc/prometheus/": Runs(),
    r"sudo sed -i '/alerts.meta/d; s,\.\./\.\./alerts/,redline/,' /etc/prometheus/prometheus.yml": Runs(),
    "promtool check config": Runs((("check config", "check config /etc/prometheus/prometheus.yml"),)),
    "amtool check-config": Runs((("check-config", "check-config /etc/prometheus/alertmanager.yml"),)),
    "sed -i 's,http://redline:9121,https://redline.example.org,' /etc/prometheus/redline/*.yml": Runs(),
    r"sed -i 's,https*://[^/]*/runbooks/\(.*\),https://wiki.example.org/redis/\1,' /etc/prometheus/redline/*.yml":
        Runs(),
    "deploy/dashboards": By(CHECKS + "dashboards.py", "check_dashboards_are_what_the_tables_say", '"dashboards"'),
    "deploy/package": By(CHECKS + "package.py", "", '"package"'),
    "deploy/release stamp v0.2.0": By(CHECKS + "release.py", "check_the_version_comes_from_the_tag", '"stamp"'),
    "deploy/release sbom FILE": By(CHECKS + "release.py", "check_bill_of_materials", '"sbom"'),
    "deploy/release notes v0.2.0": Runs(),
    "deploy/kubernetes/prometheus-rule.py > deploy/kubernetes/prometheus-rule.yaml": By(
        CHECKS + "kubernetes.py", "check_rules_are_those_of_alerts", "prometheus-rule"),
    # Containers
    "docker build -f deploy/container/Dockerfile -t redline .": Not("it needs Docker; hadolint and container.py read it"),
    "docker compose -f deploy/container/compose.yaml up --build": Not("it needs Docker; container.py resolves and reads it"),
    "docker-compose config": By(CHECKS + "container.py", "check_compose_file", "linters.compose(check, COMPOSE)"),
    # Storage
    "sqlite3 redline.db '.backup copy.db'": Runs(),
}
