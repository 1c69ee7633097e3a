import PromQL
import Runtime

/// Functions that put numbers into words.
extension TemplateFunction {
  static let numbers: [String: TemplateFunction] = [
    "humanize": number { .string(Humanized.decimal($0)) },
    "humanize1024": number { .string(Humanized.binary($0)) },
    "humanizeDuration": number { .string(Humanized.duration($0)) },
    "humanizePercentage": number { .string(Humanized.short($0 * 100) + "%") },
    "humanizeTimestamp": number { value in
      value.isFinite ? .string(try moment(value).description) : .string(Humanized.short(value))
    },
    "toTime": number { .time(try moment($0)) },
    "toDuration": number { .duration(GoDuration(ns: Int64(clamping: $0 * 1e9))) },
    "now": TemplateFunction([]) { .float($1.context.timeSeconds) },
    "parseDuration": TemplateFunction([.string]) { values, _ in
      let text = values.text(0)
      let isNegative = text.hasPrefix("-")
      guard let ms = RuleDuration.milliseconds(isNegative ? String(text.dropFirst()) : text) else {
        throw TemplateFunctionError(
          text.isEmpty ? "empty duration string" : "not a valid duration string: \(GoQuote.quoted(text))")
      }
      return .float(Double(isNegative ? -ms : ms) / 1000)
    },
  ]

  private static func number(_ body: @escaping @Sendable (Double) throws -> TemplateValue) -> TemplateFunction {
    TemplateFunction([.any]) { values, _ in try body(try float(values[0])) }
  }

  private static func float(_ value: TemplateValue) throws(TemplateFunctionError) -> Double {
    switch value {
    case .float(let number): return number
    case .int(let number): return Double(number)
    case .duration(let duration): return Double(duration.ns) / 1e9
    case .string(let text):
      func problem(_ reason: String) -> TemplateFunctionError {
        TemplateFunctionError("strconv.ParseFloat: parsing \(GoQuote.quoted(text)): \(reason)")
      }
      guard let number = Double(text) else { throw problem("invalid syntax") }
      if number.isInfinite, !text.lowercased().contains("inf") { throw problem("value out of range") }
      return number
    default: throw TemplateFunctionError("can't convert \(value.typeName) to float")
    }
  }

  /// Whole milliseconds, as Prometheus keeps them.
  private static func moment(_ seconds: Double) throws(TemplateFunctionError) -> GoTime {
    guard seconds.isFinite else { throw TemplateFunctionError("value is NaN or Inf") }
    guard (seconds * 1e9).magnitude < 9.223372036854775e18 else {
      throw TemplateFunctionError(
        "\(GoNumber.plain(seconds)) cannot be represented as a nanoseconds timestamp since it overflows int64")
    }
    return GoTime(unixNs: Int64(clamping: seconds * 1e9) / 1_000_000 * 1_000_000)
  }
}

/// Numbers for people, in four significant digits.
enum Humanized {
  static func short(_ value: Double) -> String { GoNumber.format(value, .general, precision: 4) }

  /// Thousands: `1.235M`, `120m`.
  static func decimal(_ value: Double) -> String {
    guard value != 0, value.isFinite else { return short(value) }
    if value.magnitude >= 1 { return scaled(value, ["k", "M", "G", "T", "P", "E", "Z", "Y"], by: 1000) }
    return small(value)
  }

  /// Steps of 1024: `1.177Mi`.
  static func binary(_ value: Double) -> String {
    guard value.magnitude > 1, value.isFinite else { return short(value) }
    return scaled(value, ["ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"], by: 1024)
  }

  /// Seconds: `1d 2h 3m 4s`, `12.35s`, `123.5ms`.
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite else { return short(seconds) }
    if seconds == 0 { return short(seconds) + "s" }
    guard seconds.magnitude >= 1 else { return small(seconds) + "s" }
    let sign = seconds < 0 ? "-" : ""
    let whole = Int64(clamping: seconds.magnitude)
    let (days, hours, minutes) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60)
    let rest = "\(whole % 60)s"
    if days != 0 { return "\(sign)\(days)d \(hours)h \(minutes)m \(rest)" }
    if hours != 0 { return "\(sign)\(hours)h \(minutes)m \(rest)" }
    if minutes != 0 { return "\(sign)\(minutes)m \(rest)" }
    return sign + short(seconds.magnitude) + "s"
  }

  private static func scaled(_ value: Double, _ prefixes: [String], by step: Double) -> String {
    var value = value
    var prefix = ""
    for next in prefixes where value.magnitude >= step {
      prefix = next
      value /= step
    }
    return short(value) + prefix
  }

  private static func small(_ value: Double) -> String {
    var value = value
    var prefix = ""
    for next in ["m", "u", "n", "p", "f", "a", "z", "y"] where value.magnitude < 1 {
      prefix = next
      value *= 1000
    }
    return short(value) + prefix
  }
}
