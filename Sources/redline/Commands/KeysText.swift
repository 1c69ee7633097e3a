import API
import Config
import Fleet
import Runtime
import Web

/// A sample of keys as it is printed.
struct KeysText {
  private let report: KeyspaceReport
  private var estimate: KeyspaceEstimate { report.estimate }

  init(_ report: KeyspaceReport) { self.report = report }

  private static let heads = ["prefix", "memory", "keys", "without TTL", "expires at once"]

  private func cells(_ prefix: KeyspaceEstimate.Prefix) -> [String] {
    [
      prefix.name, prefix.memoryBytes.map { Self.amount($0, Self.bytes) } ?? "unknown",
      Self.amount(prefix.keys, Estimate.count),
      prefix.keysWithoutTTL.map { Self.amount($0, Estimate.count) } ?? "unknown",
      Self.wave(prefix.wave),
    ]
  }

  // MARK: Amounts

  private static func amount(_ amount: SampledAmount, _ words: (Double) -> String) -> String {
    Estimate(amount).text(words)
  }

  private static func bytes(_ value: Double) -> String { TimeSeries.Unit.bytes.words(value) }

  private static func wave(_ wave: KeyspaceEstimate.Wave) -> String {
    switch wave {
    case .unknown: return "unknown"
    case .none: return "no"
    case .coming(let wave):
      let time = "\(Timestamp(WallTime(seconds: Double(wave.timestampSeconds))))".replacing(".000Z", with: "Z")
      let span = wave.spanSeconds == 1 ? "at" : "in the minute from"
      return "\(amount(wave.keys, Estimate.count)) \(span) \(time)"
    }
  }

  // MARK: What is to be known beside the table

  private var title: String {
    let named = report.servers.filter { $0.failure == nil }
    let names = named.prefix(3).map { $0.name }.joined(separator: ", ")
    return "Keys of \(names)\(named.count > 3 ? " and \(named.count - 3) more" : "")"
  }

  private var remarks: [String] {
    if estimate.keyTotal == 0, report.servers.allSatisfy({ $0.failure == nil }) { return ["there are no keys"] }
    var remarks: [String] = []
    let products = Set(report.servers.compactMap(\.product)).sorted().joined(separator: ", ")
    let replicas = report.servers.count(where: \.isReplica)
    let read =
      report.servers.count == 1
      ? (replicas == 1 ? "a replica" : "a master") : "\(report.servers.count) shards, \(replicas) of them on replicas"
    let seen = Estimate.count(Double(estimate.seenCount))
    remarks.append(
      "\(estimate.areAllKeys ? "all \(seen)" : "\(seen) of \(Estimate.count(estimate.keyTotal))") keys were looked at in "
        + "\(TimeSeries.Unit.seconds.words(report.tookSeconds)) on \(read) (\(products))"
        + (estimate.areAllKeys ? "" : "; bounds hold the truth 95 times in 100"))
    for server in report.servers {
      if let failure = server.failure { remarks.append("\(server.name) is not among them: \(failure)") }
    }
    remarks += report.shortfalls
    remarks.append(attributed)
    if let crowding = estimate.crowdingRatio {
      remarks.append(
        "of the keys that expire, \(Estimate.percent(crowding)) do so in the fullest second"
          + (crowding > KeyspaceEstimate.crowdingLimit ? ": spread their TTLs by a tenth at random" : ""))
    } else {
      remarks.append("whether TTLs are spread is unknown: fewer than 1,000 of the keys that were looked at expire")
    }
    return remarks
  }

  private var attributed: String {
    guard let ratio = report.attributedRatio else {
      return "how much of the server's memory the prefixes come to is unknown"
    }
    let text = "the prefixes come to \(Estimate.percent(ratio)) of the memory that the server counts as data"
    switch report.isComplete {
    case true?: return text
    case false?:
      return text + ": single large keys were missed or met by chance, so that memory by prefix is not to be trusted"
    case nil: return text + ", which says nothing of so little data"
    }
  }

