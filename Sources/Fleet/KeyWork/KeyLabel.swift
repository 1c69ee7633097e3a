import Metrics

/// A key's, stream's, group's or consumer's name as a label: repaired UTF-8 of at most ``KeyWorkLimits/labelBytes``.
///
/// A longer name is cut and gets `…` and a hash of the whole, so that two long names stay two series.
func keyLabel(_ name: ArraySlice<UInt8>) -> String {
  guard name.count > KeyWorkLimits.labelBytes else { return String(decoding: name, as: UTF8.self) }
  let hash = name.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  return String(decoding: name.prefix(KeyWorkLimits.labelBytes - 20), as: UTF8.self) + "…" + String(hash, radix: 16)
}

func keyLabel(_ name: [UInt8]) -> String { keyLabel(name[...]) }

func databaseLabel(_ database: Int) -> String { "db\(database)" }
