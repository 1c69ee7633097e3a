import Metrics
import Redis

/// What was found out about one key.
struct KeyReport: Sendable, Equatable {
  enum Value: Sendable, Equatable {
    case number(Double)
    case text(String)
  }
  let name: [UInt8]
  /// As TYPE says; `none` for a key that does not exist.
  var type: String
  /// The key belongs to another node of the cluster.
  var isElsewhere = false
  var memoryBytes: Double?
  var size: Double?
  var value: Value?

  /// Reads the replies to TYPE and MEMORY USAGE.
  init(name: [UInt8], type: Reply?, memory: Reply?) {
    self.name = name
    isElsewhere = type?.errorCode == "MOVED" || type?.errorCode == "ASK"
    self.type = type.flatMap { $0.isError ? nil : $0.text } ?? ""
    memoryBytes = memory.flatMap { $0.isError ? nil : $0.double }
  }

  /// A string, read up to `KeyWorkLimits.valueBytes` and one byte. Longer ones and empty ones have no value.
  static func value(of bytes: ArraySlice<UInt8>) -> Value? {
    guard !bytes.isEmpty, bytes.count <= KeyWorkLimits.valueBytes else { return nil }
    return parseDouble(bytes).map { .number($0) } ?? .text(String(decoding: bytes, as: UTF8.self))
  }

  /// - Parameter showsMissing: a missing key has size 0, instead of no series.
  func add(database: Int, showsMissing: Bool, into sink: inout SampleSink) {
    let db = LabelValue.text(databaseLabel(database))
    let key = LabelValue.text(keyLabel(name))
    if type == "none" {
      if showsMissing { sink.add(KeyFamilies.size, 0, [db, key]) }
      return
    }
    if let memoryBytes { sink.add(KeyFamilies.memory, memoryBytes, [db, key]) }
    if let size { sink.add(KeyFamilies.size, size, [db, key]) }
    switch value {
    case .number(let number): sink.add(KeyFamilies.value, number, [db, key])
    case .text(let text): sink.add(KeyFamilies.valueAsString, 1, [db, key, .text(text)])
    case nil: break
    }
  }
}