  // MARK: Formats

  var plain: String {
    let rows = [Self.heads] + estimate.prefixes.map(cells)
    let widths = Self.heads.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    let lines = rows.map { row in
      row.indices.map { $0 == row.count - 1 ? row[$0] : padded(row[$0], widths[$0]) }.joined(separator: "  ")
    }
    return ([title, ""] + lines + [""] + remarks.map { "- \($0)" }).map { KnownSecrets.masked(oneLine($0)) }
      .joined(separator: "\n") + "\n"
  }

  var markdown: String {
    let rows =
      [Self.heads, Self.heads.map { _ in "---" }]
      + estimate.prefixes.map { prefix in
        let cells = cells(prefix)
        return ["`\(cells[0])`"] + cells.dropFirst()
      }
    let lines = rows.map { "| \($0.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ")) |" }
    return (["# \(title)", ""] + lines + [""] + remarks.map { "- \($0)" }).map { KnownSecrets.masked(oneLine($0)) }
      .joined(separator: "\n") + "\n"
  }

  /// What is not known is null.
  var json: String {
    var json = JSONWriter(escaping: .invisible, layout: .indented)
    json.object { json in
      json.field("began_at", "\(Timestamp(report.beganAt))")
      json.field("took_seconds", report.tookSeconds)
      json.field("keys", estimate.keyTotal)
      json.field("looked_at", estimate.seenCount)
      json.field("windows", estimate.windowCount)
      json.field("is_every_key", estimate.areAllKeys)
      json.field("is_cut", report.isCut)
      json.field("unseen_keys", estimate.unseenKeys)
      json.field("omitted_windows", report.omittedCount)
      json.key("attributed_ratio")
      Self.write(report.attributedRatio, &json)
      json.key("is_complete")
      if let isComplete = report.isComplete { json.boolean(isComplete) } else { json.null() }
      json.key("ttl_crowding_ratio")
      Self.write(estimate.crowdingRatio, &json)
      json.key("missing_rights")
      json.strings(report.refused)
      json.key("servers")
      json.array { json in
        for server in report.servers {
          json.object { json in
            json.field("name", server.name)
            if let product = server.product { json.field("product", product) }
            json.field("is_replica", server.isReplica)
            json.field("keys", server.keyTotal)
            if let failure = server.failure { json.field("failure", KnownSecrets.masked(failure)) }
          }
        }
      }
      json.key("prefixes")
      json.array { json in for prefix in estimate.prefixes { Self.write(prefix, &json) } }
    }
    return json.text + "\n"
  }

  private static func write(_ prefix: KeyspaceEstimate.Prefix, _ json: inout JSONWriter) {
    json.object { json in
      json.field("prefix", prefix.name)
      json.field("looked_at", prefix.seenCount)
      write("keys", prefix.keys, &json)
      write("keys_without_ttl", prefix.keysWithoutTTL, &json)
      write("memory_bytes", prefix.memoryBytes, &json)
      json.key("expiry_wave")
      switch prefix.wave {
      case .unknown: json.null()
      case .none: json.boolean(false)
      case .coming(let wave):
        json.object { json in
          json.field("timestamp_seconds", wave.timestampSeconds)
          json.field("span_seconds", wave.spanSeconds)
          write("keys", wave.keys, &json)
          json.field("ratio", wave.ratio)
        }
      }
    }
  }

  private static func write(_ name: String, _ amount: SampledAmount?, _ json: inout JSONWriter) {
    json.key(name)
    guard let amount else { return json.null() }
    json.object { json in
      json.field("value", amount.value)
      json.key("lower")
      write(amount.lower, &json)
      json.key("upper")
      write(amount.upper, &json)
    }
  }

  private static func write(_ value: Double?, _ json: inout JSONWriter) {
    if let value { json.number(value) } else { json.null() }
  }
}
