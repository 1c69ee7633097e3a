// A table, two lines a flag.
// swift-format-ignore-file

/// Every flag, in the order of the usage text. The names, variables and defaults of redis_exporter come first in each
/// group; the program's own follow.
///
/// A new flag is a row here and a property in `Options`, read by the same name.
public enum Flags {
  public static let all: [Flag] = redis + tls + export + keys + web + polling + process

  private static let redis = table(.redis) {
    ("redis.addr", "REDIS_ADDR", .string, "redis://localhost:6379",
      "Address of the server to watch: redis, rediss, valkey, valkeys, tcp or unix URL, or host:port; empty for none, when only /scrape is used.")
    ("redis.user", "REDIS_USER", .string, "",
      "ACL user to log in as; empty for the default user.")
    ("redis.password", "REDIS_PASSWORD", .secret, "",
      "Password to log in with; better given by the environment or a file, since other users can read a command line.")
    ("redis.password-file", "REDIS_PASSWORD_FILE", .string, "",
      "JSON file of passwords by address, {\"redis://user@host:6379\": \"password\"}; read again on reload.")
    ("redis.password-from-file", "REDIS_PASSWORD_FROM_FILE", .string, "",
      "File that holds the password and nothing else, or credential:NAME for a systemd credential; read again on reload.")
    ("connection-timeout", "REDIS_EXPORTER_CONNECTION_TIMEOUT", .duration(.positive), "2s",
      "Deadline of one whole poll: name lookup, connect, TLS, login and every reply.")
    ("set-client-name", "REDIS_EXPORTER_SET_CLIENT_NAME", .bool, "true",
      "Name the connection redis_exporter, so that CLIENT LIST shows who it is.")
    ("ping-on-connect", "REDIS_EXPORTER_PING_ON_CONNECT", .bool, "false",
      "Send PING first and export how long the answer took.")
    ("config-command", "REDIS_EXPORTER_CONFIG_COMMAND", .string, "CONFIG",
      "Name of the CONFIG command where it was renamed; - to leave out everything that needs it.")
    ("is-cluster", "REDIS_EXPORTER_IS_CLUSTER", .bool, "false",
      "The server is a cluster node: look for keys on every master and serve /discover-cluster-nodes.")
    ("cluster-discover-hostnames", "REDIS_EXPORTER_CLUSTER_DISCOVER_HOSTNAMES", .bool, "false",
      "Answer /discover-cluster-nodes with the host names that nodes announce, where they do.")
    ("is-tile38", "REDIS_EXPORTER_IS_TILE38", .bool, "false",
      "The server is Tile38: export what SERVER EXT says.")
  }

  private static let tls = table(.tls) {
    ("tls-client-key-file", "REDIS_EXPORTER_TLS_CLIENT_KEY_FILE", .string, "",
      "Private key of the client certificate, PEM; goes with tls-client-cert-file.")
    ("tls-client-cert-file", "REDIS_EXPORTER_TLS_CLIENT_CERT_FILE", .string, "",
      "Client certificate, PEM, for servers that ask for one; goes with tls-client-key-file.")
    ("tls-ca-cert-file", "REDIS_EXPORTER_TLS_CA_CERT_FILE", .string, "",
      "Authorities that may sign the server's certificate, PEM; empty for those of the system.")
    ("tls-server-name", "REDIS_EXPORTER_TLS_SERVER_NAME", .string, "",
      "Name that the server's certificate must carry; empty for the host of the address.")
    ("skip-tls-verification", "REDIS_EXPORTER_SKIP_TLS_VERIFICATION", .bool, "false",
      "Accept any server certificate, which gives the password to any server that answers.")
  }

