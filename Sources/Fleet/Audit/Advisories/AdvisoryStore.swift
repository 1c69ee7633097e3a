import Config
import Runtime

/// Keeps the files of known faults that servers are held against: each once, however many servers there are, until it changes.
actor AdvisoryStore {
  static let shared = AdvisoryStore()

  private static let limit = 64
  private var files: [String: (stamp: FileStamp?, answer: AuditAnswer<Shared<Advisories>>)] = [:]

  /// What the file says now.
  ///
  /// - Parameter path: nil where none is configured, and then there is no answer.
  func advisories(_ path: String?) async -> AuditAnswer<Shared<Advisories>>? {
    guard let path else { return nil }
    let known = files[path]
    do throws(ConfigErrors) {
      let read = try await FileWork.shared.value(of: path, isTold: false) {
        () throws(ConfigErrors) -> (stamp: FileStamp?, advisories: Advisories?) in
        let stamp = FileStamp(path)
        if let stamp, stamp == known?.stamp, known?.answer.value != nil { return (stamp, nil) }
        return (stamp, try Advisories.load(path))
      }
      guard let advisories = read.advisories, files.count < Self.limit || known != nil else {
        return known?.answer ?? read.advisories.map { .known(Shared($0)) }
      }
      let answer = AuditAnswer.known(Shared(advisories))
      files[path] = (read.stamp, answer)
      return answer
    } catch {
      // The first that is wrong: `redline check config` tells all.
      return .unknown(error.errors.first.map { "\($0)" } ?? "\(path) cannot be read")
    }
  }
}
