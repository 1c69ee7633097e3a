import Runtime

/// What is wrong with what somebody left or handed in: the field, what it says, and what to do.
public struct IntakeError: Error, Equatable, CustomStringConvertible {
  public let description: String

  init(_ field: String, value: String? = nil, _ problem: String, hint: String) {
    let shown = value.map { " \"\(KnownSecrets.masked(oneLine($0)).cut(toBytes: 100))\"" } ?? ""
    description = "\(field)\(shown.isEmpty ? "" : ":\(shown)") \(problem); \(hint)"
  }
}