  private static let export = table(.export) {
    ("namespace", "REDIS_EXPORTER_NAMESPACE", .string, "redis",
      "First part of every metric name.")
    ("redis-only-metrics", "REDIS_EXPORTER_REDIS_ONLY_METRICS", .bool, "false",
      "Leave out the metrics of this process and its build.")
    ("include-go-runtime-metrics", "REDIS_EXPORTER_INCLUDE_GO_RUNTIME_METRICS", .bool, "false",
      "Accepted and without effect: there is no Go runtime here.")
    ("include-config-metrics", "REDIS_EXPORTER_INCL_CONFIG_METRICS", .bool, "false",
      "Export every setting of CONFIG GET.")
    ("redact-config-metrics", "REDIS_EXPORTER_REDACT_CONFIG_METRICS", .bool, "true",
      "Leave out settings that hold passwords.")
    ("include-modules-metrics", "REDIS_EXPORTER_INCL_MODULES_METRICS", .bool, "false",
      "Export what loaded modules report in INFO MODULES.")
    ("include-system-metrics", "REDIS_EXPORTER_INCL_SYSTEM_METRICS", .bool, "false",
      "Export figures of the machine that Redis knows, such as its total memory.")
    ("include-rdb-file-size-metric", "REDIS_EXPORTER_INCL_RDB_FILE_SIZE_METRIC", .bool, "false",
      "Export the size of the RDB file, which must be readable on this machine.")
    ("include-metrics-for-empty-databases", "REDIS_EXPORTER_INCL_METRICS_FOR_EMPTY_DATABASES", .bool, "true",
      "Export zeros for databases without keys.")
    ("include-sentinel-peer-info", "REDIS_EXPORTER_INCL_SENTINEL_PEER_INFO", .bool, "false",
      "Export a series for each Sentinel that a Sentinel knows.")
    ("exclude-latency-histogram-metrics", "REDIS_EXPORTER_EXCLUDE_LATENCY_HISTOGRAM_METRICS", .bool, "false",
      "Ask for neither LATENCY LATEST nor LATENCY HISTOGRAM.")
    ("export-client-list", "REDIS_EXPORTER_EXPORT_CLIENT_LIST", .bool, "false",
      "Export series for each connected client; their number grows with the clients.")
    ("export-client-port", "REDIS_EXPORTER_EXPORT_CLIENT_PORT", .bool, "false",
      "Add the client's port to its series, which makes new series for every connection.")
    ("export-client-aggregates", "REDLINE_EXPORT_CLIENT_AGGREGATES", .bool, "false",
      "Read CLIENT LIST and export sums and counts over all clients, without a series for each.")
    ("append-instance-role-label", "REDIS_EXPORTER_APPEND_INSTANCE_ROLE_LABEL", .bool, "false",
      "Add the label instance_role to the series of Redis; they break in two at a failover.")
    ("include-search-indexes-metrics", "REDIS_EXPORTER_INCL_SEARCH_INDEXES_METRICS", .bool, "false",
      "Export what FT.INFO says of each search index.")
    ("check-search-indexes", "REDIS_EXPORTER_CHECK_SEARCH_INDEXES", .string, ".*",
      "Regular expression, RE2: the search indexes whose names it matches anywhere are exported.")
  }

