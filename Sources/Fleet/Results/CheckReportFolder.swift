import Runtime

/// The folder `results.path`, in which commands leave results for the daemon.
public enum CheckReportFolder {
  /// What a file is called while it is being written; the daemon leaves it alone.
  static let partialEnding = ".partial"
  static let ending = ".json"

  /// Leaves the report as a file of its own, whole or not at all, also through a crash of the machine.
  ///
  /// Its name has check, workload, time and a random part, so that two that end in the same second stay two. Everybody on
  /// the machine may read it, as far as the umask allows: the daemon may run as another user.
  /// - Parameters:
  ///   - path: `results.path`; the folder must be there.
  ///   - random: where the random part comes from.
  /// - Returns: the path of the file.
  /// - Throws: why it cannot be written, as the end of a sentence that begins with the folder's path. A command that hears
  ///   this says so and exits with 2, unless its verdict is worse: nobody else will learn of the result.
  @discardableResult
  public static func write(
    _ report: CheckReport, to path: String, random: @Sendable () -> UInt64 = { .random(in: .min ... .max) }
  ) async throws(FileProblem) -> String {
    guard CheckReport.isName(report.check), CheckReport.isName(report.workload) else {
      throw FileProblem(reason: "cannot take a result whose check or workload is no plain name")
    }
    let seconds = Int64(clamping: report.endedAt.seconds)
    let digits = String(random(), radix: 16)
    let name =
      "\(report.check)-\(report.workload)-\(seconds)-\(String(repeating: "0", count: 16 - digits.count))\(digits)"
    let file = "\(path)/\(name)\(ending)"
    let bytes = report.json + [UInt8(ascii: "\n")]
    return try await FileWork.shared.value(of: path, within: .seconds(10), isRecorded: false) {
      () throws(FileProblem) in
      guard Folder.isOne(path) else {
        throw FileProblem(reason: "is no folder: make it, and let the daemon write in it")
      }
      try WholeFile.write(bytes, to: file, by: "\(path)/\(name)\(partialEnding)")
      return file
    }
  }
}
