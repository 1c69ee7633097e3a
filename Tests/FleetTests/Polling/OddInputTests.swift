import Config
import Metrics
import Redis
import TestSupport
import Testing

@testable import Fleet

/// Runs one collector over texts of our own and shows the series that come out, without HELP and TYPE.
private func series(
  _ collector: any Collector, info: String = "", replies: [String] = [],
  config: String? = nil, options: CollectorOptions = .wholePage
) throws -> [String] {
  let info = InfoText(bytes: Array(info.utf8))
  var sink = SampleSink()
  try collector.collect(
    PollContext(
      collector, info, try replies.map { try Replies.read(Array($0.utf8))[0] },
      config: try config.map { try Replies.read(Array($0.utf8))[0] }, options: options, now: 1000.5),
    into: &sink)
  let page = String(decoding: Exposition(namespace: "").page([sink.finish()]), as: UTF8.self)
  return Fixture.lines(page).filter { !$0.hasPrefix("#") }
}

private func bulk(_ text: String) -> String { "$\(text.utf8.count)\r\n\(text)\r\n" }
private func list(_ texts: [String]) -> String { "*\(texts.count)\r\n" + texts.map(bulk).joined() }

@Suite(.timeLimit(.minutes(1)))
struct OddInputTests {
  struct Field: Sendable {
    let line: String
    let expected: [String]
    init(_ line: String, _ expected: String...) { (self.line, self.expected) = (line, expected) }
  }

  @Test(arguments: [
    Field("used_memory_peak_perc:53.15%", "memory_used_peak_ratio 0.5315"),
    Field("used_memory_peak_perc:", ""),
    Field("used_memory_peak_perc:%", ""),
    Field("used_memory:18446744073709551615", "memory_used_bytes 1.8446744073709552e+19"),
    Field("used_memory:-1", "memory_used_bytes -1"),
    Field("used_memory:0x10", ""),
    Field("used_memory: 5", ""),
    Field("mem_fragmentation_ratio:nan", "mem_fragmentation_ratio NaN"),
    Field("mem_fragmentation_ratio:-inf", "mem_fragmentation_ratio -Inf"),
    Field("rdb_last_bgsave_status:err", "rdb_last_bgsave_status 0"),
    Field("rdb_last_bgsave_status:maybe", ""),
    Field("latest_fork_usec:261", "latest_fork_seconds 0.000261"),
    Field("instantaneous_input_kbps:0.5", "instantaneous_input_bytes_per_second 512"),
    Field("loading_eta_seconds:-1", ""),
    Field("avg_pipeline_length:2\r\ncommands_per_parse_batch_avg:3", "client_processing_pipeline_length 2"),
    Field("hz:10\r\nhz:20", "hz 10"),
    Field("unknown_field:1", ""),
    Field("cluster_new-number:7", "cluster_new_number 7"),
    Field("cluster_new_word:text", ""),
    Field("hz:1\r\n# Cluster Info\r\ncluster_size:3", "hz 1"),
    Field("cluster_state:ok\r\n", "cluster_state 1"),
    Field("total_system_memory:8", "total_system_memory_bytes 8"),
    Field(":5\r\n#\r\n\r\nhz:1", "hz 1"),
  ])
  func infoField(_ field: Field) throws {
    #expect(try series(InfoCollector(), info: "# Server\r\n" + field.line) == field.expected.filter { !$0.isEmpty })
  }

  @Test func systemMetricsAreOffByDefault() throws {
    #expect(try series(InfoCollector(), info: "total_system_memory:8", options: CollectorOptions()) == [])
  }

