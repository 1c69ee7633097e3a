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
  /// A file that somebody left.
  struct Left: Sendable {
    let name: String
    /// nil where it could not be looked at.
    let stamp: FileStamp?
    let content: Result<[UInt8], FileProblem>
  }

  /// Entries of the folder that are looked at in one round, and files that are read.
  private static let entryLimit = 10_000
  private static let roundLimit = 50

  /// The files that wait, in the order of their names, and the unfinished ones. Blocks; makes the folder where there is none.
  static func left(in path: String) throws(FileProblem) -> (files: [Left], partial: [(name: String, stamp: FileStamp)])
  {
    try Folder.make(path)
    let names = SmallFile.names(inDirectory: path, limit: entryLimit).sorted()
    let files = names.lazy.filter { $0.hasSuffix(ending) }.prefix(roundLimit).map { name in
      let file = "\(path)/\(name)"
      return Left(
        name: name, stamp: FileStamp(file),
        content: Result { () throws(FileProblem) in
          try RegularFile.bytes(file, limitBytes: CheckReport.limitBytes)
        })
    }
    let partial = names.filter { $0.hasSuffix(partialEnding) }.prefix(roundLimit).compactMap { name in
      FileStamp("\(path)/\(name)").map { (name, $0) }
    }
    return (Array(files), partial)
  }

  /// What becomes of a file.
  enum Fate: Sendable {
    case removed
    /// Left beside as `NAME.bad`, for people.
    case setAside
  }

  /// - Returns: the files that are still there, and why. Blocks.
  static func settle(_ fates: [String: Fate], in path: String) -> [String: FileProblem] {
    var problems: [String: FileProblem] = [:]
    for (name, fate) in fates {
      let file = "\(path)/\(name)"
      do throws(FileProblem) {
        switch fate {
        case .removed: try Folder.remove(file: file)
        case .setAside: try WholeFile.rename(file, to: file + ".bad")
        }
      } catch { problems[name] = error }
    }
    return problems
  }
}
