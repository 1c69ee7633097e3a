"""Every rule of alerts/ over a day of a fleet: promtool and redline record the same and fire at the same evaluations."""

from checks.alert_rules import FILES, alerts, rules
from harness.check import Check
from promql import fleet, replay
from promql.history import LENGTH_SECONDS, notation

TIMEOUT_SECONDS = 240


def check_same_records_and_alerts(check: Check) -> None:
    series = fleet.history(start_seconds=0)
    # What one group records another reads: the objectives come first.
    files = sorted(FILES, key=lambda file: file.name != "objectives.yml")
    plain = check.file("day.series", "".join(notation(series)))
    expected = replay.by_promtool(check.folder, files, series, seconds=180)
    seen = replay.evaluations(replay.by_redline(plain, files, seconds=120), LENGTH_SECONDS)
    check.none(replay.differences(expected, seen), "samples that rules give in one of both, or with other values")

    check.equal(len(expected), int(LENGTH_SECONDS / 60) + 1, "evaluations")
    given = {name for samples in expected.values() for name in samples}
    recorded = {rule.name for rule in rules() if rule.kind == "record"}
    check.none([name for name in sorted(recorded) if not any(f'"__name__": "{name}"' in one for one in given)],
               "series that are never recorded")
    fired = replay.firing(expected)
    check.none([rule.name for rule in alerts() if not any(f'"alertname": "{rule.name}"' in one for one in fired)],
               "alerts that never fire")
    failovers = [one for one in fired if '"alertname": "RedisFailover"' in one]
    check.equal(sorted('"maintenance": "true"' in one for one in failovers), [False, True],
                "the failover that was planned and the one that was not")
    # Something between never and always.
    changing = {one for one in given if '"ALERTS"' in one and not all(one in samples for samples in expected.values())}
    check.that(len(changing) >= len(alerts()), f"only {len(changing)} alerts come and go")
