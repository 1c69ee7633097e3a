import Runtime

/// What a workload does while Redis is lost, as its owners have chosen: `degraded` of a workload.
public struct DegradedMode: Sendable, Equatable {
  public enum Choice: String, Sendable, CaseIterable {
    /// Reads and writes go to the database.
    case database
    /// Users log in again.
    case relogin
    /// Each instance of the application keeps what it needs by itself.
    case local
    /// Requests pass unchecked: no limit is counted, no lock is taken.
    case failOpen = "fail_open"
    /// Requests are refused.
    case failClosed = "fail_closed"

    /// What happens, as a sentence without its end.
    public var meaning: String {
      switch self {
      case .database: "reads and writes go to the database"
      case .relogin: "users log in again"
      case .local: "each instance keeps what it needs in a store of its own"
      case .failOpen: "requests pass unchecked"
      case .failClosed: "requests are refused"
      }
    }
  }

  /// In bytes.
  static let noteLimit = 500

  public let choice: Choice
  /// What else is to be known or done, in words of the owners.
  public let note: String?

  init(_ fields: MappingReader) {
    choice = fields.required(
      "on_redis_loss", .oneOf(Choice.self, noun: "a degraded mode"),
      "What applications do while Redis is lost: use the database, have users log in again, use a local store, let requests pass, or refuse them."
    )
    note = fields.optional(
      "note", .oneLine(upToBytes: Self.noteLimit), "What else is to be known or done then; shown to people on call.")
  }

  /// `users log in again (relogin). Tell support first.`
  public var sentence: String {
    "\(choice.meaning) (\(choice.rawValue)).\(note.map { " \($0)" } ?? "")"
  }
}

extension ScalarType<String> {
  /// A text on one line.
  public static func oneLine(upToBytes limit: Int) -> ScalarType {
    nonEmptyString.restricted(
      to: { text in text.utf8.count <= limit && !text.unicodeScalars.contains(where: \.isInvisible) },
      "is longer than \(limit) bytes, or has line breaks or control characters", hint: "write it on one line",
      range: "one line, up to \(limit) bytes")
  }
}
