import Runtime

/// `0.4 s ago`, `12 s ago`, `3 min ago`, `5 h ago`, `2 d ago`, `never`.
func age(_ seconds: Double?) -> String {
  guard let seconds, seconds.isFinite else { return "never" }
  return "\(span(seconds)) ago"
}

/// `0.4 s`, `12 s`, `3 min`, `5 h`, `3 d`; `endless` for what is not finite.
func span(_ seconds: Double) -> String {
  guard seconds.isFinite else { return "endless" }
  switch max(0, seconds) {
  case let seconds where seconds < 10: return "\((seconds * 10).rounded() / 10) s"
  case let seconds where seconds < 120: return "\(Int(clamping: seconds)) s"
  case let seconds where seconds < 7200: return "\(Int(clamping: seconds / 60)) min"
  case let seconds where seconds < 172_800: return "\(Int(clamping: seconds / 3600)) h"
  case let seconds: return "\(Int(clamping: min(seconds / 86_400, 1e6))) d"
  }
}

/// `512 B`, `1.4 MiB`, `12 GiB`.
func size(_ bytes: Int) -> String {
  var value = Double(max(0, bytes))
  var unit = "B"
  for next in ["KiB", "MiB", "GiB", "TiB"] where value >= 1024 {
    value /= 1024
    unit = next
  }
  let isFine = value < 10 && unit != "B"
  return isFine ? "\((value * 10).rounded() / 10) \(unit)" : "\(Int(clamping: value.rounded())) \(unit)"
}

/// `43 %`; more than a thousand percent is not told further.
func percent(_ ratio: Double) -> String {
  "\(Int(clamping: (min(max(0, ratio.isFinite ? ratio : 10), 10) * 100).rounded())) %"
}

/// At most so many characters, the last of them an ellipsis where something was cut.
func clipped(_ text: String, to limit: Int = 240) -> String {
  text.count > limit ? text.prefix(limit - 1) + "…" : text
}

/// A link to another site for an address of http or https; anything else, which a browser might run, is text.
func outwardLink(_ address: String) -> HTML {
  let text = clipped(address, to: 200)
  let scheme = address.prefix { $0 != ":" }.lowercased()
  let rest = address.dropFirst(scheme.count)
  guard ["http", "https"].contains(scheme), rest.hasPrefix("://"),
    rest.dropFirst(3).first?.isLetter == true
      || rest.dropFirst(3).first?.isNumber == true || rest.hasPrefix("://["),
    address.utf8.count <= 2048, !address.unicodeScalars.contains(where: { $0.isInvisible || $0 == " " })
  else { return "\(text)" }
  return "<a href=\"\(address)\" rel=\"noreferrer\">\(text)</a>"
}

/// `0.4 ms`, `12 ms`, `1.2 s`: how long something of the daemon's own took.
func fineSpan(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds < 1 else { return span(seconds) }
  let milliseconds = max(0, seconds * 1000)
  return milliseconds < 10 ? "\((milliseconds * 10).rounded() / 10) ms" : "\(Int(clamping: milliseconds.rounded())) ms"
}

/// At most five significant digits: `0.86213`, `12`, `1200000`, `9.2233e+18`, `NaN`, `+Inf`.
func number(_ value: Double) -> String {
  guard value.isFinite else { return value.isNaN ? "NaN" : value > 0 ? "+Inf" : "-Inf" }
  let size = abs(value)
  guard size < 1e15, size >= 1e-4 || size == 0 else {
    let text = "\(value)"
    guard let mark = text.firstIndex(of: "e") else { return text }
    return String(text[..<mark].prefix(value < 0 ? 7 : 6)) + text[mark...]
  }
  var step = 1.0
  while step < 1e8, size * step < 1e4, size > 0 { step *= 10 }
  let rounded = (value * step).rounded() / step
  return rounded == rounded.rounded() ? "\(Int(clamping: rounded))" : "\(rounded)"
}
