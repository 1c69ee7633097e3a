import Runtime

/// Collects the bytes of a page.
///
/// It writes to memory of its own: a line is put together from six or seven pieces, and appending them to an array costs
/// three times as much as copying them. Every copy is preceded by a check of the room.
@safe struct PageWriter: ~Copyable {
  private var memory: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private(set) var count = 0

  init(capacity: Int) {
    self.capacity = max(64, capacity)
    unsafe memory = .allocate(capacity: self.capacity)
  }

  deinit { unsafe memory.deallocate() }

  mutating func append(_ bytes: [UInt8]) {
    makeRoom(bytes.count)
    unsafe bytes.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      unsafe (memory + count).update(from: base, count: source.count)
    }
    count += bytes.count
  }

  mutating func append(_ byte: UInt8) {
    makeRoom(1)
    unsafe memory[count] = byte
    count += 1
  }

  /// Appends again what was written before, which must still be there.
  mutating func repeatBytes(from start: Int, count length: Int) {
    precondition(start >= 0 && length >= 0 && start + length <= count)
    makeRoom(length)
    unsafe (memory + count).update(from: memory + start, count: length)
    count += length
  }

  /// Appends a part of `bytes`, which must hold it.
  mutating func append(_ bytes: [UInt8], from start: Int, count length: Int) {
    precondition(start >= 0 && length >= 0 && start + length <= bytes.count)
    makeRoom(length)
    unsafe bytes.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      unsafe (memory + count).update(from: base + start, count: length)
    }
    count += length
  }

  /// Appends `name_suffix{labels,constants} number` and a line feed; without any label there are no braces.
  mutating func appendLine(
    _ name: [UInt8], _ suffix: [UInt8], _ labels: [UInt8], _ range: Range<Int>, _ constants: [UInt8], _ value: Double
  ) {
    appendHead(name, suffix, labels, range, constants, opens: false)
    append(value)
    append(UInt8(ascii: "\n"))
  }

  /// Appends `name_suffix{labels,constants,`, or as much as there is of it.
  ///
  /// - Parameter opens: whether a further label follows; else the braces are closed and a space is put behind them.
  mutating func appendHead(
    _ name: [UInt8], _ suffix: [UInt8], _ labels: [UInt8], _ range: Range<Int>, _ constants: [UInt8], opens: Bool = true
  ) {
    precondition(range.lowerBound >= 0 && range.upperBound <= labels.count)
    // Braces, two commas and a space.
    makeRoom(name.count + suffix.count + range.count + constants.count + 5)
    unsafe copy(name)
    unsafe copy(suffix)
    if opens || !range.isEmpty || !constants.isEmpty {
      unsafe put(UInt8(ascii: "{"))
      if !range.isEmpty {
        unsafe labels.withUnsafeBufferPointer { source in
          guard let base = source.baseAddress else { return }
          unsafe (memory + count).update(from: base + range.lowerBound, count: range.count)
        }
        count += range.count
        if !constants.isEmpty { unsafe put(UInt8(ascii: ",")) }
      }
      unsafe copy(constants)
      if !opens {
        unsafe put(UInt8(ascii: "}"))
      } else if !range.isEmpty || !constants.isEmpty {
        unsafe put(UInt8(ascii: ","))
      }
    }
    if !opens { unsafe put(UInt8(ascii: " ")) }
  }

  /// Appends where there is room.
  @unsafe @inline(__always)
  private mutating func copy(_ bytes: [UInt8]) {
    unsafe bytes.withUnsafeBufferPointer { source in
      guard let base = source.baseAddress else { return }
      unsafe (memory + count).update(from: base, count: source.count)
    }
    count += bytes.count
  }

  @unsafe @inline(__always)
  private mutating func put(_ byte: UInt8) {
    unsafe memory[count] = byte
    count += 1
  }

  /// Appends the shortest text that reads back as the same number; whole numbers without exponent up to 2^53.
  mutating func append(_ value: Double) {
    if value.magnitude <= 9_007_199_254_740_992, value == value.rounded(.towardZero) {
      append(UInt64(clamping: value.magnitude), isNegative: value < 0)
    } else if !appendFraction(value) {
      append(Array((value.isNaN ? "NaN" : value.isInfinite ? value < 0 ? "-Inf" : "+Inf" : value.description).utf8))
    }
  }

  /// Appends a number of up to 15 digits, at most nine of them behind the point: no other text as short reads back as it.
  ///
  /// - Returns: whether it is such a number, and one that is written without an exponent.
  private mutating func appendFraction(_ value: Double) -> Bool {
    let magnitude = value.magnitude
    guard magnitude >= 1e-4, magnitude < 1e9 else { return false }
    var (digits, scale) = (6, 1e6)
    if (magnitude * scale).rounded() / scale != magnitude {
      guard magnitude < 1e6 else { return false }
      (digits, scale) = (9, 1e9)
      guard (magnitude * scale).rounded() / scale == magnitude else { return false }
    }
    let (whole, fraction) = UInt64(clamping: (magnitude * scale).rounded())
      .quotientAndRemainder(dividingBy: UInt64(clamping: scale))
    append(whole, isNegative: value < 0)
    var rest = fraction
    while rest % 10 == 0 {
      rest /= 10
      digits -= 1
    }
    makeRoom(digits + 1)
    unsafe put(UInt8(ascii: "."))
    for place in (0..<digits).reversed() {
      unsafe memory[count + place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    count += digits
    return true
  }

  private mutating func append(_ magnitude: UInt64, isNegative: Bool) {
    makeRoom(21)
    if isNegative { unsafe put(UInt8(ascii: "-")) }
    var rest = magnitude
    let digitCount = rest.digitCount
    for place in (0..<digitCount).reversed() {
      let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
      unsafe memory[count + place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
      rest = quotient
    }
    count += digitCount
  }

  /// The bytes so far; the writer is empty then.
  mutating func take() -> [UInt8] {
    let bytes = unsafe Array(UnsafeBufferPointer(start: memory, count: count))
    count = 0
    return bytes
  }

  @inline(__always)
  private mutating func makeRoom(_ more: Int) {
    if count + more > capacity { grow(to: count + more) }
  }

  private mutating func grow(to needed: Int) {
    let larger = max(needed, capacity * 2)
    let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    unsafe fresh.update(from: memory, count: count)
    unsafe memory.deallocate()
    unsafe memory = fresh
    capacity = larger
  }
}

extension UInt64 {
  /// Of its decimal form.
  fileprivate var digitCount: Int {
    var (count, limit) = (1, 10 as UInt64)
    while self >= limit {
      count += 1
      let (next, isTooLarge) = limit.multipliedReportingOverflow(by: 10)
      if isTooLarge { break }
      limit = next
    }
    return count
  }
}
