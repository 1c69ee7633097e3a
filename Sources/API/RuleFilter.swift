import Alerting
import PromQL

/// Which rules a request for `rules` asks for.
struct RuleFilter {
  enum Kind { case alert, record }

  private let kind: Kind?
  private let ruleNames: Set<String>
  private let groupNames: Set<String>
  private let files: Set<String>
  private let selectors: [[LabelMatcher]]
  let excludesAlerts: Bool

  init(_ parameters: APIParameters) throws(APIError) {
    switch parameters.text("type") {
    case "": kind = nil
    case "alert": kind = .alert
    case "record": kind = .record
    default: throw .invalid("type", "not supported value \(parameters.shown(parameters.text("type")))")
    }
    ruleNames = Set(parameters.texts("rule_name[]"))
    groupNames = Set(parameters.texts("rule_group[]"))
    files = Set(parameters.texts("file[]"))
    selectors = try parameters.selectors()
    excludesAlerts = try parameters.boolean("exclude_alerts")
  }

  func admits(_ group: RuleGroup) -> Bool {
    (groupNames.isEmpty || groupNames.contains(group.name)) && (files.isEmpty || files.contains(group.file))
  }

  func admits(_ rule: Rule) -> Bool {
    switch (rule, kind) {
    case (.alerting, .record), (.recording, .alert): return false
    default: break
    }
    guard ruleNames.isEmpty || ruleNames.contains(rule.name) else { return false }
    guard !selectors.isEmpty else { return true }
    let labels = Labels(rule.labels.map { Labels.Pair($0.key, $0.value) })
    return selectors.contains { $0.allSatisfy { $0.matches(labels) } }
  }
}

/// The part of the groups that a request with `group_limit` gets, and how it gets the next.
struct GroupPage {
  let groups: ArraySlice<GroupState>
  /// Nil when nothing follows.
  let nextToken: String?

  init(_ groups: [GroupState], _ parameters: APIParameters) throws(APIError) {
    let limit = try parameters.limit("group_limit")
    let token = parameters.text("group_next_token")
    guard limit > 0 || token.isEmpty else {
      throw .invalid("group_limit", "group_limit needs to be set in order to paginate over the groups")
    }
    var rest = groups[...]
    if !token.isEmpty {
      guard let last = groups.firstIndex(where: { Self.token($0.group) == token }) else {
        throw .invalid(
          "group_next_token", "no group has this token; the rules were reloaded, begin again without it")
      }
      rest = groups[(last + 1)...]
    }
    self.groups = limit > 0 ? rest.prefix(limit) : rest
    nextToken = self.groups.endIndex < groups.endIndex ? self.groups.last.map { Self.token($0.group) } : nil
  }

  /// The bytes of file and name in hexadecimal: nothing to be read, only to be given back.
  private static func token(_ group: RuleGroup) -> String {
    let digits = Array("0123456789abcdef".utf8)
    let bytes = "\(group.file);\(group.name)".utf8.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: bytes, as: UTF8.self)
  }
}
