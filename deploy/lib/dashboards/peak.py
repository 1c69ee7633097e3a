"""A sale, a launch, a match: what to watch while many come at once."""

from .common import (CLIENTS, EVICTIONS, HIT_RATIO, LATENCY_P99_IN_PEAK, MEMORY_SHARE, NETWORK, OPERATIONS, REJECTED,
                     SLOW_SHARE, TOP_COMMANDS)
from .model import Dashboard, Row, panel

DASHBOARD = Dashboard(
    "redline-peak", "Redline / Peak event", "The four figures of a peak, and p99 against its objective.", (
    Row("The four, and latency", (OPERATIONS, MEMORY_SHARE, HIT_RATIO, EVICTIONS, LATENCY_P99_IN_PEAK, panel(
        "Peak in force", "none", "While a workload is in peak, its stricter objectives are drawn in these panels.",
        "redis_workload_in_peak{$where}", kind="state-timeline", states=("usual", "peak", "blue")))),
    Row("What gives way next", (CLIENTS, REJECTED, SLOW_SHARE, TOP_COMMANDS, NETWORK, panel(
        "CPU of a core", "percentunit", "Redis carries out commands on one core: near 1 every client waits.",
        ("rate(redis_cpu_user_main_thread_seconds_total{$where}[$__rate_interval]) "
         "+ rate(redis_cpu_sys_main_thread_seconds_total{$where}[$__rate_interval])", "{{instance}}"),
        runbook="RedisLatencyP99High", low=0)))))
