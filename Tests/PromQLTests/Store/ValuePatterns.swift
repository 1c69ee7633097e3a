import PromQL
import TestSupport

/// Values over time as an exporter of Redis gives them, and worse.
struct ValuePattern: Sendable, CustomStringConvertible {
  let description: String
  /// The next value after the one before, at a step.
  let next: @Sendable (_ step: Int, _ before: Double, _ random: inout FixedRandom) -> Double

  init(_ description: String, _ next: @escaping @Sendable (Int, Double, inout FixedRandom) -> Double) {
    self.description = description
    self.next = next
  }

  func values(_ count: Int, seed: UInt64) -> [Double] {
    var random = FixedRandom(state: seed)
    var value = 0.0
    return (0..<count).map { step in
      value = next(step, value, &random)
      return value
    }
  }

  /// How many of a node's series behave so, in hundredths: as counted over INFO of a server under load.
  static let ofRedis: [(share: Int, pattern: ValuePattern)] = [
    (66, ValuePattern("setting or idle count") { _, _, _ in 1_048_576 }),
    (3, ValuePattern("state that rarely changes") { _, value, random in random.isOnce(in: 60) ? value + 1 : value }),
    (2, ValuePattern("uptime in seconds") { step, _, _ in Double(step * 5 + 86_400) }),
    (4, ValuePattern("commands") { _, value, random in value + (5000 + 500 * random.normal()).rounded() }),
    (4, ValuePattern("bytes in and out") { _, value, random in value + (4e6 + 3e5 * random.normal()).rounded() }),
    (
      4,
      ValuePattern("connections received") { _, value, random in value + Double(Int.random(in: 0...5, using: &random)) }
    ),
    (6, ValuePattern("memory") { _, _, random in 1e9 + (2e4 * random.normal()).rounded() * 8 }),
    (
      3,
      ValuePattern("seconds of processor") { _, value, random in
        ((value + 0.025 + 0.005 * random.normal()) * 1e6).rounded() / 1e6
      }
    ),
    (2, ValuePattern("ratio of two places") { _, _, random in (120 + 2 * random.normal()).rounded() / 100 }),
    (4, ValuePattern("clients") { _, _, random in 50 + (3 * random.normal()).rounded() }),
    (1, ValuePattern("ratio of many places") { _, _, random in random.unit() }),
    (
      1,
      ValuePattern("bursts") { _, value, random in random.isOnce(in: 20) ? value + Double(random.next() >> 44) : value }
    ),
  ]

  private static let odd: [Double] = [
    .nan, .signalingNaN, .stalenessMarker, Double(bitPattern: 0x7FF8_0000_0000_0001),
    Double(bitPattern: 0xFFF8_0000_0000_0000), .infinity, -.infinity, 0, -0.0, 1, -1, .leastNonzeroMagnitude,
    -.leastNormalMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 0x1p53, -0x1p53, 0x1p53 - 1, 0x1p63,
    0.1,
    1e-12, 1e-13, 123456.789, 1 / 3, .pi, 1e300,
  ]

  static let hostile: [ValuePattern] = [
    ValuePattern("odd values in disorder") { _, _, random in odd.randomElement(using: &random)! },
    ValuePattern("odd values in runs") { _, value, random in
      random.isOnce(in: 9) ? odd.randomElement(using: &random)! : value
    },
    ValuePattern("odd values among integers") { step, _, random in
      random.isOnce(in: 5) ? odd.randomElement(using: &random)! : Double(step)
    },
    ValuePattern("any bits") { _, _, random in Double(bitPattern: random.next()) },
    ValuePattern("integers of any size") { _, _, random in
      Double(Int64(truncatingIfNeeded: random.next()) >> Int64.random(in: 0...63, using: &random))
    },
    ValuePattern("leaps between extremes") { step, _, _ in step % 2 == 0 ? 0x1p53 - 1 : 1 - 0x1p53 },
    ValuePattern("decimals of growing places") { step, value, _ in
      value + [1, 0.5, 0.25, 0.01, 1e-6, 1e-9, 1e-12][step / 40 % 7]
    },
    ValuePattern("doubles that turn to integers and back") { step, _, random in
      step / 30 % 2 == 0 ? random.unit() : Double(step)
    },
    ValuePattern("growth without end") { _, value, _ in value * 1.9 + 1 },
    ValuePattern("steady, then a leap, then steady") { step, _, _ in step == 100 ? 1e15 : Double(step % 3) },
    ValuePattern("zeros of both signs") { step, _, _ in step / 3 % 2 == 0 ? 0 : -0.0 },
  ]
}
