import Metrics
import Redis

/// What a Lua script returned: names and numbers in turn.
struct ScriptReport: Sendable, Equatable {
  enum Outcome: Double, Sendable {
    case failed = 0
    case values = 1
    case empty = 2
  }

  let outcome: Outcome
  let values: [(name: String, value: Double)]

  /// - Parameter reply: nil where the server refuses EVAL.
  init(_ reply: Reply?) {
    guard let elements = reply?.elements else {
      (outcome, values) = (.failed, [])
      return
    }
    var values: [(name: String, value: Double)] = []
    var isWhole = true
    var iterator = elements.makeIterator()
    while let name = iterator.next() {
      guard let label = name.bytes.map({ keyLabel($0) }) ?? name.integer.map(String.init),
        let value = iterator.next(), !value.isError, let number = value.double
      else {
        isWhole = false
        continue
      }
      values.append((label, number))
    }
    self.values = values
    outcome = !isWhole ? .failed : values.isEmpty ? .empty : .values
  }

  /// Why a script failed, for the log.
  static func failure(of reply: Reply?) -> String {
    guard let reply else { return "the server refuses it" }
    if reply.isError { return printable(reply.bytes ?? []) }
    return "its result is no list of names and numbers in turn"
  }

  func add(fileName: String, into sink: inout SampleSink) {
    // The last value of a name stands, as in a map.
    var seen: Set<String> = []
    for (name, value) in values.reversed() where seen.insert(name).inserted {
      sink.add(KeyFamilies.scriptValues, value, [.text(name), .text(fileName)])
    }
    sink.add(KeyFamilies.scriptResult, outcome.rawValue, .text(fileName))
  }

  static func == (left: ScriptReport, right: ScriptReport) -> Bool {
    left.outcome == right.outcome && left.values.elementsEqual(right.values) { $0 == $1 }
  }
}