  @Test func replicasBehindIPv6AreNamedWhole() throws {
    let info = """
      # Replication
      role:master
      slave0:ip=fd00::1,port=6379,state=online,offset=5,lag=1
      slave1:ip=10.0.0.1,port=6379,state=online,offset=9
      slave2:ip=10.0.0.2,port=6379,state=online,offset=x,lag=1
      slave_priority:100
      """
    #expect(
      try series(ReplicaLinksCollector(), info: info) == [
        #"connected_slave_lag_seconds{slave_ip="fd00::1",slave_port="6379",slave_state="online"} 1"#,
        #"connected_slave_offset_bytes{slave_ip="fd00::1",slave_port="6379",slave_state="online"} 5"#,
        #"connected_slave_offset_bytes{slave_ip="10.0.0.1",slave_port="6379",slave_state="online"} 9"#,
      ])
  }

  /// Several replicas behind one translated address: the worst of them counts.
  @Test func replicasOfOneAddressAreOneSeries() throws {
    let info = """
      # Replication
      role:master
      slave0:ip=10.0.0.1,port=6379,state=online,offset=900,lag=0
      slave1:ip=10.0.0.1,port=6379,state=online,offset=400,lag=7
      slave2:ip=10.0.0.1,port=6379,state=wait_bgsave,offset=0,lag=0,type=rdb-channel
      slave3:ip=10.0.0.1,port=6379,state=online,offset=800,lag=1
      """
    let online = #"{slave_ip="10.0.0.1",slave_port="6379",slave_state="online"}"#
    let lines = try series(ReplicaLinksCollector(), info: info)
    #expect(lines.contains("connected_slave_offset_bytes\(online) 400"))
    #expect(lines.contains("connected_slave_lag_seconds\(online) 7"))
    #expect(lines.count == 4)
  }

  @Test func aSyncingReplicaShowsItsProgress() throws {
    let info = """
      # Replication
      role:slave
      master_host:fd00::2
      master_port:6379
      master_link_status:down
      master_last_io_seconds_ago:-1
      master_sync_in_progress:1
      slave_read_repl_offset:0
      slave_repl_offset:0
      master_sync_total_bytes:1000
      master_sync_read_bytes:250
      master_sync_left_bytes:750
      master_sync_perc:25.00
      master_sync_last_io_seconds_ago:0
      master_link_down_since_seconds:12
      slave_read_only:1
      """
    let lines = try series(MasterLinkCollector(), info: info)
    let labels = #"{master_host="fd00::2",master_port="6379"}"#
    for expected in [
      "master_link_up\(labels) 0", "master_link_down_seconds\(labels) 12", "master_sync_in_progress\(labels) 1",
      "master_sync_progress_ratio\(labels) 0.25", "master_sync_left_bytes\(labels) 750",
      "master_last_io_seconds_ago\(labels) -1",
    ] { #expect(lines.contains(expected), "\(expected) in \(lines)") }
    #expect(
      try !series(MasterLinkCollector(), info: info.replacing("since_seconds:12", with: "since_seconds:-1"))
        .contains { $0.hasPrefix("master_link_down_seconds") })
  }

  /// KeyDB's second master has fields with a number.
  @Test func severalMastersKeepTheirOwnLabels() throws {
    let info = """
      # Replication
      role:slave
      master_host:a
      master_port:1
      master_link_status:up
      master_1_host:b
      master_1_port:2
      master_1_link_status:down
      """
    let lines = try series(MasterLinkCollector(), info: info)
    #expect(lines.contains(#"master_link_up{master_host="a",master_port="1"} 1"#))
    #expect(lines.contains(#"master_link_up{master_host="b",master_port="2"} 0"#))
  }

  @Test func keysAreReadByNameAndEmptyDatabasesPadded() throws {
    let info = """
      redis_version:7.4.1
      # Keyspace
      db1:keys=5,expires=2,avg_ttl=1500,subexpiry=3
      dbx:keys=9
      """
    let lines = try series(KeyspaceCollector(), info: info, config: list(["databases", "3"]))
    #expect(lines.contains(#"db_keys{db="db1"} 5"#))
    #expect(lines.contains(#"db_avg_ttl_seconds{db="db1"} 1.5"#))
    #expect(lines.contains(#"db_keys_with_expiring_items{db="db1"} 3"#))
    #expect(lines.contains(#"db_keys{db="db2"} 0"#))
    #expect(lines.filter { $0.hasPrefix("db_keys{") }.count == 3)
    #expect(!lines.contains { $0.hasPrefix("db_keys_cached") || $0.contains("dbx") })
    for (databases, count) in [("99999999999", 4096), ("-4", 1), ("many", 16)] {
      let padded = try series(KeyspaceCollector(), info: info, config: list(["databases", databases]))
      #expect(padded.filter { $0.hasPrefix("db_keys{") }.count == count)
    }
  }

  @Test func commandNamesAreEscapedAndOddLinesSkipped() throws {
    let info = """
      # Commandstats
      cmdstat_ft.search:calls=1,usec=2000000,usec_per_call=2,rejected_calls=3,failed_calls=4
      cmdstat_a"b\\c:calls=5
      cmdstat_:calls=1
      cmdstat_get:calls=many,usec
      other:calls=1
      """
    #expect(
      try series(CommandStatsCollector(), info: info) == [
        #"commands_duration_seconds_total{cmd="ft.search"} 2"#,
        #"commands_failed_calls_total{cmd="ft.search"} 4"#,
        #"commands_rejected_calls_total{cmd="ft.search"} 3"#,
        #"commands_total{cmd="ft.search"} 1"#,
        #"commands_total{cmd="a\"b\\c"} 5"#,
      ])
  }

  @Test func histogramSumIncludesSubcommandsAndAnyName() throws {
    let info = """
      # Commandstats
      cmdstat_client|list:calls=1,usec=5
      cmdstat_client|id:calls=1,usec=7
      cmdstat_json.get:calls=2,usec=11
      """
    let one = "*4\r\n" + bulk("calls") + ":2\r\n" + bulk("histogram_usec") + "*2\r\n:4\r\n:2\r\n"
    let reply =
      "*6\r\n" + bulk("client") + one + bulk("json.get") + one + bulk("idle") + "*4\r\n" + bulk("calls")
      + ":0\r\n" + bulk("histogram_usec") + "*0\r\n"
    let lines = try series(LatencyHistogramCollector(), info: info, replies: [reply])
    #expect(lines.contains(#"commands_latencies_usec_sum{cmd="client"} 12"#))
    #expect(lines.contains(#"commands_latencies_usec_sum{cmd="json.get"} 11"#))
    #expect(lines.contains(#"commands_latencies_usec_bucket{cmd="client",le="2.063"} 0"#))
    #expect(lines.contains(#"commands_latencies_usec_bucket{cmd="client",le="4.127"} 2"#))
    #expect(lines.contains(#"command_latency_seconds_count{cmd="other"} 4"#))
    #expect(lines.contains(#"command_latency_seconds_sum{cmd="other"} 2.3e-05"#))
    #expect(!lines.contains { $0.contains("idle") })
  }

  @Test func clientsWithStrangeNamesAndAddressesAreShown() throws {
    let text = """
      id=1 addr=[fd00::1]:5000 laddr=x name=a=b age=10 idle=4 flags=N db=0 sub=0 qbuf=3 obl=1 omem=2 user=joe
      id=2 addr=/tmp/redis.sock:0 name=\u{fc}\" age=1 idle=0 flags=Ub db=3 omem=99999999999999999999
      id=3 addr=nonsense name=x
      id= addr=1.2.3.4:5
      garbage
      """
    let lines = try series(ClientListCollector(), replies: [bulk(text)])
    #expect(
      lines.contains(
        #"connected_client_info{id="1",name="a=b",flags="N",db="0",host="[fd00::1]",port="5000",user="joe"} 1"#))
    #expect(
      lines.contains(#"connected_client_info{id="2",name="ü\"",flags="Ub",db="3",host="/tmp/redis.sock",port="0"} 1"#))
    #expect(lines.contains(#"connected_client_created_at_timestamp{id="1",name="a=b"} 990"#))
    #expect(lines.contains(#"client_connections_in_state{state="blocked"} 1"#))
    #expect(lines.contains(#"client_connections{kind="normal"} 2"#))
    #expect(lines.filter { $0.hasPrefix("connected_client_info") }.count == 2)
  }

  @Test func clientNamesAreBounded() throws {
    let names = ["a", "a", "b", "c", "other", ""]
    let text = names.enumerated().map { "id=\($0 + 1) addr=h:1 name=\($1) flags=N" }.joined(separator: "\n")
    var options = CollectorOptions()
    options.clients.areSummed = true
    options.clientNamesLimit = 2
    let lines = try series(ClientListCollector(), replies: [bulk(text)], options: options)
    #expect(
      lines.filter { $0.hasPrefix("client_connections_by_name") } == [
        #"client_connections_by_name{name="a"} 2"#, #"client_connections_by_name{name="unnamed"} 1"#,
        #"client_connections_by_name{name="other"} 3"#,
      ])
    #expect(!lines.contains { $0.hasPrefix("connected_client") })
  }

  @Test func anEmptySlowlogIsZeroAndSaysWhetherItWasEmptied() throws {
    let fresh = try series(
      SlowlogCollector(), info: "redis_version:7.2.0", replies: [":0\r\n", "*0\r\n"])
    #expect(
      fresh == [
        "last_slow_execution_duration_seconds 0", "slowlog_entries_total 0", "slowlog_last_id 0", "slowlog_length 0",
      ])
    let emptied = try series(
      SlowlogCollector(), info: "redis_version:7.2.0\n# Commandstats\ncmdstat_slowlog|reset:calls=1,usec=1",
      replies: [":0\r\n", "*0\r\n"])
    #expect(!emptied.contains { $0.hasPrefix("slowlog_entries_total") })
  }

  @Test func modulesWithListsAreShownWhole() throws {
    let text = """
      # Modules
      module:name=search,ver=20612,api=1,filters=0,usedby=[a,b],using=[ReJSON],options=[handle-io-errors]
      module:broken
      # search_indexes
      search_number_of_indexes:3
      """
    #expect(
      try series(ModulesCollector(), replies: [bulk(text)]) == [
        #"module_info{name="search",ver="20612",api="1",filters="0",usedby="[a,b]",using="[ReJSON]"} 1"#,
        "search_number_of_indexes 3",
      ])
  }

  @Test func quorumThatIsLostIsZeroWithItsWords() throws {
    let info = "redis_mode:sentinel\n# Sentinel\nmaster0:name=m,status=odown,address=1.2.3.4:1,slaves=x,sentinels=2"
    #expect(
      try series(
        SentinelQuorumCollector(), info: info, replies: ["-NOQUORUM 1 usable Sentinels. Not enough\r\n"])
        == [#"sentinel_master_ckquorum_status{master_name="m",message="NOQUORUM 1 usable Sentinels. Not enough"} 0"#])
    #expect(
      try series(SentinelStatusCollector(), info: info) == [
        #"sentinel_master_sentinels{master_name="m",master_address="1.2.3.4:1"} 2"#,
        #"sentinel_master_status{master_name="m",master_address="1.2.3.4:1",master_status="odown"} 0"#,
      ])
  }

  @Test func valkeyExtras() throws {
    let info = """
      # CPU
      used_active_time_io_thread_1:0.5
      # Scripting Engines
      engines_count:1
      engine_0:name=LUA,module=built-in,abi_version=4,used_memory=10,memory_overhead=2
      # TLS
      tls_server_cert_serial:0A1B
      tls_server_cert_expires_in_seconds:5
      tls_ca_cert_serial:none
      tls_ca_cert_expires_in_seconds:0
      """
    #expect(try series(ThreadsCollector(), info: info) == [#"active_time_io_thread_seconds_total{thread="1"} 0.5"#])
    #expect(
      try series(ScriptingEnginesCollector(), info: info) == [
        #"scripting_engine_info{engine="LUA",module="built-in",abi_version="4"} 1"#,
        #"scripting_engine_memory_overhead_bytes{engine="LUA",module="built-in",abi_version="4"} 2"#,
        #"scripting_engine_memory_used_bytes{engine="LUA",module="built-in",abi_version="4"} 10"#,
      ])
    #expect(
      try series(CertificatesCollector(), info: info) == [
        #"tls_certificate_info{certificate="server",serial="0A1B"} 1"#, "tls_server_cert_expires_in_seconds 5",
      ])
  }

  @Test(arguments: [
    "requirepass", "masterauth", "primaryauth", "tls-key-file-pass", "tls-client-key-file-pass", "REQUIREPASS",
    "sentinel-pass", "user", "search.oss-password",
  ])
  func secretsAreLeftOut(_ key: String) throws {
    let reply = list([key, "kiwi-42", "masteruser", "app"])
    let lines = try series(ConfigCollector(), config: reply) + series(SentinelConfigCollector(), replies: [reply])
    #expect(!lines.contains { $0.contains("kiwi-42") || $0.contains("\"\(key)\"") })
    #expect(lines.contains { $0.contains("masteruser") })
    var open = CollectorOptions.wholePage
    open.redactsConfig = false
    #expect(try series(ConfigCollector(), config: reply, options: open).contains { $0.contains("kiwi-42") })
  }

  @Test(arguments: [("/data", "../etc/shadow"), ("/data", ""), ("/data", ".."), ("/da\0ta", "dump.rdb")])
  func aDumpFileElsewhereIsNotLookedAt(_ folder: String, _ file: String) throws {
    #expect(try series(DumpFileCollector(), config: list(["dir", folder, "dbfilename", file])) == [])
  }
}
