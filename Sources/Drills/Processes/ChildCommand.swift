import Config
import Runtime
import Subprocess

/// A program that a drill runs: bounded in time, in output and in what it may take from others, and never left behind.
///
/// It runs in a session and a process group of its own, led by a shell that holds the reading end of a pipe: the lifeline.
/// Only this process holds the other end. Once that is closed, whether on purpose or because this process was killed, the
/// shell kills the whole group. What leaves its group, as daemons do, is out of reach.
public struct ChildCommand: Sendable {
  /// The program, by path or by a name of `PATH`, and its arguments. They stand on the process list: never a secret.
  public let arguments: [String]
  /// How long it may run; then its group is killed.
  public let timeLimit: Duration
  /// Where it runs.
  public var folder = "/"
  /// Variables that are added to its environment.
  public var environment: [String: String] = [:]
  /// Whether it gets the variables of this process, too; else `PATH` alone.
  public var inheritsEnvironment = true
  /// How much it steps back behind others, 0 to 19.
  public var niceness = 10
  /// The processor time in seconds after which the system ends each process of it; 0 for as much as it wants.
  public var cpuLimitSeconds = 0
  /// How many addresses it may have, used or not, in bytes: about its memory; nil for as many as it wants.
  public var memoryLimitBytes: Int?
  /// How much is kept of what it prints: the end.
  public var outputLimitBytes = 64 << 10
  /// Whether it runs as `nobody` where this process is root.
  public var isUnprivileged = false

  public init(_ arguments: [String], timeLimit: Duration) {
    self.arguments = arguments
    self.timeLimit = timeLimit
  }

  /// A command line of the user's, for `sh`.
  public init(shell line: String, timeLimit: Duration) {
    self.init(["sh", "-c", line], timeLimit: timeLimit)
  }

  /// Runs it to its end.
  ///
  /// - Throws: ``ChildError`` where no process can be started. A program that is not there ends with 127.
  public func run() async throws -> ChildOutcome {
    try await run { child in await child.end() }.outcome
  }

  /// Runs it beside `body`, and kills what is left of it once `body` is through.
  ///
  /// - Throws: ``ChildError`` where no process can be started, and what `body` throws.
  public func run<Value: Sendable>(
    _ body: @escaping @Sendable (RunningChild) async throws -> Value
  ) async throws -> (value: Value, outcome: ChildOutcome) {
    var options = PlatformOptions()
    options.createSession = true
    if isUnprivileged, UnprivilegedUser.isNeeded {
      (options.userID, options.groupID) = (UnprivilegedUser.id, UnprivilegedUser.id)
      options.supplementaryGroups = []
    }
    let child = RunningChild(outputLimitBytes: outputLimitBytes)
    do {
      let result = try await Subprocess.run(
        .name("sh"), arguments: Arguments(words), environment: .custom(variables), platformOptions: options,
        input: .inputWriter, output: .sequence, error: .sequence
      ) { execution in
        try await attend(child, execution, body)
      }
      return (result.closureResult, child.outcome)
    } catch let error as SubprocessError {
      throw ChildError(reason: "no process can be started: \(error)")
    }
  }

  private func attend<Value: Sendable>(
    _ child: RunningChild, _ execution: Execution<CustomWriteInput, SequenceOutput, SequenceOutput>,
    _ body: @escaping @Sendable (RunningChild) async throws -> Value
  ) async throws -> Value {
    let lifeline = execution.standardInputWriter
    child.connect { isLast in
      if isLast { try? await lifeline.finish() } else { _ = try? await lifeline.write("end\n") }
    }
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask {
        do {
          for try await buffer in execution.standardOutput { child.keep(buffer.array) }
        } catch {}
        child.closeOutput()
      }
      tasks.addTask {
        do {
          for try await buffer in execution.standardError { child.hear(buffer.array) }
        } catch {}
        child.settle(.killed)
      }
      tasks.addTask { [timeLimit] in
        guard (try? await Task.sleep(for: timeLimit)) != nil else { return }
        child.settle(.timedOut)
        await child.kill()
      }
      do {
        let value = try await body(child)
        await child.drain()
        tasks.cancelAll()
        return value
      } catch {
        await child.kill()
        tasks.cancelAll()
        throw error
      }
    }
  }

  // MARK: The shell

  /// Standard input is the lifeline, standard error tells how the program stands; both outputs of the program are one.
  private static let script = """
    exec 3<&0 4>&2 2>&1 </dev/null
    cd "$1" || { echo 126 >&4; exit; }
    nice=$2
    [ "$3" = 0 ] || ulimit -t "$3"
    [ "$4" = 0 ] || ulimit -v "$4"
    shift 4
    nice -n "$nice" "$@" 3<&- 4>&- &
    child=$!
    (
      while read -r word; do [ "$word" = end ] && kill -s TERM "$child"; done
      kill -s KILL 0
    ) <&3 >/dev/null 2>&1 4>&- &
    exec 3<&-
    wait "$child"
    echo "$?" >&4
    exec >/dev/null 2>&1 4>&-
    wait
    """

  private var words: [String] {
    [
      "-c", Self.script, "redline-child", folder, "\(niceness)", "\(cpuLimitSeconds)",
      "\((memoryLimitBytes ?? 0) >> 10)",
    ]
      + arguments
  }

  /// C strings, each with its zero.
  private var variables: [[UInt8]] {
    var all = processEnvironment()
    if !inheritsEnvironment { all = all.filter { $0.key == "PATH" } }
    all.merge(environment) { _, own in own }
    return all.map { Array("\($0.key)=\($0.value)\0".utf8) }
  }
}

/// Why a program did not run.
public struct ChildError: Error, Sendable, CustomStringConvertible {
  public let reason: String
  public var description: String { reason }
}
