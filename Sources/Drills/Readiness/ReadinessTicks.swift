import Config
import Runtime

/// What people have looked at themselves: a file with a line for each, `SUBJECT DATE WHO AND WHAT`.
public struct ReadinessTicks: Sendable, Equatable {
  public struct Tick: Sendable, Equatable {
    public let at: WallTime
    /// Who, and what they want to say about it.
    public let note: String
  }

  private static let lineLimit = 200
  public static let limitBytes = 64 << 10

  public private(set) var ticks: [ReadinessLine.Subject: Tick] = [:]

  public init() {}

  /// - Throws: ``ConfigErrors``: every line that is wrong, with what to do.
  public init(_ text: String, file: String) throws(ConfigErrors) {
    var errors: [ConfigError] = []
    let subjects = ReadinessLine.Subject.allCases.filter(\.isTicked).map(\.rawValue)
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.split(separator: " ", maxSplits: 2).map(String.init)
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      func note(_ problem: String, _ hint: String) {
        errors.append(
          ConfigError(
            .file(file, SourceMark(line: index + 1, column: 1)), value: oneLine(first.cut(toBytes: 60)),
            problem: problem,
            hint: hint))
      }
      guard index < Self.lineLimit else {
        note("is one line too many", "keep it to \(Self.lineLimit)")
        break
      }
      guard let subject = ReadinessLine.Subject(rawValue: first), subject.isTicked else {
        note("is nothing that is ticked by hand", "use one of \(subjects.joined(separator: ", "))")
        continue
      }
      guard words.count == 3, let at = Self.time("\(words[1])T00:00:00Z") else {
        note("has no date and nobody's name", "write it like `\(first) 2026-11-20 anna: tried on staging`")
        continue
      }
      let tick = Tick(at: at, note: oneLine(words[2].cut(toBytes: 200)))
      if ticks[subject].map({ $0.at <= at }) ?? true { ticks[subject] = tick }
    }
    if !errors.isEmpty { throw ConfigErrors(errors) }
  }

  static func time(_ text: String) -> WallTime? { Timestamp.parse(text).map { WallTime(epochMs: $0.epochMs) } }
}
