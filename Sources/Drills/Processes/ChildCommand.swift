import Subprocess

/// A program that a drill runs.
struct ChildCommand {
  let arguments: [String]

  func run() async throws -> Bool {
    let result = try await Subprocess.run(
      .name(arguments[0]), arguments: Arguments(Array(arguments.dropFirst())), output: .discarded)
    return result.terminationStatus.isSuccess
  }
}