  private static let keys = table(.keys) {
    ("check-keys", "REDIS_EXPORTER_CHECK_KEYS", .string, "",
      "Keys or globs whose value, size and memory are exported, found by SCAN: db3=sessions:*,jobs.")
    ("check-single-keys", "REDIS_EXPORTER_CHECK_SINGLE_KEYS", .string, "",
      "Keys whose value, size and memory are exported, looked up by name.")
    ("check-streams", "REDIS_EXPORTER_CHECK_STREAMS", .string, "",
      "Streams or globs whose groups and consumers are exported, found by SCAN.")
    ("check-single-streams", "REDIS_EXPORTER_CHECK_SINGLE_STREAMS", .string, "",
      "Streams whose groups and consumers are exported, looked up by name.")
    ("streams-exclude-consumer-metrics", "REDIS_EXPORTER_STREAMS_EXCLUDE_CONSUMER_METRICS", .bool, "false",
      "Leave out the series of single consumers.")
    ("count-keys", "REDIS_EXPORTER_COUNT_KEYS", .string, "",
      "Globs whose matching keys are counted by SCAN: db0=production_*,db3=sessions:*.")
    ("check-key-groups", "REDIS_EXPORTER_CHECK_KEY_GROUPS", .string, "",
      "Lua patterns, as one CSV record, whose captures sort keys into groups with a count and memory each.")
    ("max-distinct-key-groups", "REDIS_EXPORTER_MAX_DISTINCT_KEY_GROUPS", .int(0...(.max)), "100",
      "Groups exported for each database, those with the most memory; the rest is summed as overflow.")
    ("check-keys-batch-size", "REDIS_EXPORTER_CHECK_KEYS_BATCH_SIZE", .int(1...(.max)), "1000",
      "COUNT of each SCAN; without it 64, doubled up to 512 while a SCAN takes less than 1 ms and halved above 5 ms.")
    ("disable-exporting-key-values", "REDIS_EXPORTER_DISABLE_EXPORTING_KEY_VALUES", .bool, "false",
      "Export sizes of checked keys, never their values.")
    ("skip-checkkeys-for-role-master", "REDIS_EXPORTER_SKIP_CHECKKEYS_FOR_ROLE_MASTER", .bool, "false",
      "Do no key checks, counts and streams on a master.")
    ("script", "REDIS_EXPORTER_SCRIPT", .string, "",
      "Files with Lua scripts, separated by commas, whose replies are exported as metrics.")
    ("lua-script-read-only", "REDIS_EXPORTER_LUA_SCRIPT_READ_ONLY", .bool, "false",
      "Run the scripts by EVAL_RO, which refuses to write.")
    ("keywork.duty-ratio", "REDLINE_KEYWORK_DUTY_RATIO", .share(upTo: 0.5), "0.01",
      "Largest share of time that key checks, counts, groups and streams may keep a server busy.")
    ("keywork.interval", "REDLINE_KEYWORK_INTERVAL", .duration(.atLeast(.seconds(1))), "1m",
      "Time from the start of one full pass of key work to the start of the next.")
  }

