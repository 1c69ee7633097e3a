import Metrics

/// The families of keys, counts, key groups and scripts.
enum KeyFamilies {
  private static let key = ["db", "key"]
  private static let group = ["db", "key_group"]

  static let size = Family.gauge(
    "key_size",
    "Length of the key: elements of a collection, bytes of a string, members of a HyperLogLog; 0 for a missing key.",
    labels: key)
  static let memory = Family.gauge(
    "key_memory_usage_bytes", "Memory that the key and its value take, estimated from 5 samples (MEMORY USAGE).",
    labels: key, unit: .bytes)
  static let value = Family.gauge(
    "key_value", "The key's value, where it is a string that holds a number (GETRANGE).", labels: key)
  static let valueAsString = Family.gauge(
    "key_value_as_string", "1 with the key's value in val, where it is a string that holds no number (GETRANGE).",
    labels: ["db", "key", "val"])
  static let count = Family.gauge(
    "keys_count", "Keys of the database that match the pattern in the label key, as SCAN returned them.", labels: key)

  static let groupCount = Family.gauge(
    "key_group_count", "Keys of the group in the last complete pass.", labels: group)
  static let groupMemory = Family.gauge(
    "key_group_memory_usage_bytes", "Memory of the group's keys and values in the last complete pass (MEMORY USAGE).",
    labels: group, unit: .bytes)
  static let groupNumber = Family.gauge(
    "number_of_distinct_key_groups",
    "Distinct groups among the database's keys, including those beyond the limit that are merged.",
    labels: ["db"])
  static let groupDuration = Family.gauge(
    "last_key_groups_scrape_duration_milliseconds",
    "Duration of the last complete pass over the key groups, in milliseconds; 0 if there was none.", unit: .milliseconds
  )

  static let scriptValues = Family.gauge(
    "script_values", "A value that the Lua script returned (EVAL).", labels: ["key", "filename"])
  static let scriptResult = Family.gauge(
    "script_result",
    "Result of the Lua script: 0 if it failed or returned something that is not a number, 1 if it returned values, 2 if it returned none.",
    labels: ["filename"])

  static let all = [
    size, memory, value, valueAsString, count, groupCount, groupMemory, groupNumber, groupDuration, scriptValues,
    scriptResult,
  ]
}
