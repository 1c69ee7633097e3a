import Runtime

/// What the last verification of a workload found, which the next one compares with. Prefixes are no metrics, so it is a file
/// of its own beside the results.
public struct LastBackup: Sendable, Equatable {
  public let at: WallTime
  /// Keys of each database.
  public let keys: [Int: Int]
  /// The share of each prefix in the keys that were looked at, of 0 to 1; of those that held at least 1 %.
  public let prefixShares: [String: Double]

  private static let limitBytes = 256 << 10
  private static let leastShare = 0.01
  private static let databaseLimit = 10_000

  public init(at: WallTime, keys: [Int: Int], prefixShares: [String: Double]) {
    (self.at, self.keys, self.prefixShares) = (at, keys, prefixShares)
  }

  public init(at: WallTime, _ contents: BackupContents) {
    self.init(
      at: at, keys: contents.databases.mapValues(\.keys),
      prefixShares: contents.prefixShares.filter { $0.value >= Self.leastShare })
  }

  /// Beside the results, under an ending that the daemon does not read.
  private static func path(_ folder: String, _ workload: String) -> String { "\(folder)/backup-\(workload).last" }

  /// - Returns: nil where none is kept, or what is kept cannot be read.
  public static func read(_ folder: String, workload: String) async -> LastBackup? {
    let path = path(folder, workload)
    let bytes = try? await FileWork.shared.value(of: path, within: .seconds(10), isRecorded: false) {
      () throws(FileProblem) in try RegularFile.bytes(path, limitBytes: limitBytes)
    }
    return bytes.flatMap { LastBackup(json: $0) }
  }

  /// - Throws: why it cannot be kept.
  public func write(_ folder: String, workload: String) async throws(FileProblem) {
    let (path, bytes) = (Self.path(folder, workload), json)
    try await FileWork.shared.value(of: path, within: .seconds(10), isRecorded: false) { () throws(FileProblem) in
      try WholeFile.write(bytes, to: path, by: "\(path).partial")
    }
  }

  var json: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.field("at", at.seconds)
      json.key("keys")
      json.object { json in
        for (number, count) in keys.sorted(by: { $0.key < $1.key }) { json.field("\(number)", count) }
      }
      json.key("prefixShares")
      json.object { json in
        for (prefix, share) in prefixShares.sorted(by: { $0.key < $1.key }) { json.field(prefix, share) }
      }
    }
    return Array(json.text.utf8)
  }

  init?(json bytes: [UInt8]) {
    guard let value = try? JSONReader.value(bytes, limits: JSONReader.Limits()), let at = value["at"]?.number,
      case .object(let keys)? = value["keys"], case .object(let shares)? = value["prefixShares"]
    else { return nil }
    var counts: [Int: Int] = [:]
    for member in keys.prefix(Self.databaseLimit) {
      guard let number = Int(member.name), let count = member.value.number, count >= 0 else { return nil }
      counts[number] = Int(clamping: count)
    }
    var known: [String: Double] = [:]
    for member in shares.prefix(1000) {
      guard let share = member.value.number, (0...1).contains(share) else { return nil }
      known[member.name] = share
    }
    self.init(at: WallTime(seconds: at), keys: counts, prefixShares: known)
  }
}
