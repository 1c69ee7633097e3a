"""Is all well, and if not, where?"""

from .common import (EVICTIONS, HIT_RATIO, LATENCY_P99, MEMORY_SHARE, NETWORK, OPERATIONS, REPLICATION_LAG, UP)
from .model import Dashboard, Row, panel, stat

# The checks that need a look over each server, but for drift and certificates, which are told apart.
AUDIT = ("open-login|public-address|bind-wide|protected-off|danger-reach|danger-present|all-keys|debug-enabled|breach-signs|"
         "client-unexpected|denied-attempt|user-unused|tls-off|tls-inner|tls-weak|cert-expiry|credential-age|cve|eol")

DASHBOARD = Dashboard("redline-fleet", "Redline / Fleet", "All workloads at a glance.", (
    Row("Is all well?", (
        stat("Members down", "none", "Members that do not answer.",
             "count(redis_up{$where}) - sum(redis_up{$where})", red_from=1, runbook="RedisDown"),
        stat("Masters missing", "none", "Masters that are expected and not there.",
             "sum(redis_workload_masters_expected{$where} - redis_workload_masters_present{$where})",
             red_from=1, runbook="RedisMastersMissing"),
        stat("Replicas missing", "none", "Replicas that are expected and not in step with a master.",
             "sum(redis_workload_replicas_expected{$where} - redis_workload_replicas_online{$where})",
             red_from=1, runbook="RedisReplicaMissing"),
        stat("Failovers", "none", "Within the time that is shown.",
             "round(sum(increase(redis_failovers_total{$where}[$__range])))", red_from=1, runbook="RedisFailover"),
        stat("In peak", "none", "Workloads whose peak objectives are in force.",
             "sum(redis_workload_in_peak{$where})"),
        stat("In maintenance", "none", "Workloads inside a maintenance window: what it brings about pages nobody.",
             "sum(redis_workload_in_maintenance{$where})", runbook="RedisMaintenance"))),
    Row("What clients notice", (OPERATIONS, LATENCY_P99, HIT_RATIO, EVICTIONS)),
    Row("Error budgets", (panel(
        "Availability budget left", "percentunit",
        "Of 30 days, at most: what Redline did not see counts as not used. Below 0 more is used than there was.",
        "min by (environment, workload) (redis_workload_error_budget_remaining_ratio{$where, objective=\"availability\"})",
        runbook="RedisAvailabilityBurnSlow", high=1), panel(
        "Latency budget left", "percentunit",
        "Of 30 days, at most. The budget is the 1% of probes that may take longer than the objective.",
        "min by (environment, workload) (redis_workload_error_budget_remaining_ratio{$where, objective=\"latency\"})",
        runbook="RedisLatencyBurnSlow", high=1), panel(
        "Burn rate", "none", "How many times too fast the budgets are used over the last hour: at 1 they last for 30 days.",
        ("max by (environment, workload, objective) (redis_workload_error_budget_burn_rate{$where, window=\"1h\"})",
         "{{workload}} {{objective}}"),
        runbook="RedisLatencyBurn", red_from=14.4, low=0))),
    Row("What is verified", (panel(
        "Age of checks", "s", "Time since the last run with a verdict of each check: backups that were loaded, failovers and loads that were tried.",
        ("time() - max by (environment, workload, check) (redis_workload_check_last_timestamp_seconds{$where})",
         "{{workload}} {{check}}"), runbook="RedisCheckOverdue", low=0), panel(
        "Checks that passed", "none", "1 where the last run with a verdict was ok, 0 where it found something wrong.",
        ("min by (environment, workload, check) (redis_workload_check_passed{$where})", "{{workload}} {{check}}"),
        runbook="RedisCheckFailed", low=0, high=1))),
    Row("Audit", (panel(
        "Servers with a finding of the audit", "none",
        "How many servers each check of the audit finds something at, info among it. What was there at the first look over a server alerts nobody.",
        ("count by (environment, workload, check) (redis_finding{$where, check=~\"" + AUDIT + "\"})",
         "{{workload}} {{check}}"), runbook="RedisAuditWarning", low=0), panel(
        "Worst finding of the audit", "none", "1 info, 2 warning, 3 critical.",
        ("max by (environment, workload) (redis_finding{$where, check=~\"" + AUDIT + "\"})", "{{workload}}"),
        runbook="RedisAuditCritical", low=0, high=3), panel(
        "Settings that differ from their files", "none",
        "Of each server, where the workload declares a redis.conf. Absent while too little of a server can be seen.",
        ("max by (environment, workload, instance) (redis_instance_declared_drift_settings{$where})",
         "{{workload}} {{instance}}"), runbook="RedisDeclaredDrift", low=0))),
    Row("What wears out first", (MEMORY_SHARE, REPLICATION_LAG, NETWORK, panel(
        "Clients", "none", "Connections to all members.",
        "sum by (environment, workload) (redis_connected_clients{$where})", runbook="RedisClientsNearLimit", low=0))),
    Row("Members", (UP, panel(
        "Versions", "none", "Different versions that a workload runs. More than one belongs to an upgrade.",
        "redis_workload_versions{$where}", runbook="RedisVersionSkew", low=0), panel(
        "Members and their roles", "percentunit", "Memory of maxmemory of each member, with its role.",
        "redis_memory_used_ratio{$where} * on (job, environment, workload, instance) group_left (role) "
        "(redis_instance_role{$where} == 1)", kind="table", runbook="RedisMemoryHigh")))))
