import Runtime

/// A number as findings tell it: `12 s`, and `more than 1000 %` for one that no honest server has.
func amount(_ value: Double, _ unit: String, upTo limit: Int) -> String {
  value > Double(limit) ? "more than \(limit) \(unit)" : "\(Int(clamping: value)) \(unit)"
}

/// `85 %`
func percent(_ ratio: Double) -> String { amount((ratio * 100).rounded(), "%", upTo: 100_000) }

/// `40 s`, `12 min`, `3 h`, `2 d`: never longer than what is meant, in the largest unit that leaves a number above 2.
func span(_ seconds: Double) -> String {
  guard seconds.isFinite else { return "without end" }
  let units = [(86_400.0, "d"), (3600.0, "h"), (60.0, "min")]
  for (size, name) in units where seconds >= 2 * size { return "\(Int(clamping: min(seconds / size, 1e9))) \(name)" }
  return "\(Int(clamping: max(0, seconds))) s"
}
