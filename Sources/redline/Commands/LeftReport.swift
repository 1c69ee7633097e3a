import Config
import Fleet
import Runtime

extension CheckReport {
  /// Leaves the report where the daemon takes it, if the configuration has such a place; says on standard error where it
  /// cannot.
  ///
  /// - Returns: the exit status of a command that would have ended with `status`: 2 where all was well but for this, for a
  ///   timer must not count as a success what nobody learns of.
  func left(in results: ResultsConfig?, status: Int32) async -> Int32 {
    guard let path = results?.path else { return status }
    do throws(FileProblem) {
      try await CheckReportFolder.write(self, to: path)
      return status
    } catch {
      Redline.printError("the result is not kept: \(path) \(error.reason)")
      return status == 0 ? Redline.usageStatus : status
    }
  }
}
