// A table, one row a field.
// swift-format-ignore-file

import Metrics

/// The sections Replication, Cluster and Sentinel, as far as they are plain numbers.
extension InfoFields {
  static let replication: [InfoField] = [
    .gauge("connected_slaves", as: "connected_slaves", since: "2.4", help: "Replicas that are connected to the server"),
    .gauge("min_slaves_good_slaves", as: "min_slaves_good_slaves", since: "2.8",
      help: "Replicas that are online and within min-replicas-max-lag; absent unless min-replicas-to-write is set"),
    .gauge("replica_announced", as: "replica_announced", since: "6.2",
      help: "Whether Sentinels list the replica, 1 or 0"),
    .gauge("replicas_waiting_psync", as: "replicas_waiting_psync", since: "Valkey 8.0",
      help: "Replicas that are loading a snapshot over a second channel and do not follow the replication stream yet"),
    .gauge("replicas_repl_buffer_size", as: "replicas_repl_buffer_size_bytes", .bytes, since: "Valkey 8.0",
      help: "Size of the buffer that holds the replication stream on a replica during a full sync, in bytes"),
    .gauge("replicas_repl_buffer_peak", as: "replicas_repl_buffer_peak_bytes", .bytes, since: "Valkey 8.0",
      help: "Peak size of the buffer that holds the replication stream on a replica during a full sync, in bytes"),
    .gauge("replica_full_sync_buffer_size", as: "replicas_repl_buffer_size_bytes", .bytes, since: "8.0",
      help: "Size of the buffer that holds the replication stream on a replica during a full sync, in bytes"),
    .gauge("replica_full_sync_buffer_peak", as: "replicas_repl_buffer_peak_bytes", .bytes, since: "8.0",
      help: "Peak size of the buffer that holds the replication stream on a replica during a full sync, in bytes"),
    .gauge("master_current_sync_attempts", as: "master_sync_attempts_since_disconnect", since: "8.2",
      help: "Attempts to sync with the master since the link to it was lost"),
    .counter("master_total_sync_attempts", as: "master_sync_attempts_total", since: "8.2",
      help: "Attempts to sync with a master since the start"),
    .gauge("master_link_up_since_seconds", as: "master_link_up_since_seconds", .seconds, since: "8.2", .ifNotNegative,
      help: "Seconds since the link to the master came up; absent while it is down"),
    .counter("total_disconnect_time_sec", as: "master_disconnected_seconds_total", .seconds, since: "8.2",
      help: "Total time without a link to the master, in seconds"),
    .gauge("master_repl_offset", as: "master_repl_offset", .bytes, since: "2.8",
      traits: [.growing], help: "The server's offset in the replication stream, in bytes"),
    .gauge("second_repl_offset", as: "second_repl_offset", .bytes, since: "4.0",
      help: "Offset up to which the replication id of the former master is accepted, in bytes; -1 for none"),
    .gauge("repl_backlog_active", as: "repl_backlog_is_active", since: "2.8",
      help: "Whether there is a replication backlog, 1 or 0"),
    .gauge("repl_backlog_size", as: "replication_backlog_bytes", .bytes, since: "2.8",
      help: "Configured size of the replication backlog, in bytes"),
    .gauge("repl_backlog_first_byte_offset", as: "repl_backlog_first_byte_offset", .bytes, since: "2.8",
      help: "Offset of the oldest byte in the replication backlog"),
    .gauge("repl_backlog_histlen", as: "repl_backlog_history_bytes", .bytes, since: "2.8",
      help: "Data in the replication backlog, in bytes"),
    .gauge("slave_expires_tracked_keys", as: "slave_expires_tracked_keys", since: "4.0",
      help: "Keys with an expiry that a writable replica tracks by itself"),
    .gauge("slave_priority", as: "slave_priority", since: "2.6",
      help: "Priority of the replica to become master; lower is preferred, 0 means never"),
    .gauge("sync_full", as: "replica_resyncs_full", since: "2.8",
      help: "Full syncs with replicas since the start or CONFIG RESETSTAT"),
    .gauge("sync_partial_ok", as: "replica_partial_resync_accepted", since: "2.8",
      help: "Partial syncs that were accepted since the start or CONFIG RESETSTAT"),
    .gauge("sync_partial_err", as: "replica_partial_resync_denied", since: "2.8",
      help: "Partial syncs that were denied since the start or CONFIG RESETSTAT"),
  ]

  static let cluster: [InfoField] = [
    .gauge("cluster_enabled", as: "cluster_enabled", since: "3.0",
      help: "Whether the server runs in cluster mode, 1 or 0"),
    .gauge("cluster_incompatible_ops", as: "cluster_incompatible_ops", since: "8.0",
      traits: [.growing], help: "Operations that a cluster would not have allowed, since the start"),
  ]

  static let sentinel: [InfoField] = [
    .gauge("sentinel_masters", as: "sentinel_masters", since: "2.8", help: "Masters that the Sentinel monitors"),
    .gauge("sentinel_tilt", as: "sentinel_tilt", since: "2.8",
      help: "Whether the Sentinel is in TILT mode, in which it takes no action, 1 or 0"),
    .gauge("sentinel_tilt_since_seconds", as: "sentinel_tilt_since_seconds", .seconds, since: "6.2", .ifNotNegative,
      help: "Seconds since the Sentinel entered TILT mode; absent outside of TILT mode"),
    .counter("sentinel_total_tilt", as: "sentinel_tilts_total", since: "Valkey 8.0",
      help: "Times that the Sentinel entered TILT mode since its start"),
    .gauge("sentinel_running_scripts", as: "sentinel_running_scripts", since: "2.8",
      help: "Notification scripts that the Sentinel is running"),
    .gauge("sentinel_scripts_queue_length", as: "sentinel_scripts_queue_length", since: "2.8",
      help: "Notification scripts that wait or run"),
    .gauge("sentinel_simulate_failure_flags", as: "sentinel_simulate_failure_flags", since: "3.2",
      help: "Failures that the Sentinel is set to simulate, as a bit set; 0 for none"),
  ]
}
