import Metrics
import Redis

/// Rows of fields, found by the hash that ``InfoText`` has already computed: open addressing over flat arrays, so that a
/// field costs one probe and no string.
struct InfoFieldTable: Sendable {
  let rows: [InfoField]
  private let hashes: [UInt64]
  /// Row numbers, or -1; twice as many slots as rows at least.
  private let slots: [Int16]

  init(_ rows: [InfoField]) {
    var size = 16
    while size < rows.count * 2 { size *= 2 }
    var slots = [Int16](repeating: -1, count: size)
    for (number, row) in rows.enumerated() {
      var slot = Int(truncatingIfNeeded: fnvHash(row.field)) & (size - 1)
      while slots[slot] >= 0 {
        precondition(rows[Int(slots[slot])].field != row.field, "INFO field \(row.field) has two rows")
        slot = (slot + 1) & (size - 1)
      }
      slots[slot] = Int16(number)
    }
    self.rows = rows
    self.slots = slots
    hashes = rows.map { fnvHash($0.field) }
    precondition(Set(hashes).count == rows.count, "two INFO fields have one hash")
  }

  /// The families of the rows, each once.
  var families: [Family] {
    var seen = Set<String>()
    return rows.map(\.family).filter { seen.insert($0.name).inserted }
  }

  /// The row of a field, or nil.
  func row(of field: InfoText.Field, in text: InfoText) -> InfoField? {
    number(of: field, in: text).map { rows[$0] }
  }

  /// The number of a field's row, or nil.
  private func number(of field: InfoText.Field, in text: InfoText) -> Int? {
    var slot = Int(truncatingIfNeeded: field.hash) & (slots.count - 1)
    while slots[slot] >= 0 {
      let number = Int(slots[slot])
      if hashes[number] == field.hash { return number }
      slot = (slot + 1) & (slots.count - 1)
    }
    return nil
  }

  /// Adds every known field of `text`; a `cluster_*` field that is not known becomes a gauge under its own name.
  func collect(
    _ text: InfoText, _ options: CollectorOptions, source: String, into sink: inout SampleSink
  ) {
    let isSkipped = text.sections.map { InfoSection.withOwnCollector.contains($0) }
    for field in text.fields where field.section < 0 || !isSkipped[Int(field.section)] {
      if let number = number(of: field, in: text) {
        if !rows[number].gate.isOpen(options) { continue }
        if let value = rows[number].value(of: text.value(of: field)) {
          sink.add(rows[number].family, value)
        }
      } else if text.name(of: field).starts(with: clusterPrefix) {
        passThrough(text.name(of: field), text.value(of: field), source: source, into: &sink)
      }
    }
  }

  private func passThrough(
    _ field: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>, source: String,
    into sink: inout SampleSink
  ) {
    guard field.count <= 128, let value = infoNumber(text) else { return }
    let name = metricName(field)
    let help = "A number of the cluster that the server reports (\(source) \(name))."
    if let family = Family.passthroughGauge(name, help: help) { sink.add(family, value) }
  }
}

private let clusterPrefix = Array("cluster_".utf8)

/// The field's name with everything but ASCII letters, digits and `_` replaced by `_`.
func metricName(_ field: ArraySlice<UInt8>) -> String {
  let bytes = field.map { byte -> UInt8 in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      byte
    default: UInt8(ascii: "_")
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}