  private static let web = table(.web) {
    ("web.listen-address", "REDIS_EXPORTER_WEB_LISTEN_ADDRESS", .string, ":9121",
      "Address to listen on, host:port or :port.")
    ("web.telemetry-path", "REDIS_EXPORTER_WEB_TELEMETRY_PATH", .string, "/metrics",
      "Path of the metrics page.")
    ("disable-scrape-endpoint", "REDIS_EXPORTER_DISABLE_SCRAPE_ENDPOINT", .bool, "false",
      "Answer /scrape with 404.")
    ("tls-server-cert-file", "REDIS_EXPORTER_TLS_SERVER_CERT_FILE", .string, "",
      "Certificate of the web server, PEM; with it and tls-server-key-file the server speaks HTTPS only.")
    ("tls-server-key-file", "REDIS_EXPORTER_TLS_SERVER_KEY_FILE", .string, "",
      "Private key of the web server's certificate, PEM.")
    ("tls-server-ca-cert-file", "REDIS_EXPORTER_TLS_SERVER_CA_CERT_FILE", .string, "",
      "PEM file of authorities; every web client must then show a certificate signed by one of them.")
    ("tls-server-min-version", "REDIS_EXPORTER_TLS_SERVER_MIN_VERSION", .choice(TLSVersion.allCases.map(\.rawValue)), "TLS1.2",
      "Oldest TLS version that the web server accepts.")
    ("basic-auth-username", "REDIS_EXPORTER_BASIC_AUTH_USERNAME", .string, "",
      "User name that every web request must give.")
    ("basic-auth-password", "REDIS_EXPORTER_BASIC_AUTH_PASSWORD", .secret, "",
      "Password that goes with basic-auth-username.")
    ("basic-auth-hash-password", "REDIS_EXPORTER_BASIC_AUTH_HASH_PASSWORD", .secret, "",
      "Bcrypt hash of the password, in place of basic-auth-password.")
    ("web.config.file", "REDLINE_WEB_CONFIG_FILE", .string, "",
      "YAML file with the web server's TLS and users in exporter-toolkit's format; read again on reload.")
    ("web.max-age", "REDLINE_WEB_MAX_AGE", .duration(.nonNegative), "1s",
      "Age up to which what is known of a server is served again without a new poll.")
    ("web.enable-openmetrics", "REDLINE_WEB_ENABLE_OPENMETRICS", .bool, "false",
      "Offer OpenMetrics 1.0 to scrapers that ask for it.")
    ("web.enable-lifecycle", "REDLINE_WEB_ENABLE_LIFECYCLE", .bool, "true",
      "Let web requests to /-/reload have the configuration and the passwords read again.")
    ("web.cors.origin", "REDLINE_WEB_CORS_ORIGIN", .string, "",
      "Let pages of these other sites read the API in a browser: an expression (RE2) that matches a whole origin, such as `https?://(grafana|ops)\\.example\\.org`; `.*` is any site, empty is none.")
    ("web.systemd-socket", "REDLINE_WEB_SYSTEMD_SOCKET", .bool, "false",
      "Listen on the socket that systemd passes instead of web.listen-address.")
    ("web.max-connections", "REDLINE_WEB_MAX_CONNECTIONS", .int(1...100_000), "512",
      "Web connections held open at once; further ones wait.")
    ("scrape.allow", "REDLINE_SCRAPE_ALLOW", .string, "",
      "Targets that /scrape may be sent to: globs of hosts, networks, globs of socket paths (redis-*.internal,10.0.0.0/8,/run/redis/*.sock); empty for any, but without credentials.")
  }

  private static let polling = table(.polling) {
    ("poll.interval", "REDLINE_POLL_INTERVAL", .duration(.atLeast(.milliseconds(100))), "5s",
      "Time between polls in the background.")
  }

  private static let process = table(.process) {
    ("log-level", "REDIS_EXPORTER_LOG_LEVEL", .choice(LogLevel.words), "INFO",
      "Least severe messages that are logged.")
    ("log-format", "REDIS_EXPORTER_LOG_FORMAT", .choice(LogFormat.allCases.map(\.rawValue)), "txt",
      "Log lines as key=value pairs or as JSON objects.")
    ("debug", "REDIS_EXPORTER_DEBUG", .bool, "false",
      "Log everything, whatever log-level says.")
    ("version", nil, .bool, "false",
      "Print the version and exit.")
    ("config.file", "REDLINE_CONFIG_FILE", .string, "",
      "Configuration of a whole fleet to watch in place of redis.addr; read again when it changes and on reload.")
    ("shard", "REDLINE_SHARD", .string, "",
      "Watch only a part of the workloads of config.file, as one of N daemons that share it: I/N, such as 3/10; each needs a storage.path of its own, and a port of its own on one machine. Empty for all of them.")
    ("storage.path", "REDLINE_STORAGE_PATH", .string, "",
      "SQLite file for events and for counters that restarts must not reset, with config.file; empty to keep them in memory.")
  }

  typealias Row = (name: String, variable: String?, kind: Flag.Kind, defaultText: String, meaning: String)

  private static func table(_ group: Flag.Group, @RowBuilder _ rows: () -> [Row]) -> [Flag] {
    rows().map { row in
      Flag(
        name: row.name, variable: row.variable, defaultText: row.defaultText, meaning: row.meaning, group: group,
        kind: row.kind)
    }
  }

  /// Lets rows stand one below the other; it also spares the type checker one large literal.
  @resultBuilder enum RowBuilder {
    static func buildExpression(_ row: Row) -> Row { row }
    static func buildBlock(_ rows: Row...) -> [Row] { rows }
  }
}
