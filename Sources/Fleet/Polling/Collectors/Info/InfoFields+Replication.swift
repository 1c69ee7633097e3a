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
      help: "Replicas that load a snapshot over a second channel and have yet to take up the stream"),
    .gauge("replicas_repl_buffer_size", as: "replicas_repl_buffer_size_bytes", .bytes, since: "Valkey 8.0",
      help: "Size of the buffer in which a replica keeps the stream during a full sync, in bytes"),
    .gauge("replicas_repl_buffer_peak", as: "replicas_repl_buffer_peak_bytes", .bytes, since: "Valkey 8.0",
      help: "Largest size of the buffer in which a replica keeps the stream during a full sync, in bytes"),
    .gauge("replica_full_sync_buffer_size", as: "replicas_repl_buffer_size_bytes", .bytes, since: "8.0",
      help: "Size of the buffer in which a replica keeps the stream during a full sync, in bytes"),
    .gauge("replica_full_sync_buffer_peak", as: "replicas_repl_buffer_peak_bytes", .bytes, since: "8.0",
      help: "Largest size of the buffer in which a replica keeps the stream during a full sync, in bytes"),
    .gauge("master_current_sync_attempts", as: "master_sync_attempts_since_disconnect", since: "8.2",
      help: "How often the replica has tried to sync with its master since it lost it"),
    .counter("master_total_sync_attempts", as: "master_sync_attempts_total", since: "8.2",
      help: "How often the replica has tried to sync with a master since the start"),
    .gauge("master_link_up_since_seconds", as: "master_link_up_since_seconds", .seconds, since: "8.2", .ifNotNegative,
      help: "How long the replica's link to its master has been up, in seconds; absent while it is down"),
    .counter("total_disconnect_time_sec", as: "master_disconnected_seconds_total", .seconds, since: "8.2",
      help: "How long the replica was without its master in all, in seconds"),
    .gauge("master_repl_offset", as: "master_repl_offset", .bytes, since: "2.8",
      help: "The server's offset in the replication stream, in bytes"),
    .gauge("second_repl_offset", as: "second_repl_offset", .bytes, since: "4.0",
      help: "Offset up to which the replication id of the former master is accepted, in bytes; -1 is none"),
    .gauge("repl_backlog_active", as: "repl_backlog_is_active", since: "2.8",
      help: "Whether there is a replication backlog, 1 or 0"),
    .gauge("repl_backlog_size", as: "replication_backlog_bytes", .bytes, since: "2.8",
      help: "Configured size of the replication backlog, in bytes"),
    .gauge("repl_backlog_first_byte_offset", as: "repl_backlog_first_byte_offset", .bytes, since: "2.8",
      help: "Offset of the oldest byte in the replication backlog"),
    .gauge("repl_backlog_histlen", as: "repl_backlog_history_bytes", .bytes, since: "2.8",
      help: "How much data the replication backlog holds, in bytes"),
    .gauge("slave_expires_tracked_keys", as: "slave_expires_tracked_keys", since: "4.0",
      help: "Keys with an expiry that a writable replica tracks by itself"),
    .gauge("slave_priority", as: "slave_priority", since: "2.6",
      help: "The replica's priority to become master, less is preferred and 0 is never"),
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
      help: "Operations that a cluster would not have allowed, since the start"),
  ]

  static let sentinel: [InfoField] = [
    .gauge("sentinel_masters", as: "sentinel_masters", since: "2.8", help: "Masters that the Sentinel watches"),
    .gauge("sentinel_tilt", as: "sentinel_tilt", since: "2.8",
      help: "Whether the Sentinel is in TILT mode, in which it takes no action, 1 or 0"),
    .gauge("sentinel_tilt_since_seconds", as: "sentinel_tilt_since_seconds", .seconds, since: "6.2", .ifNotNegative,
      help: "Seconds since the Sentinel went into TILT mode; absent when it is not in it"),
    .counter("sentinel_total_tilt", as: "sentinel_tilts_total", since: "Valkey 8.0",
      help: "How often the Sentinel went into TILT mode since its start"),
    .gauge("sentinel_running_scripts", as: "sentinel_running_scripts", since: "2.8",
      help: "Notification scripts that the Sentinel is running"),
    .gauge("sentinel_scripts_queue_length", as: "sentinel_scripts_queue_length", since: "2.8",
      help: "Notification scripts that wait or run"),
    .gauge("sentinel_simulate_failure_flags", as: "sentinel_simulate_failure_flags", since: "3.2",
      help: "Failures that the Sentinel was told to simulate, as a bit set; 0 is none"),
  ]
}
