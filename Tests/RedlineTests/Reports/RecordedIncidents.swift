@testable import redline

extension RecordedDaemon {
  /// 2026-11-30T03:00:00Z
  static let night = 1_796_007_600.0

  /// A master of a Sentinel group was killed, a replica took over, the old one came back.
  static func failover() -> RecordedDaemon {
    let daemon = RecordedDaemon(begin: night)
    daemon.answers = [
      "fleet/sessions": #"""
      {"workloads":[{"name":"sessions","kind":"session","topology":"sentinel","environment":"production",
      "degraded":{"onRedisLoss":"relogin","text":"users log in again"}}]}
      """#,
      "status/flags": #"{"namespace":"redis"}"#,
      "events": #"""
      {"events":[
      {"time":"2026-11-30T03:22:06.900Z","kind":"alert_resolved","workload":"sessions","summary":"RedisFailover: sessions failed over","severity":"critical","alert":"RedisFailover"},
      {"time":"2026-11-30T03:15:30.000Z","kind":"alert_resolved","workload":"sessions","node":"10.0.1.1:6379","summary":"RedisDown: 10.0.1.1:6379 is down","severity":"critical","alert":"RedisDown"},
      {"time":"2026-11-30T03:15:14.500Z","kind":"recovered","workload":"sessions","node":"10.0.1.1:6379","summary":"10.0.1.1:6379 answers again"},
      {"time":"2026-11-30T03:12:34.000Z","kind":"alert_fired","workload":"sessions","node":"10.0.1.1:6379","summary":"RedisDown: 10.0.1.1:6379 is down","severity":"critical","alert":"RedisDown"},
      {"time":"2026-11-30T03:12:07.400Z","kind":"alert_fired","workload":"sessions","summary":"RedisFailover: sessions failed over <b>","severity":"critical","alert":"RedisFailover"},
      {"time":"2026-11-30T03:12:06.900Z","kind":"failover","workload":"sessions","node":"10.0.1.2:6379","summary":"automatic failover of mymaster from 10.0.1.1:6379 to 10.0.1.2:6379; no master answered for 2.6 s; at most about 1420 bytes (about 11 writes) were lost","failover":"automatic","from":"10.0.1.1:6379","to":"10.0.1.2:6379","outageSeconds":2.6,"lostBytes":{"least":0,"most":1420},"lostWrites":{"least":0,"most":11},
      "phases":[{"name":"sdown","time":"2026-11-30T03:12:06.100Z"},{"name":"odown","time":"2026-11-30T03:12:06.150Z"},{"name":"switch","time":"2026-11-30T03:12:06.900Z"}],
      "clients":[{"node":"10.0.1.1:6379","before":210},{"node":"10.0.1.2:6379","before":4,"after":187}]},
      {"time":"2026-11-30T03:12:04.300Z","kind":"unreachable","workload":"sessions","node":"10.0.1.1:6379","summary":"10.0.1.1:6379 does not answer"}],
      "page":1,"hasMore":false,"keptSince":"2026-09-01T00:00:00.000Z"}
      """#,
      "notifications": #"""
      {"alertmanagers":[],"notifications":[
      {"time":"2026-11-30T03:15:30.100Z","alert":"RedisDown","labels":{"severity":"critical","instance":"10.0.1.1:6379"},"state":"resolved","startsAt":"2026-11-30T03:12:34.000Z","alertmanager":"http://am:9093","outcome":"accepted"},
      {"time":"2026-11-30T03:12:34.200Z","alert":"RedisDown","labels":{"severity":"critical","instance":"10.0.1.1:6379"},"state":"firing","startsAt":"2026-11-30T03:12:34.000Z","alertmanager":"http://am:9093","outcome":"no connection"},
      {"time":"2026-11-30T03:12:07.600Z","alert":"RedisFailover","labels":{"severity":"critical"},"state":"firing","startsAt":"2026-11-30T03:12:07.400Z","alertmanager":"http://am:9093","outcome":"accepted"}],
      "page":1,"hasMore":false,"keptSince":"2026-09-01T00:00:00.000Z"}
      """#,
      "evidence": #"""
      {"evidence":[{"id":"k3v1","alert":"RedisDown","alerts":["RedisDown"],"severity":"critical","workload":"sessions","node":"10.0.1.1:6379","pending":"2026-11-30T03:12:04.500Z","fired":"2026-11-30T03:12:34.000Z","looks":["2026-11-30T03:12:05.000Z"],
      "culprits":[{"text":"`KEYS` from job-7 took 4.8 s at 03:11:58, 6 s before","restsOn":"slow log of 10.0.1.1:6379"}]},
      {"id":"k3v2","alert":"RedisFailover","alerts":["RedisFailover"],"severity":"critical","workload":"sessions","fired":"2026-11-30T03:12:07.400Z","looks":[],"culprits":[]}],
      "limits":{"count":500,"days":90}}
      """#,
      "budgets": #"""
      {"budgets":[{"workload":"sessions","objective":"availability","target":0.999,"from":"2026-11-30T03:00:00Z","to":"2026-11-30T03:30:00Z","knownSeconds":1800,"badSeconds":12.5,"budgetSeconds":2592,"usedRatio":0.00482}]}
      """#,
      "runbooks/RedisDown":
        ##"{"text":"# RedisDown\n\n## Write down\n\nWhen it died and came back, the reason in its log, who took over, what clients saw.\n"}"##,
      "runbooks/RedisFailover":
        ##"{"text":"# RedisFailover\n\n## Write down\n\nTime line: last good answer, +sdown, +odown, +switch-master, first write on the new one, last client over. Clients'\nerrors. Why the old master failed: that is the incident.\n"}"##,
    ]
    let (old, new, third) = (
      #""instance":"10.0.1.1:6379""#, #""instance":"10.0.1.2:6379""#, #""instance":"10.0.1.3:6379""#
    )
    let steady = [(0.0, 1.0), (1800, 1)]
    daemon.series = [
      ("redis_up{", [(old, [(0, 1), (724, 0), (915, 1), (1800, 1)]), (new, steady), (third, steady)]),
      ("redis_probe_failures_total", [(old, [(0, 2), (724, 2), (727, 5), (1800, 5)]), (new, [(0, 0), (1800, 0)])]),
      ("redis_probe_missed_total", [(old, [(0, 0), (727, 0), (915, 164), (1800, 164)])]),
      (
        "redis_probe_duration_seconds_count",
        [(old, [(0, 9_000), (1800, 10_636)]), (new, [(0, 9_000), (1800, 10_800)])]
      ),
      (
        "redis_errors_total",
        // The old master is another process from 03:15 on; the others count what they never had.
        [
          ("\(new),\"err\":\"READONLY\"", [(730, 4), (1800, 12)]), ("\(old),\"err\":\"ERR\"", [(0, 7), (1800, 7)]),
          ("\(old),\"err\":\"LOADING\"", [(0, 30), (720, 30), (915, 2), (1800, 3)]),
        ]
      ),
      ("redis_rejected_connections_total", [(old, [(0, 0), (1800, 0)]), (new, [(0, 0), (1800, 0)])]),
      ("redis_evicted_keys_total", [(new, [(0, 0), (1800, 0)])]),
      ("sum(max by (instance) (redis_connected_clients", []),
      (
        "max by (instance) (redis_connected_clients",
        [(old, [(0, 208), (720, 210), (915, 3), (1800, 5)]), (new, [(0, 4), (720, 4), (730, 60), (1800, 204)])]
      ),
      ("redis_connections_received_total", [(new, [(0, 100), (720, 172), (730, 400), (930, 600), (1800, 1035)])]),
      ("redis_workload_in_peak", [("", [(0, 0), (1800, 0)])]),
    ]
    return daemon
  }

  /// An hour of a peak within two.
  static func peak() -> RecordedDaemon {
    let daemon = RecordedDaemon(begin: night)
    daemon.answers = [
      "fleet/cache": #"{"workloads":[{"name":"cache","kind":"cache","topology":"cluster"}]}"#,
      "status/flags": #"{"namespace":"redis"}"#,
      "events": #"{"events":[],"page":1,"hasMore":false,"keptSince":"2026-11-30T03:20:00.000Z"}"#,
      "notifications":
        #"{"alertmanagers":[],"notifications":[],"page":1,"hasMore":false,"keptSince":"2026-09-01T00:00:00.000Z"}"#,
    ]
    let node = #""instance":"10.0.0.1:6379""#
    func hours(_ values: Double...) -> [(Double, Double)] { values.enumerated().map { (Double($0) * 1200, $1) } }
    /// As drawn: each value stands until the next.
    func held(_ values: Double...) -> [(Double, Double)] {
      values.enumerated().flatMap { index, value in
        (0..<(index == values.count - 1 ? 1 : 20)).map { (Double(index) * 1200 + Double($0) * 60, value) }
      }
    }
    daemon.series = [
      ("redis_up{", [(node, hours(1, 1, 1, 1, 1, 1, 1))]),
      ("redis_workload_in_peak", [("", hours(0, 0, 1, 1, 1, 1, 0))]),
      (
        "max_over_time((sum(max by (instance) (redis_memory_used_bytes",
        [("", (0..<20).map { (Double($0) * 86_400, 8e9 + 2e7 * Double($0)) })]
      ),
      ("max_over_time(", [("", hours(1))]),
      ("topk(10", [(#""cmd":"get""#, [(7200, 90)]), (#""cmd":"hgetall""#, [(7200, 240)])]),
      (
        "sum by (cmd) (increase(redis_commands_total",
        [(#""cmd":"get""#, [(7200, 9_000_000)]), (#""cmd":"hgetall""#, [(7200, 60_000)])]
      ),
      ("increase(redis_probe_duration_seconds_bucket", [("", [(7200, 0.0016)])]),
      ("rate(redis_probe_duration_seconds_bucket", [("", held(0.001, 0.009, 0.0012, 0.0031, 0.0064, 0.0012, 0.001))]),
      ("rate(redis_commands_processed_total", [("", held(900, 1000, 9_000, 11_250, 10_400, 9_800, 1_000))]),
      ("redis_workload_hit_ratio", [("", held(0.95, 0.95, 0.93, 0.91, 0.92, 0.94, 0.95))]),
      ("redis_objective_latency_p99_seconds", [("", hours(0.01, 0.01, 0.005, 0.005, 0.005, 0.005, 0.01))]),
      ("redis_objective_memory_used_ratio", [("", hours(0.85, 0.85, 0.8, 0.8, 0.8, 0.8, 0.85))]),
      ("redis_objective_hit_ratio", [("", hours(0.8, 0.8, 0.85, 0.85, 0.85, 0.85, 0.8))]),
      ("redis_objective_evictions_allowed", [("", hours(1, 1, 0, 0, 0, 0, 1))]),
      ("redis_memory_used_bytes{workload=\"cache\"} /", [("", held(0.6, 0.6, 0.7, 0.72, 0.74, 0.75, 0.7))]),
      ("sum(max by (instance) (redis_memory_used_bytes", [("", hours(6e9, 6e9, 7e9, 7.2e9, 7.4e9, 8e9, 7e9))]),
      ("sum(max by (instance) (redis_memory_max_bytes", [("", hours(1e10, 1e10, 1e10, 1e10, 1e10, 1e10, 1e10))]),
      ("sum(max by (instance) (redis_connected_clients", [("", held(400, 410, 2_000, 2_400, 2_300, 2_200, 500))]),
      ("redis_max_clients", [("", hours(10_000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000))]),
      ("redis_keyspace_hits_total", [(node, hours(0, 100, 200, 1_040, 1_980, 2_920, 3_000))]),
      ("redis_keyspace_misses_total", [(node, hours(0, 10, 20, 70, 130, 190, 200))]),
      ("redis_evicted_keys_total", [(node, hours(5, 7, 9, 9, 9, 9, 40))]),
      ("redis_probe_failures_total", [(node, hours(0, 0, 0, 0, 0, 0, 0))]),
      ("redis_probe_duration_seconds_count", [(node, hours(0, 1200, 2400, 3600, 4800, 6000, 7200))]),
      ("redis_commands_slower_than_objective_total", [(node, hours(0, 0, 0, 12, 60, 60, 70))]),
      (
        "redis_commands_slower_than_objective_edge_seconds",
        [("", hours(0.004, 0.004, 0.004, 0.004, 0.004, 0.004, 0.004))]
      ),
    ]
    return daemon
  }
}
