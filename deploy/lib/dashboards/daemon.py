"""Is Redline itself well, and what does it cost?"""

from .model import Dashboard, Row, panel, stat

DASHBOARD = Dashboard(
    "redline-daemon", "Redline / The daemon", "What Redline does, and what it costs itself and Redis.", (
    Row("Can it be believed?", (
        stat("Running since", "dateTimeFromNow", "When this daemon started.",
             'process_start_time_seconds{job="$job"} * 1000'),
        stat("Oldest poll", "s", "Age of what it knows of the member it has not reached for the longest time.",
             "max(time() - redis_exporter_last_success_timestamp_seconds{$where})", red_from=120,
             runbook="RedisPollStale"),
        stat("Storage", "none", "Whether events and counts outlive a restart: 1 is yes.",
             'min(redis_exporter_storage_durable{job="$job"})', runbook="RedlineStorageNotDurable"),
        stat("Events lost", "none", "Since it started.",
             'sum(redis_exporter_storage_dropped_events_total{job="$job"})', red_from=1,
             runbook="RedlineEventsDropped"),
        stat("Sentinels unheard", "none", "Sentinels whose messages do not arrive.",
             "sum(1 - redis_sentinel_subscription_up{$where})", red_from=1, runbook="RedlineSentinelUnheard"),
        stat("Open files", "percentunit", "Of those that it may open.",
             'max(process_open_fds{job="$job"} / process_max_fds{job="$job"})', red_from=0.8))),
    Row("Polls", (panel(
        "Polls per second", "ops", "Of all members.",
        "sum by (workload) (rate(redis_exporter_scrapes_total{$where}[$__rate_interval]))",
        runbook="RedisPollStale", low=0),
        panel("Duration of a poll", "s", "Mean of each workload.",
              "sum by (workload) (rate(redis_exporter_scrape_duration_seconds_sum{$where}[$__rate_interval])) "
              "/ sum by (workload) (rate(redis_exporter_scrape_duration_seconds_count{$where}[$__rate_interval]))",
              runbook="RedisPollStale", low=0), panel(
        "Lateness p99", "s", "One poll in a hundred begins at least so long after its time: Redline lacks CPU.",
        "histogram_quantile(0.99, sum by (workload, le) ("
        "rate(redis_exporter_poll_lateness_seconds_bucket{$where}[$__rate_interval])))",
        runbook="RedisPollStale", low=0),
        panel("Probes that fail", "ops", "Probes without an answer, and those that came too late to be sent.",
              ("sum by (workload) (rate(redis_probe_failures_total{$where}[$__rate_interval]))", "{{workload}} failed"),
              ("sum by (workload) (rate(redis_probe_missed_total{$where}[$__rate_interval]))", "{{workload}} missed"),
              runbook="RedisAvailabilityBurn", low=0), panel(
        "Connection failures", "ops", "By their class.",
        ("sum by (class) (rate(redis_exporter_connection_failures_total{$where}[$__rate_interval]))", "{{class}}"),
        runbook="RedisDown", low=0), panel(
        "Collectors that fail", "none", "Members for which a collector has no data.",
        ("sum by (collector) (1 - redis_exporter_collector_success{$where})", "{{collector}}"),
        runbook="RedlineCollectorRefused", low=0))),
    Row("What it costs Redis", (panel(
        "Commands", "ops", "What Redline sends to each member.",
        ("rate(redis_exporter_commands_sent_total{$where}[$__rate_interval])", "{{instance}}"), low=0), panel(
        "Bytes received", "Bps", "What members send to Redline.",
        ("rate(redis_exporter_received_bytes_total{$where}[$__rate_interval])", "{{instance}}"), low=0), panel(
        "Work on keys", "percentunit", "Share of the time in which Redline looks at keys.",
        ("redis_exporter_key_work_duty_ratio{$where}", "{{instance}}"), runbook="RedlineKeyWatchBlind", low=0), panel(
        "Dropped series", "none", "Series beyond the limit of a member.",
        ("redis_exporter_dropped_series{$where}", "{{instance}}"), low=0))),
    Row("What it costs itself", (panel(
        "CPU of a core", "percentunit", "Of the process.",
        ('rate(process_cpu_seconds_total{job="$job"}[$__rate_interval])', "CPU"), low=0), panel(
        "Memory", "bytes", "Of the process.", ('process_resident_memory_bytes{job="$job"}', "resident"), low=0), panel(
        "Version", "none", "What runs.", ('redis_exporter_build_info{job="$job"}', "{{version}}"), kind="table")))))
