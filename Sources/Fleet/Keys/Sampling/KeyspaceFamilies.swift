import Metrics

/// The families of the sample of a workload's keys.
enum KeyspaceFamilies {
  private static let prefix = ["prefix"]

  static let keys = Family.gauge(
    "prefix_keys", "Keys of the prefix, estimated from the last sample.", labels: prefix)
  static let withoutTTL = Family.gauge(
    "prefix_keys_without_ttl",
    "Keys of the prefix that never expire, estimated from the last sample; 0 if it met none.",
    labels: prefix)
  static let memory = Family.gauge(
    "prefix_memory_bytes", "Memory of the prefix's keys and values, estimated from the last sample (MEMORY USAGE).",
    labels: prefix, unit: .bytes)
  static let growth = Family.gauge(
    "prefix_growth_bytes",
    "How much more memory the prefix's keys take than keyspace.growth ago (1 d), from samples of the same places; absent until then.",
    labels: prefix, unit: .bytes)
  static let lowerKeys = Family.gauge(
    "prefix_lower_keys", "Lower bound of redis_prefix_keys, at 95 %.", labels: prefix)
  static let upperKeys = Family.gauge(
    "prefix_upper_keys", "Upper bound of redis_prefix_keys, at 95 %.", labels: prefix)
  static let lowerMemory = Family.gauge(
    "prefix_memory_lower_bytes", "Lower bound of redis_prefix_memory_bytes, at 95 %.", labels: prefix, unit: .bytes)
  static let upperMemory = Family.gauge(
    "prefix_memory_upper_bytes", "Upper bound of redis_prefix_memory_bytes, at 95 %.", labels: prefix, unit: .bytes)
  static let lowerGrowth = Family.gauge(
    "prefix_growth_lower_bytes",
    "Lower bound of redis_prefix_growth_bytes, at 95 %; there without keyspace.intervals, too.",
    labels: prefix, unit: .bytes)
  static let upperGrowth = Family.gauge(
    "prefix_growth_upper_bytes", "Upper bound of redis_prefix_growth_bytes, at 95 %.", labels: prefix, unit: .bytes)
  static let peakKeys = Family.gauge(
    "prefix_expiry_peak_keys",
    "Keys of the prefix that expire in the same second, within keyspace.expiry_horizon, where they are too many for chance; 0 if there is no such second, absent if too few keys were looked at.",
    labels: prefix)
  static let peakRatio = Family.gauge(
    "prefix_expiry_peak_ratio", "Share of the prefix's keys with a TTL that expire in that second.", labels: prefix,
    unit: .ratio)
  static let peakTimestamp = Family.gauge(
    "prefix_expiry_peak_timestamp_seconds", "That second, in seconds since the epoch by the server's clock.",
    labels: prefix, unit: .seconds)

  static let sampleKeys = Family.gauge("keyspace_sample_keys", "Keys that the last sample looked at.")
  static let sampleTimestamp = Family.gauge(
    "keyspace_sample_timestamp_seconds", "Time when the last sample began, in seconds since the epoch.", unit: .seconds)
  static let attributed = Family.gauge(
    "keyspace_attributed_ratio",
    "Memory of all prefixes as a share of what the servers count as data (used_memory_dataset).", unit: .ratio)
  static let complete = Family.gauge(
    "keyspace_complete",
    "Whether redis_keyspace_attributed_ratio is within 0.85 and 1.15: 1 yes, 0 no: single large keys were missed, or met by chance."
  )
  static let paused = Family.gauge(
    "keyspace_paused",
    "1 with why the last sample did not come about: no_reader, refused, failed or changed (restarted, flushed, failed over). Older results stand for three intervals.",
    labels: ["reason"])
  static let crowding = Family.gauge(
    "ttl_crowding_ratio",
    "Share of the keys with a TTL that expire in the fullest second, of the last sample; absent if it met fewer than 1,000 of them.",
    unit: .ratio)

  static let bigKeys = Family.gauge(
    "big_keys", "Keys of at least keyspace.big_key bytes; absent until every key was looked at once.")
  static let bigKeysMemory = Family.gauge(
    "big_keys_memory_bytes", "Memory of the keys that redis_big_keys counts (MEMORY USAGE).", unit: .bytes)
  static let largestKey = Family.gauge(
    "big_key_largest_maxmemory_ratio",
    "Memory of the largest key that is no stream, of those met so far, as a share of maxmemory of its server; absent without maxmemory.",
    unit: .ratio)
  static let censusProgress = Family.gauge(
    "keyspace_census_progress_ratio",
    "Share of the keys that the pass over every key has met so far; absent between two passes.", unit: .ratio)
  static let censusTimestamp = Family.gauge(
    "keyspace_census_timestamp_seconds",
    "Time when the last pass over every key ended, in seconds since the epoch, for the shard whose pass is the oldest; absent until every shard has had one.",
    unit: .seconds)

  static let all = [
    keys, withoutTTL, memory, growth, lowerKeys, upperKeys, lowerMemory, upperMemory, lowerGrowth, upperGrowth,
    peakKeys, peakRatio, peakTimestamp, sampleKeys, sampleTimestamp, attributed, complete, paused, crowding,
    bigKeys, bigKeysMemory, largestKey, censusProgress, censusTimestamp,
  ]
}
