import Config
import Runtime

/// What a person has said to a command that may hurt production.
///
/// `--confirm NAME` alone proves nobody's presence: it stands in scripts, histories and timers. So the name is asked for once
/// more, on the terminal that controls the process (`/dev/tty`), not on standard input, which a pipe may be. A timer, a
/// job of continuous integration and `ssh host command` have no such terminal, a job in the background does not read from it,
/// and what was typed before the question is thrown away.
public struct TypedConfirmation: Sendable, Equatable {
  /// `--confirm`; nil where it was not given.
  public let given: String?
  /// What was typed at the question; nil where there is no terminal, or nothing was typed in time.
  public let typed: String?

  public init(given: String?, typed: String?) {
    self.given = given
    self.typed = typed
  }

  /// Asks on the terminal, if `--confirm` names the workload at all. Blocks the thread for up to ``patience``.
  ///
  /// - Parameter ask: puts the question and gives the line that was typed.
  public static func obtained(
    given: String?, for name: String, to purpose: String,
    ask: (_ prompt: String) -> String? = { ControllingTerminal.line(prompt: $0, within: patience) }
  ) -> TypedConfirmation {
    guard given == name else { return TypedConfirmation(given: given, typed: nil) }
    return TypedConfirmation(
      given: given, typed: ask("\(purpose) Type the name of the workload to go on, anything else to stop: "))
  }

  public static let patience: Duration = .seconds(60)

  /// What is missing, as the end of a sentence; nil where all is there.
  func problem(for name: String) -> String? {
    guard let given else { return "give --confirm \(name), and type the name when it is asked for on the terminal" }
    guard given == name else { return "--confirm names \(quoted(given.cut(toBytes: 64))), not \(name)" }
    guard let typed else { return "nobody typed its name on a terminal; --confirm alone does not do" }
    return typed == name ? nil : "what was typed is not its name"
  }
}
