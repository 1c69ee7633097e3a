import PromQL
import Runtime
import Web

/// The parameters of one request to the API, read as Prometheus reads them.
struct APIParameters: Sendable {
  let form: Form
  /// What follows the path of a route with a parameter in its path.
  let rest: String
  let settings: HTTPAPI.Settings
  /// When the request came, in milliseconds since 1970.
  let nowMilliseconds: Int64
  /// Whether who asks had to log in, and did.
  var isLoggedIn = false
  /// Until when there is to be an answer.
  private(set) var deadline: ContinuousClock.Instant

  /// Times further off could overflow when ranges and offsets are added; some 28,000 years.
  private static let largestMilliseconds = 9e14

  /// - Parameter longestSeconds: the time for an answer; the client's own `timeout` can only make it shorter.
  init(
    form: Form, rest: String = "", settings: HTTPAPI.Settings, nowMilliseconds: Int64, longestSeconds: Double
  ) throws(APIError) {
    self.form = form
    self.rest = rest
    self.settings = settings
    self.nowMilliseconds = nowMilliseconds
    deadline = .now + .seconds(longestSeconds)
    if let wanted = try duration("timeout") {
      deadline = min(deadline, .now + .milliseconds(wanted))
    }
  }

  /// The first value of a parameter, empty when it is not given.
  func text(_ name: String) -> String { form.value(name) ?? "" }

  /// All values of a parameter.
  func texts(_ name: String) -> [String] { form.values(name) }

  // MARK: Times

  /// Seconds since 1970, or RFC 3339.
  func time(_ name: String, otherwise: Int64) throws(APIError) -> Int64 {
    text(name).isEmpty ? otherwise : try time(name)
  }

  /// As `time`, for a parameter that must be given.
  func time(_ name: String) throws(APIError) -> Int64 {
    let text = text(name)
    guard let milliseconds = Self.seconds(text) ?? RFC3339.milliseconds(text) else {
      throw .invalid(name, "cannot parse \(shown(text)) to a valid timestamp")
    }
    return milliseconds
  }

  /// `from` and `to`, both included; nil for what is not given.
  func span() throws(APIError) -> (from: Int64?, to: Int64?) {
    let from = text("from").isEmpty ? nil : try time("from")
    let to = text("to").isEmpty ? nil : try time("to")
    if let from, let to, to < from { throw .invalid("to", "it is before from") }
    return (from, to)
  }

  /// Seconds, or a duration such as `1m30s`, in milliseconds; nil when it is not given.
  func duration(_ name: String) throws(APIError) -> Int64? {
    let text = text(name)
    if text.isEmpty { return nil }
    guard let milliseconds = Self.seconds(text) ?? NumberSyntax.durationMilliseconds(text) else {
      throw .invalid(name, "cannot parse \(shown(text)) to a valid duration")
    }
    return milliseconds
  }

  /// A decimal number of seconds in milliseconds.
  private static func seconds(_ text: String) -> Int64? {
    guard let seconds = Double(text), (seconds * 1000).magnitude <= largestMilliseconds else { return nil }
    return Int64(clamping: (seconds * 1000).rounded())
  }

  // MARK: Numbers

  /// The most elements that an answer may have; 0 is no limit.
  func limit(_ name: String = "limit") throws(APIError) -> Int {
    let text = text(name)
    if text.isEmpty { return 0 }
    guard let limit = Int(text), limit >= 0 else { throw .invalid(name, "limit must be a number and not negative") }
    return limit
  }

  /// As Prometheus reads the limits of metadata, where 0 is an answer without elements.
  ///
  /// - Returns: nil for no limit: where it is not given, and for a negative one.
  func metadataLimit(_ name: String = "limit") throws(APIError) -> Int? {
    let text = text(name)
    if text.isEmpty { return nil }
    guard let limit = Int(text) else { throw APIError(.badData, "\(name) must be a number") }
    return limit >= 0 ? limit : nil
  }

  /// Which page of a list is asked for, from 1; the first unless one is given.
  func page(through last: Int) throws(APIError) -> Int {
    let text = text("page")
    if text.isEmpty { return 1 }
    guard let number = Int(text), (1...last).contains(number) else {
      throw .invalid("page", "\(shown(text)) is no number from 1 through \(last)")
    }
    return number
  }

  func boolean(_ name: String) throws(APIError) -> Bool {
    switch text(name) {
    case "", "0", "f", "F", "false", "FALSE", "False": return false
    case "1", "t", "T", "true", "TRUE", "True": return true
    default: throw .invalid(name, "\(shown(text(name))) is neither true nor false")
    }
  }

  // MARK: Queries

  /// The query of that parameter.
  func query(_ name: String = "query") throws(APIError) -> Query {
    try parse(text(name), name)
  }

  /// The matchers of every value of a parameter; they are selectors without a range, offset or `@`.
  func selectors(_ name: String = "match[]") throws(APIError) -> [[LabelMatcher]] {
    var lists: [[LabelMatcher]] = []
    for text in form.values(name) {
      guard case .selector(let selector) = try parse(text, name).expression, selector.shift.anchor == nil,
        selector.shift.offsetMilliseconds == 0
      else {
        throw .invalid(name, "\(shown(text)) is no selector such as up{job=\"redis\"}")
      }
      lists.append(selector.matchers)
    }
    return lists
  }

  private func parse(_ text: String, _ name: String) throws(APIError) -> Query {
    do throws(QuerySyntaxError) {
      return try Query(text, dialect: settings.dialect)
    } catch {
      throw .invalid(name, "\(error.line):\(error.column): parse error: \(error.message)")
    }
  }

  /// A value of the client's as an error shows it.
  func shown(_ text: String) -> String { "\"\(text.prefix(200))\"" }
}
