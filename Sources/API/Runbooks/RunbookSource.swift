import Config
import Fleet
import PromQL
import Runtime
import Web

/// The runbooks, with what is known to fill them in: for pages and the API.
public struct RunbookSource: Sendable {
  /// The directory of runbooks; nil while none is known.
  let folder: @Sendable () -> String?
  let setting: @Sendable () -> RunbookSetting

  public init(folder: @escaping @Sendable () -> String?, setting: @escaping @Sendable () -> RunbookSetting) {
    self.folder = folder
    self.setting = setting
  }

  /// Without any.
  static let empty = RunbookSource(folder: { nil }, setting: { RunbookSetting() })

  /// What is read from the folder; `missing` where there is none, and while its disk does not answer.
  func read<Value: Sendable>(
    orElse missing: Value, _ body: @escaping @Sendable (RunbookLibrary) -> Value
  ) async -> Value {
    guard let folder = folder() else { return missing }
    let library = RunbookLibrary(directory: folder)
    do throws(FileProblem) {
      return try await FileWork.shared.value(of: folder, within: .seconds(10)) { () throws(FileProblem) in body(library)
      }
    } catch {
      return missing
    }
  }

  /// What runbooks are about that were asked for by the labels of an alert.
  func target(_ labels: [String: String], in fleet: FleetView?) async -> RunbookTarget {
    var labels = labels
    var overview: WorkloadOverview?
    if let name = labels["workload"] {
      overview = await fleet?.workloads(named: name).first { $0.overview.name == name }?.overview
    } else if let instance = labels["instance"] ?? labels["sentinel"] {
      overview = await fleet?.member(instance)?.overview
      labels["workload"] = overview?.name
    }
    return RunbookTarget(labels: labels, overview, setting())
  }
}

/// The part of an address that says what a runbook is about: `?workload=sessions&node=10.0.0.1:6379`.
enum RunbookQuery {
  /// The labels of alerts that fill something in, with their names in an address.
  static let labels: [(label: String, parameter: String)] = [
    ("workload", "workload"), ("instance", "node"), ("stream", "stream"), ("group", "group"), ("db", "db"),
    ("service", "service"), ("sentinel", "sentinel"), ("master_name", "master_name"),
  ]

  /// Empty where nothing is known.
  static func text(_ value: (_ label: String) -> String?) -> String {
    let items = labels.compactMap { label, parameter in
      value(label).flatMap { $0.isEmpty ? nil : "\(parameter)=\($0.percentEncoded())" }
    }
    return items.isEmpty ? "" : "?" + items.joined(separator: "&")
  }

  /// Of an alert's labels, those.
  static func about(_ labels: Labels) -> [String: String] {
    var found: [String: String] = [:]
    for (label, _) in Self.labels { found[label] = labels[label] }
    return found
  }

  static func labels(_ value: (_ parameter: String) -> String?) -> [String: String] {
    var found: [String: String] = [:]
    for (label, parameter) in labels {
      if let text = value(parameter), !text.isEmpty { found[label] = text.cut(toBytes: ForeignText.byteLimit) }
    }
    return found
  }
}

extension RunbookText {
  /// The whole runbook as of now.
  static func now(_ text: String, for target: RunbookTarget) -> String {
    let time = Timestamp(.now).description.dropFirst(11).prefix(5)
    return RunbookText(text, for: target).whole(asOf: "\(time) UTC")
  }
}

extension Markdown {
  /// A runbook that is filled in; those that it names are linked for the same target.
  init(runbook text: String, for target: RunbookTarget, headingOffset: Int = 0, names: Set<String>) {
    self.init(
      RunbookText.now(text, for: target), headingOffset: headingOffset, omitsTitle: true, pages: names,
      query: RunbookQuery.text { target.labels[$0] })
  }
}
