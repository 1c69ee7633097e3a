/// A script of Prometheus' PromQL test language: commands that load series, evaluate queries and say what they give.
public struct Script: Sendable {
  enum Command: Sendable {
    case clear
    case load(stepMilliseconds: Int64, [SeriesNotation])
    /// Series of native histograms or with start times: what selects them cannot be judged.
    case loadUnsupported([Labels])
    case eval(Eval)
  }

  let file: String
  let commands: [Command]

  /// Why a script cannot be read: `file:line: reason`.
  public struct Fault: Error, Sendable, CustomStringConvertible {
    public let description: String
  }

  /// - Parameter file: the name that messages give.
  public init(_ text: String, file: String) throws(Fault) {
    self.file = file
    var reader = ScriptReader(text, file: file)
    commands = try reader.commands()
  }

  /// How many queries it evaluates.
  public var evalCount: Int {
    commands.count { if case .eval = $0 { true } else { false } }
  }
}

extension Script {
  /// A query with what is expected of it.
  struct Eval: Sendable {
    enum Moment: Sendable {
      case instant(Int64)
      case range(from: Int64, through: Int64, stepMilliseconds: Int64)
    }

    let line: Int
    let query: String
    let moment: Moment
    var expectations: [Expectation] = []
    var result = Result.series([])

    var isOrdered: Bool { expectations.contains { $0.kind == .ordered } }
    var mustFail: Bool { expectations.contains { $0.kind == .fail } }
  }

  /// A line that starts with `expect`, or what the ending of `eval_…` stands for.
  struct Expectation: Sendable {
    enum Kind: String, Sendable {
      case fail, warn, info, ordered
      case noWarning = "no_warn"
      case noInfo = "no_info"
    }
    enum Text: Sendable {
      case any
      case exactly(String)
      /// Found anywhere.
      case matching(Regex)
    }

    let kind: Kind
    var text = Text.any

    func accepts(_ message: String) -> Bool {
      switch text {
      case .any: true
      case .exactly(let expected): message == expected
      case .matching(let regex): regex.matches(message)
      }
    }
  }

  /// What a query is to give.
  enum Result: Sendable {
    case scalar(Double)
    case string(String)
    /// One value for each step, in the order of the lines.
    case series([SeriesNotation])
    /// A range vector, with the times that its values have.
    case ranges(from: Int64, stepMilliseconds: Int64, [SeriesNotation])
    /// Native histograms.
    case unsupported
  }
}
