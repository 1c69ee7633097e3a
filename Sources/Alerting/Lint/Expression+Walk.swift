import PromQL

extension Expression {
  /// Calls `body` with every node and what it stands in, the nearest first.
  func walk(_ ancestors: [Expression] = [], _ body: (Expression, [Expression]) -> Void) {
    body(self, ancestors)
    for child in children { child.walk([self] + ancestors, body) }
  }

  /// Every node, this one first.
  var all: [Expression] { [self] + children.flatMap(\.all) }

  /// The selectors in it.
  var selectors: [Selector] {
    all.compactMap { if case .selector(let selector) = $0 { selector } else { nil } }
  }

  /// The number it stands for, where that is written out: `80`, `60 * 60 * 48`.
  var constant: Double? {
    switch unwrapped {
    case .number(let node): return node.value
    case .unary(let node): return node.expression.constant.map { node.isMinus ? -$0 : $0 }
    case .binary(let node):
      guard let left = node.left.constant, let right = node.right.constant else { return nil }
      switch node.operation {
      case .add: return left + right
      case .subtract: return left - right
      case .multiply: return left * right
      case .divide: return left / right
      default: return nil
      }
    default: return nil
    }
  }
}

extension Expression.Selector {
  /// The metric's name, in front of the braces or as an equality within.
  var name: String? {
    metricName ?? matchers.first { $0.name == Labels.metricName && $0.comparison == .equal }?.value
  }
}
