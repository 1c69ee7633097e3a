import PromQL

/// A difference in series that is meant: a row of a table in `deploy/docs/switching.md`, in its words.
public struct KnownDeviation: Sendable {
  /// The series that it is about, as selectors; `redis` stands for the namespace.
  let selectors: [String]
  /// The row.
  public let matter: String
  public let theirs: String
  public let ours: String
  /// What to write or do instead; nil where nothing can or need be done.
  let advice: String?

  private init(_ selectors: [String], _ matter: String, _ theirs: String, _ ours: String, advice: String? = nil) {
    self.selectors = selectors
    self.matter = matter
    self.theirs = theirs
    self.ours = ours
    self.advice = advice
  }

  /// As one sentence without the marks of Markdown.
  var reason: String { "redis_exporter: \(theirs). Redline: \(ours)".replacing("`", with: "") }

  /// The first that is about the series.
  static func of(_ labels: Labels, namespace: String) -> KnownDeviation? {
    all.first { $0.isAbout(labels, namespace: namespace) }
  }

  private func isAbout(_ labels: Labels, namespace: String) -> Bool {
    matchers(namespace: namespace).contains { $0.allSatisfy { $0.matches(labels) } }
  }

  func matchers(namespace: String) -> [[LabelMatcher]] {
    selectors.compactMap { selector in
      let text = selector.replacing("redis_", with: "\(namespace)_")
      return (try? Query(text))?.expression.selectors.first?.matchers
    }
  }

  public static let all = [
    KnownDeviation(
      [#"{__name__=~"go_.+"}"#], "`include-go-runtime-metrics`", "Go runtime", "no effect: there is no Go runtime",
      advice: "take the query out; process_… and redis_exporter_… tell how the exporter itself does"),
    KnownDeviation(
      ["redis_exporter_build_info"], "`golang_version` in `redis_exporter_build_info`", "Go's version",
      "Swift's version"),
    KnownDeviation(
      ["redis_db_keys_cached"], "`redis_db_keys_cached`",
      "since Redis 7.4 and Valkey 9 the number of keys with expiring fields",
      "KeyDB only; the other is `redis_db_keys_with_expiring_items`",
      advice: "write redis_db_keys_with_expiring_items where keys with expiring fields are meant"),
    KnownDeviation(
      [#"{__name__=~"redis_db.*_distrib_.+"}"#],
      "`redis_dbN_distrib_…`, the histograms of sizes of Redis 8", "0", "absent; `redis_db_large_keys` has their sums",
      advice: "write redis_db_large_keys"),
    KnownDeviation(
      ["redis_connected_clients_details"], "`redis_connected_clients_details`",
      "in 1.45; in later releases `redis_connected_client_info` and its neighbours", "as in later releases",
      advice: "write redis_connected_client_info, with --export-client-list"),
    KnownDeviation(
      ["redis_instance_info"], "labels of `redis_instance_info`",
      "later releases than 1.45 have `master_replid` and, on Valkey, its own version and zone", "as in later releases"),
    KnownDeviation(
      ["redis_expired_time_cap_reached_total"], "type of `redis_expired_time_cap_reached_total`",
      "a gauge in 1.45, a counter in later releases", "a counter"),
    KnownDeviation(
      ["redis_script_values", "redis_script_result"], "labels of `redis_script_values`",
      "later releases than 1.45 have `filename`",
      "as in later releases"),
    KnownDeviation(
      [#"redis_key_value_as_string{val=""}"#], "empty values in `redis_key_value_as_string`",
      "shown in 1.45, left out in later releases", "left out"),
    KnownDeviation(
      ["redis_key_value_as_string", "redis_key_value"], "key values", "any length",
      "values over 1 KiB are left out; names over 512 bytes are cut; at most 10,000 series"),
    KnownDeviation(
      [
        #"redis_config_key_value{key=~".*(auth|pass|secret).*"}"#,
        #"{__name__=~"redis_sentinel_.*config.*",key=~".*(auth|pass).*"}"#,
      ], "secrets in CONFIG and SENTINEL CONFIG", "four keys omitted, Sentinel's shown before 1.91",
      "every key that holds a secret is omitted in both"),
    KnownDeviation(
      [#"{__name__=~"redis_commands_latencies_usec.*"}"#, "redis_latency_percentiles_usec"],
      "`redis_commands_latencies_usec`", "the server's truncated, sparse edges",
      "true edges, the whole grid for each command that was called; `_sum` for every command"),
    KnownDeviation(
      [#"{__name__=~"redis_stream_.*(lag|entries_read).*"}"#], "unknown stream lag and entries read", "0", "absent",
      advice: "an absent lag is not known; ask for it with absent() where that should alert"),
    KnownDeviation(
      [#"{__name__=~"redis_search_index_.+"}"#], "averages of an empty search index", "NaN", "absent"),
    KnownDeviation(
      [#"redis_exporter_last_scrape_error{err!=""}"#], "`redis_exporter_last_scrape_error{err}`", "any error text",
      """
      one of a few classes: `dns connect tls auth credentials_withheld maxclients denied permission loading busy \
      protocol limit timeout closed`; the text is in the log and on the page `/`
      """,
      advice: "match the class, not the text"),
    KnownDeviation(
      [#"{__name__=~"redis_db_.+",db=~"db0[0-9]+"}"#], "the `db` label of `db03=key`", "`db03`", "`db3`",
      advice: "write the number of the database without zeros in front"),
    KnownDeviation(
      [#"{__name__=~"redis_key_size|redis_key_memory_usage_bytes"}"#], "a key that vanished between SCAN and TYPE",
      "size 0", "absent (a missing single key still has size 0, none on a cluster)"),
  ]
}
