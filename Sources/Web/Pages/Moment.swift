import Runtime

/// `2026-11-28 03:44:50`, in UTC; after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
///
/// - Parameter seconds: since the epoch; what no clock shows becomes the epoch.
func utc(_ seconds: Double) -> String {
  let whole = seconds >= 0 && seconds < 253_402_300_800 ? Int(clamping: seconds) : 0
  let days = whole / 86_400 + 719_468
  let era = days / 146_097
  let dayOfEra = days % 146_097
  let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
  let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
  let monthFromMarch = (5 * dayOfYear + 2) / 153
  let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
  let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
  let date = "\(year)-\(padded(month))-\(padded(day))"
  return "\(date) \(padded(whole / 3600 % 24)):\(padded(whole / 60 % 60)):\(padded(whole % 60))"
}

/// Of when a figure is that is not current: `as of 03:44:50 UTC`, with the date where that is not today's.
func asOf(_ seconds: Double, now: Double) -> HTML {
  let (text, today) = (utc(seconds), utc(now))
  let shown = text.prefix(10) == today.prefix(10) ? String(text.suffix(8)) : text
  let stamp = text.replacing(" ", with: "T") + "Z"
  return "<small class=\"as-of\">as of <time datetime=\"\(stamp)\">\(shown)</time>&nbsp;UTC</small>"
}

/// A moment in UTC with its age: `2026-11-28 03:44:50 UTC (3 min ago)`. One that is yet to come was noted before the clock
/// was put back.
func moment(_ seconds: Double, now: Double) -> HTML {
  let text = utc(seconds)
  let since = now - seconds < -1 ? "ahead of the clock" : age(max(0, now - seconds))
  let stamp = text.replacing(" ", with: "T") + "Z"
  return """
    <time datetime="\(stamp)">\(text)&nbsp;UTC</time> <span class="dim">(\(since))</span>
    """
}
