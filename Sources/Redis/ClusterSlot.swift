/// The hash slot of a cluster that a key belongs to, 0 to 16383.
///
/// CRC16 (XMODEM) of the key modulo 16384. When the key holds `{…}` with something inside the first pair of braces, only
/// that part counts, so that keys can be kept together.
public func clusterSlot(of key: some Collection<UInt8>) -> Int {
  if let open = key.firstIndex(of: UInt8(ascii: "{")) {
    let inside = key[key.index(after: open)...]
    if let close = inside.firstIndex(of: UInt8(ascii: "}")), close != inside.startIndex {
      return Int(crc16(inside[..<close]) & 0x3fff)
    }
  }
  return Int(crc16(key) & 0x3fff)
}

/// CRC16 with the polynomial 0x1021, start 0, nothing reflected (XMODEM), as the cluster specification names it.
func crc16(_ bytes: some Sequence<UInt8>) -> UInt16 {
  bytes.reduce(0) { sum, byte in sum << 8 ^ crcTable[Int(UInt8(sum >> 8) ^ byte)] }
}

private let crcTable: [UInt16] = (0..<256).map { index in
  (0..<8).reduce(UInt16(index) << 8) { sum, _ in sum & 0x8000 != 0 ? sum << 1 ^ 0x1021 : sum << 1 }
}
