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

/// Files of known faults, for commands.
public enum AdvisoryFile {
  /// What is wrong with the files that a configuration names, each once; empty where nothing is.
  public static func errors(in config: FleetConfig) async -> [ConfigError] {
    var errors: [ConfigError] = []
    for path in paths(of: config) {
      do throws(ConfigErrors) {
        _ = try await FileWork.shared.value(of: path, isTold: false) { () throws(ConfigErrors) in
          try Advisories.load(path)
        }
      } catch {
        errors += error.errors
      }
    }
    return errors
  }

  /// How old each file is, in a sentence; of those that can be read.
  public static func ages(of config: FleetConfig) async -> [String] {
    var ages: [String] = []
    for path in paths(of: config) {
      guard let advisories = await AdvisoryStore.shared.advisories(path)?.value else { continue }
      ages.append("\(path): \(advisories.value.ageText(at: WallTime.now.seconds))")
    }
    return ages
  }

  private static func paths(of config: FleetConfig) -> [String] {
    Set(config.workloads.compactMap(\.audit.advisoriesFile)).sorted()
  }
}
