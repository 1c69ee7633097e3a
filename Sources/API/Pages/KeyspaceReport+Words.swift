import Fleet
import Web

extension KeyspaceReport {
  /// What the sample does not say, and why: a clause each, for a page and for a terminal.
  public var shortfalls: [String] {
    var clauses: [String] = []
    if isCut { clauses.append("the sample was ended early: bounds are wider than they need be") }
    if !refused.isEmpty {
      let rights = refused.map { "+\($0)" }.joined(separator: " ")
      clauses.append("the user lacks \(rights): what it tells is unknown")
    }
    if omittedCount > 0 {
      clauses.append("\(omittedCount) windows hold names too large to be read and are left out")
    }
    if estimate.unseenKeys > 0 {
      clauses.append("\(Estimate.count(estimate.unseenKeys)) keys are in databases where the sample met none")
    }
    return clauses
  }
}

extension Estimate {
  public init(_ amount: SampledAmount) { self.init(amount.value, lower: amount.lower, upper: amount.upper) }
}
