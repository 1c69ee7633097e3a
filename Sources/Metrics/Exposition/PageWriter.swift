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

  /// Appends the shortest text that reads back as the same number; whole numbers without exponent up to 2^53.
  mutating func append(_ value: Double) {
    if value.magnitude <= 9_007_199_254_740_992, value == value.rounded(.towardZero) {
      append(Int64(value))
    } else if value.isNaN {
      append(notANumber)
    } else if value.isInfinite {
      append(value < 0 ? minusInfinity : plusInfinity)
    } else {
      append(Array(value.description.utf8))
    }
  }

  private mutating func append(_ value: Int64) {
    makeRoom(20)
    if value < 0 {
      unsafe memory[count] = UInt8(ascii: "-")
      count += 1
    }
    var rest = value.magnitude
    var digitCount = 1
    while rest >= 10 {
      rest /= 10
      digitCount += 1
    }
    rest = value.magnitude
    for place in (0..<digitCount).reversed() {
      unsafe memory[count + place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
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

private let notANumber = Array("NaN".utf8)
private let plusInfinity = Array("+Inf".utf8)
private let minusInfinity = Array("-Inf".utf8)
