/// Some families of all there are, told apart by their full names; quick to ask for each sample of a page.
public struct FamilySelection: Sendable {
  private let exposition: Exposition
  private let isWanted: @Sendable (String) -> Bool
  /// By ``Family/id``, for the families known when it was asked last.
  private var known: [Bool] = []

  /// - Parameters:
  ///   - namespace: of the page whose names are asked for.
  ///   - isWanted: is asked for the name of each series that a family can have, such as `x_bucket` of a histogram.
  public init(namespace: String, where isWanted: @escaping @Sendable (String) -> Bool) {
    exposition = Exposition(namespace: namespace)
    self.isWanted = isWanted
  }

  mutating func contains(_ family: Int32) -> Bool {
    if Int(family) >= known.count { learn() }
    return known[Int(family)]
  }

  /// The same of every family that there is, by ``Family/id``.
  public mutating func flags() -> [Bool] {
    if known.count < FamilyTable.shared.order.families.count { learn() }
    return known
  }

  private mutating func learn() {
    let families = FamilyTable.shared.order.families
    known = [Bool](repeating: false, count: families.count)
    for family in families { known[family.id] = isSelected(family) }
  }

  private func isSelected(_ family: Family) -> Bool {
    let name = exposition.fullName(of: family)
    switch family.type {
    case .histogram: return ["_bucket", "_sum", "_count"].contains { isWanted(name + $0) }
    case .summary: return ["", "_sum", "_count"].contains { isWanted(name + $0) }
    case .counter, .gauge, .untyped: return isWanted(name)
    }
  }
}
