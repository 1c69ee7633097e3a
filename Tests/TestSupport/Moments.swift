import Runtime

// Tests write moments as numbers.
extension Monotonic: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  public init(floatLiteral seconds: Double) { self.init(seconds: seconds) }
  public init(integerLiteral seconds: Int) { self.init(seconds: Double(seconds)) }
}

extension WallTime: ExpressibleByFloatLiteral, ExpressibleByIntegerLiteral {
  public init(floatLiteral seconds: Double) { self.init(seconds: seconds) }
  public init(integerLiteral seconds: Int) { self.init(seconds: Double(seconds)) }
}
