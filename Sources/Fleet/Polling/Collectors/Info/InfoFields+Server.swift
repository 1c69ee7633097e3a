// A table, one row a field.
// swift-format-ignore-file

import Metrics

/// The sections Server, Clients and CPU, the scripting totals, and what only KeyDB sends.
extension InfoFields {
  static let server: [InfoField] = [
    .gauge("process_id", as: "process_id", since: "2.4", help: "Process id of the server on its host"),
    .gauge("uptime_in_seconds", as: "uptime_in_seconds", .seconds, since: "2.4",
      help: "Seconds since the server was started"),
    .gauge("hz", as: "hz", since: "2.8", help: "Current frequency of the server's timer, in hertz"),
    .gauge("configured_hz", as: "configured_hz", since: "5.0",
      help: "Configured frequency of the server's timer, in hertz"),
    .gauge("io_threads_active", as: "io_threads_active", since: "6.2",
      help: "Active I/O threads where the server counts them; elsewhere 1 while they are active and 0 while they are not"),
    .gauge("server_time_usec", as: "server_time_seconds", .seconds, since: "6.2", .divided(by: 1e6),
      help: "The server's own clock, in seconds since the epoch"),
    .gauge("shutdown_in_milliseconds", as: "shutdown_in_seconds", .seconds, since: "7.0", .divided(by: 1e3),
      help: "Longest time that a shutdown in progress will still wait for replicas, in seconds; absent while no shutdown is in progress"),

    .gauge("engines_count", as: "scripting_engines_count", since: "Valkey 9.0",
      help: "Scripting engines that are registered"),
    .gauge("engines_total_used_memory", as: "scripting_engines_memory_used_bytes", .bytes, since: "Valkey 9.0",
      help: "Memory that all scripting engines use, in bytes"),
    .gauge("engines_total_memory_overhead", as: "scripting_engines_memory_overhead_bytes", .bytes, since: "Valkey 9.0",
      help: "Overhead of all scripting engines, in bytes"),
  ]

  static let clients: [InfoField] = [
    .gauge("connected_clients", as: "connected_clients", since: "2.4",
      help: "Open client connections, without those of replicas"),
    .gauge("maxclients", as: "max_clients", since: "6.2", help: "Maximum number of connections that the server accepts"),
    .gauge("cluster_connections", as: "cluster_connections", since: "6.2",
      help: "Approximate number of sockets of the cluster bus"),
    .gauge("blocked_clients", as: "blocked_clients", since: "2.4", help: "Clients that wait in a blocking command"),
    .gauge("tracking_clients", as: "tracking_clients", since: "6.0", help: "Clients with key tracking on"),
    .gauge("pubsub_clients", as: "pubsub_clients", since: "7.4",
      help: "Clients in pub/sub mode"),
    .gauge("watching_clients", as: "watching_clients", since: "7.4", help: "Clients that watch keys with WATCH"),
    .gauge("paused_timeout_milliseconds", as: "clients_paused_seconds", .seconds, since: "Valkey 9.1", .divided(by: 1000),
      help: "Seconds until clients are no longer paused; 0 while none are"),
    .gauge("active_clients", as: "active_clients", since: "8.8",
      help: "Clients that were active within the server's rolling window"),
    .gauge("clients_in_timeout_table", as: "clients_in_timeout_table", since: "6.0",
      help: "Clients in the table of timeouts"),
    .gauge("total_watched_keys", as: "total_watched_keys", since: "7.4", help: "Keys that clients watch with WATCH"),
    .gauge("total_blocking_keys", as: "total_blocking_keys", since: "7.2", help: "Keys that blocked clients wait for"),
    .gauge("total_blocking_keys_on_nokey", as: "total_blocking_keys_on_nokey", since: "7.2",
      help: "Keys that blocked clients wait for, where the client also wakes up when the key is deleted"),
    .gauge("client_recent_max_input_buffer", as: "client_recent_max_input_buffer_bytes", .bytes, since: "5.0",
      help: "Largest recent input buffer of a client, in bytes"),
    .gauge("client_recent_max_output_buffer", as: "client_recent_max_output_buffer_bytes", .bytes, since: "5.0",
      help: "Largest recent output buffer of a client, in bytes"),
    .gauge("client_biggest_input_buf", as: "client_biggest_input_buf", .bytes, since: "2.4",
      help: "Largest input buffer among the clients, in bytes; sent by servers before 5.0"),
    .gauge("client_longest_output_list", as: "client_longest_output_list", since: "2.4",
      help: "Longest output list among the clients; sent by servers before 5.0"),
  ]

  static let cpu: [InfoField] = [
    .counter("used_cpu_sys", as: "cpu_sys_seconds_total", .seconds, since: "2.4",
      help: "CPU time that the server spent in the kernel, in seconds"),
    .counter("used_cpu_user", as: "cpu_user_seconds_total", .seconds, since: "2.4",
      help: "CPU time that the server spent in its own code, in seconds"),
    .counter("used_cpu_sys_children", as: "cpu_sys_children_seconds_total", .seconds, since: "2.4",
      help: "CPU time that ended child processes spent in the kernel, in seconds"),
    .counter("used_cpu_user_children", as: "cpu_user_children_seconds_total", .seconds, since: "2.4",
      help: "CPU time that ended child processes spent in their own code, in seconds"),
    .counter("used_cpu_sys_main_thread", as: "cpu_sys_main_thread_seconds_total", .seconds, since: "6.2",
      help: "CPU time that the main thread spent in the kernel, in seconds"),
    .counter("used_cpu_user_main_thread", as: "cpu_user_main_thread_seconds_total", .seconds, since: "6.2",
      help: "CPU time that the main thread spent in its own code, in seconds"),
    .counter("used_active_time_main_thread", as: "active_time_main_thread_seconds_total", .seconds, since: "Valkey 9.1",
      help: "Time in which the main thread was busy, in seconds"),
  ]

  static let keydb: [InfoField] = [
    .counter("cached_keys", as: "cached_keys_total", since: "KeyDB",
      help: "Keys cached in memory in front of the storage provider"),
    .gauge("current_client_thread", as: "current_client_thread", since: "KeyDB",
      help: "Thread that serves the exporter's connection"),
    .gauge("long_lock_waits", as: "long_lock_waits_total", since: "KeyDB",
      traits: [.growing], help: "Long waits for the global lock since the start"),
    .gauge("server_threads", as: "server_threads_total", since: "KeyDB", help: "Threads that serve clients"),
    .counter("storage_provider_read_hits", as: "storage_provider_read_hits", since: "KeyDB",
      help: "Reads that the storage provider could answer"),
    .counter("storage_provider_read_misses", as: "storage_provider_read_misses", since: "KeyDB",
      help: "Reads that the storage provider could not answer"),
  ]
}
