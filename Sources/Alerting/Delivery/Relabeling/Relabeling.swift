import Config
import PromQL

/// The steps that every alert's labels go through before it is sent, their expressions compiled.
///
/// The semantics are those of Prometheus 3, in which `.` matches a newline too.
struct Relabeling: Sendable {
  private struct Step: Sendable {
    let config: RelabelConfig
    let regex: PromQL.Regex
  }
  private let steps: [Step]

  /// - Parameter file: names the configuration file in errors.
  /// - Throws: every expression that RE2 does not accept.
  init(_ configs: [RelabelConfig], file: String) throws(ConfigErrors) {
    var steps: [Step] = []
    var errors: [ConfigError] = []
    for config in configs {
      do throws(RegexError) {
        steps.append(Step(config: config, regex: try PromQL.Regex(config.regex)))
      } catch {
        errors.append(
          ConfigError(
            .file(file, config.place.mark), path: config.place.path, value: config.regex,
            problem: "is no regular expression", hint: error.reason))
      }
    }
    guard errors.isEmpty else { throw ConfigErrors(errors) }
    self.steps = steps
  }

  /// The labels after all steps, without those that became empty; nil when a step drops the alert.
  func apply(_ labels: [String: String]) -> [String: String]? {
    var labels = labels
    for step in steps where !Self.apply(step, to: &labels) { return nil }
    return labels
  }

  /// - Returns: whether the alert stays.
  private static func apply(_ step: Step, to labels: inout [String: String]) -> Bool {
    let config = step.config
    let value = config.sourceLabels.map { labels[$0] ?? "" }.joined(separator: config.separator)
    switch config.action {
    case .keep: return step.regex.matches(value)
    case .drop: return !step.regex.matches(value)
    case .keepEqual: return labels[config.targetLabel] ?? "" == value
    case .dropEqual: return labels[config.targetLabel] ?? "" != value
    case .replace:
      guard let name = step.regex.expanding(config.targetLabel, from: value), RelabelConfig.isLabelName(name),
        let text = step.regex.expanding(config.replacement, from: value)
      else { return true }
      set(name, text, &labels)
    case .lowercase: set(config.targetLabel, mapped(value, \.lowercaseMapping), &labels)
    case .uppercase: set(config.targetLabel, mapped(value, \.uppercaseMapping), &labels)
    case .hashmod:
      let digest = md5(Array(value.utf8))
      let number = digest[8...].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      set(config.targetLabel, String(number % config.modulus), &labels)
    case .labelmap:
      for (name, text) in labels.sorted(by: { $0.key < $1.key }) {
        guard let target = step.regex.expanding(config.replacement, from: name), RelabelConfig.isLabelName(target)
        else { continue }
        set(target, text, &labels)
      }
    case .labeldrop: labels = labels.filter { !step.regex.matches($0.key) }
    case .labelkeep: labels = labels.filter { step.regex.matches($0.key) }
    }
    return true
  }

  private static func set(_ name: String, _ value: String, _ labels: inout [String: String]) {
    labels[name] = value.isEmpty ? nil : value
  }

  /// Letter by letter, as Go does: a letter whose other case is several letters stays as it is.
  private static func mapped(
    _ text: String, _ mapping: (Unicode.Scalar.Properties) -> String
  ) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      let other = mapping(scalar.properties).unicodeScalars
      result.unicodeScalars.append(other.count == 1 ? other.first ?? scalar : scalar)
    }
    return result
  }
}

/// The MD5 digest of RFC 1321, 16 bytes. It spreads alerts as Prometheus' `hashmod` does and guards nothing.
func md5(_ message: [UInt8]) -> [UInt8] {
  var padded = message + [0x80]
  while padded.count % 64 != 56 { padded.append(0) }
  padded += littleEndian(UInt64(message.count) &* 8)
  var state: [UInt32] = [0x6745_2301, 0xEFCD_AB89, 0x98BA_DCFE, 0x1032_5476]
  for start in stride(from: 0, to: padded.count, by: 64) {
    let words = (0..<16).map { index in
      (0..<4).reduce(UInt32(0)) { $0 | UInt32(padded[start + 4 * index + $1]) << UInt32(8 * $1) }
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    for step in 0..<64 {
      let (mix, word): (UInt32, Int) =
        switch step / 16 {
        case 0: (b & c | ~b & d, step)
        case 1: (d & b | ~d & c, (5 * step + 1) % 16)
        case 2: (b ^ c ^ d, (3 * step + 5) % 16)
        default: (c ^ (b | ~d), 7 * step % 16)
        }
      let sum = a &+ mix &+ sines[step] &+ words[word]
      let shift = shifts[step / 16][step % 4]
      (a, d, c, b) = (d, c, b, b &+ (sum << shift | sum >> (32 - shift)))
    }
    for (index, value) in [a, b, c, d].enumerated() { state[index] &+= value }
  }
  return state.flatMap { littleEndian($0) }
}

private func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
  (0..<value.bitWidth / 8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

private let shifts: [[UInt32]] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]]

/// The whole parts of 2^32 times the sine of 1 to 64 radians.
private let sines: [UInt32] = [
  0xD76A_A478, 0xE8C7_B756, 0x2420_70DB, 0xC1BD_CEEE, 0xF57C_0FAF, 0x4787_C62A, 0xA830_4613, 0xFD46_9501,
  0x6980_98D8, 0x8B44_F7AF, 0xFFFF_5BB1, 0x895C_D7BE, 0x6B90_1122, 0xFD98_7193, 0xA679_438E, 0x49B4_0821,
  0xF61E_2562, 0xC040_B340, 0x265E_5A51, 0xE9B6_C7AA, 0xD62F_105D, 0x0244_1453, 0xD8A1_E681, 0xE7D3_FBC8,
  0x21E1_CDE6, 0xC337_07D6, 0xF4D5_0D87, 0x455A_14ED, 0xA9E3_E905, 0xFCEF_A3F8, 0x676F_02D9, 0x8D2A_4C8A,
  0xFFFA_3942, 0x8771_F681, 0x6D9D_6122, 0xFDE5_380C, 0xA4BE_EA44, 0x4BDE_CFA9, 0xF6BB_4B60, 0xBEBF_BC70,
  0x289B_7EC6, 0xEAA1_27FA, 0xD4EF_3085, 0x0488_1D05, 0xD9D4_D039, 0xE6DB_99E5, 0x1FA2_7CF8, 0xC4AC_5665,
  0xF429_2244, 0x432A_FF97, 0xAB94_23A7, 0xFC93_A039, 0x655B_59C3, 0x8F0C_CC92, 0xFFEF_F47D, 0x8584_5DD1,
  0x6FA8_7E4F, 0xFE2C_E6E0, 0xA301_4314, 0x4E08_11A1, 0xF753_7E82, 0xBD3A_F235, 0x2AD7_D2BB, 0xEB86_D391,
]
