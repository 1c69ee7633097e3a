import Fleet
import Redis
import Runtime

/// A command of the user's, which gets to know the master by its environment and ends with the drill.
final class ExecFault: FaultAction {
  private let command: String
  private let group: DrillGroup
  private let workload: String
  private let limitSeconds: Double
  private let client: DrillClient
  private let timeline: Timeline

  init(
    _ command: String, _ group: DrillGroup, workload: String, limitSeconds: Double, client: DrillClient,
    timeline: Timeline
  ) {
    self.command = command
    self.group = group
    self.workload = workload
    self.limitSeconds = limitSeconds
    self.client = client
    self.timeline = timeline
  }

  /// What the command finds in its environment.
  static func variables(_ master: DrillNode, workload: String) -> [String: String] {
    [
      "REDLINE_DRILL_HOST": master.address.host, "REDLINE_DRILL_PORT": "\(master.address.port)",
      "REDLINE_DRILL_RUN_ID": master.runID, "REDLINE_DRILL_WORKLOAD": workload,
    ]
  }

  func begin() async throws(FaultProblem) {
    var child = ChildCommand(shell: command, timeLimit: .seconds(limitSeconds))
    child.environment = Self.variables(group.master, workload: workload)
    child.niceness = 0
    timeline.note("the command of --exec begins")
    let end: ChildEnd
    do {
      end = try await child.run { child in
        await withTaskCancellationHandler {
          await child.end()
        } onCancel: {
          Task { await child.kill() }
        }
      }.outcome.end
    } catch { throw FaultProblem(text: "the command of --exec cannot be started: \(error)") }
    guard end == .exited(0) else { throw FaultProblem(text: "the command of --exec \(end)") }
    timeline.note("the command of --exec has ended")
  }

  /// What it did to servers is its own to undo; what it left running ended with it.
  func undo() async {}
}
