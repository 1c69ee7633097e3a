import Glibc

/// Functions of single values.
enum ValueFunctions {
  static let all: [Function] =
    plain.map { Function($0.name, [.vector], .perValue($0.function)) } + [
      Function("round", [.vector, .scalar], counts: 1...2, .perValueWithScalars { value, scalars in
        round(value, toNearest: scalars.first ?? 1)
      }),
      Function("clamp", [.vector, .scalar, .scalar], .perValueWithScalars { value, scalars in
        clamp(value, scalars[0], scalars[1])
      }),
      Function("clamp_min", [.vector, .scalar], .perValueWithScalars { value, scalars in
        clamp(value, scalars[0], .infinity)
      }),
      Function("clamp_max", [.vector, .scalar], .perValueWithScalars { value, scalars in
        clamp(value, -.infinity, scalars[0])
      }),
      Function("pi", [], result: .scalar, .special { _, _, steps in .scalar(Array(repeating: .pi, count: steps.count)) }),
    ]

  private static let plain: [(name: String, function: @Sendable (Double) -> Double)] = [
    ("abs", { $0.magnitude }),
    ("acos", { acos($0) }),
    ("acosh", { acosh($0) }),
    ("asin", { asin($0) }),
    ("asinh", { asinh($0) }),
    ("atan", { atan($0) }),
    ("atanh", { atanh($0) }),
    ("ceil", { $0.rounded(.up) }),
    ("cos", { cos($0) }),
    ("cosh", { cosh($0) }),
    ("deg", { $0 * 180 / .pi }),
    ("exp", { exp($0) }),
    ("floor", { $0.rounded(.down) }),
    ("ln", { log($0) }),
    ("log10", { log10($0) }),
    ("log2", { log2($0) }),
    ("rad", { $0 * .pi / 180 }),
    ("sgn", { $0 < 0 ? -1 : $0 > 0 ? 1 : $0 }),
    ("sin", { sin($0) }),
    ("sinh", { sinh($0) }),
    ("sqrt", { $0.squareRoot() }),
    ("tan", { tan($0) }),
    ("tanh", { tanh($0) }),
  ]

  /// Halves go up. The inverse costs less accuracy than the division would.
  private static func round(_ value: Double, toNearest: Double) -> Double {
    let inverse = 1 / toNearest
    return (value * inverse + 0.5).rounded(.down) / inverse
  }

  /// NaN wherever one of the three is; nothing when the bounds exclude each other.
  private static func clamp(_ value: Double, _ lowest: Double, _ highest: Double) -> Double? {
    if highest < lowest { return nil }
    if value.isNaN || lowest.isNaN || highest.isNaN { return .nan }
    return max(lowest, min(highest, value))
  }
}
