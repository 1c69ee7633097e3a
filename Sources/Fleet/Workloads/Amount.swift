import Runtime

/// A number as findings tell it: `12 s`, and `more than 1000 %` for one that no honest server has.
func amount(_ value: Double, _ unit: String, upTo limit: Int) -> String {
  value > Double(limit) ? "more than \(limit) \(unit)" : "\(Int(clamping: value)) \(unit)"
}

/// The same of a span of time: three years are told, not more.
func amount(seconds: Double) -> String { amount(seconds, "s", upTo: 100_000_000) }
