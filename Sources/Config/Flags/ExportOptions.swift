/// Which metrics are exported, and under which names.
public struct ExportOptions: Sendable {
  /// The first part of every metric name, without the underscore; may be empty.
  public let namespace: String
  /// False when the metrics of this process and its build are left out.
  public let areSelfMetricsIncluded: Bool
  public let areConfigMetricsIncluded: Bool
  public let isConfigRedacted: Bool
  public let areModulesIncluded: Bool
  public let areSystemMetricsIncluded: Bool
  public let isRDBFileSizeIncluded: Bool
  public let areEmptyDatabasesIncluded: Bool
  public let areSentinelPeersIncluded: Bool
  /// False when neither LATENCY LATEST nor LATENCY HISTOGRAM is sent.
  public let areLatenciesIncluded: Bool
  public let areClientsIncluded: Bool
  public let areClientPortsIncluded: Bool
  /// Sums and counts over all clients.
  public let areClientAggregatesIncluded: Bool
  public let isRoleLabelAppended: Bool

  init(_ flags: FlagReader) {
    namespace = flags.parsed("namespace", placeholder: "") { text throws(Mismatch) in
      let isName = text.utf8.enumerated().allSatisfy { index, byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): index > 0
        default: false
        }
      }
      guard isName else {
        throw Mismatch("cannot start a metric name", hint: "use letters, digits and underscores, no digit first")
      }
      return text
    }
    areSelfMetricsIncluded = !flags.bool("redis-only-metrics")
    areConfigMetricsIncluded = flags.bool("include-config-metrics")
    isConfigRedacted = flags.bool("redact-config-metrics")
    areModulesIncluded = flags.bool("include-modules-metrics")
    areSystemMetricsIncluded = flags.bool("include-system-metrics")
    isRDBFileSizeIncluded = flags.bool("include-rdb-file-size-metric")
    areEmptyDatabasesIncluded = flags.bool("include-metrics-for-empty-databases")
    areSentinelPeersIncluded = flags.bool("include-sentinel-peer-info")
    areLatenciesIncluded = !flags.bool("exclude-latency-histogram-metrics")
    areClientsIncluded = flags.bool("export-client-list")
    areClientPortsIncluded = flags.bool("export-client-port")
    areClientAggregatesIncluded = flags.bool("export-client-aggregates")
    isRoleLabelAppended = flags.bool("append-instance-role-label")
  }
}
