import Fleet

/// A release of Redis or Valkey, and the format of the files that it writes.
public struct ServerRelease: Sendable, Equatable, CustomStringConvertible {
  public enum Product: String, Sendable {
    case redis, valkey

    var title: String { self == .redis ? "Redis" : "Valkey" }
  }

  public let product: Product
  public let version: Version
  /// Whether any patch of its branch is meant: `8.2`.
  public let isBranch: Bool

  public init(_ product: Product, _ version: Version, isBranch: Bool = false) {
    (self.product, self.version, self.isBranch) = (product, version, isBranch)
  }

  /// - Returns: nil for a server that is neither.
  public init?(_ facts: ServerFacts) {
    switch facts.product {
    case .redis: self.init(.redis, facts.version)
    case .valkey: self.init(.valkey, facts.valkeyVersion ?? Version(0))
    case .keydb: return nil
    }
    guard version > Version(0) else { return nil }
  }

  /// `valkey-9.1`, `8.2`, `redis-7.4.2`.
  ///
  /// - Parameter usual: the product where none is named.
  public init?(_ text: String, usual: Product) {
    let words = text.lowercased().split(separator: "-", omittingEmptySubsequences: false)
    guard words.count <= 2, let number = words.last,
      let product = words.count == 1 ? usual : Product(rawValue: String(words[0])),
      (2...3).contains(number.split(separator: ".", omittingEmptySubsequences: false).count),
      number.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ part in
        (1...3).contains(part.count) && part.allSatisfy { $0.isASCII && $0.isNumber }
      })
    else { return nil }
    self.init(product, Version(String(number)), isBranch: number.split(separator: ".").count == 2)
    guard version.major > 0 else { return nil }
  }

  public var description: String {
    isBranch ? "\(product.title) \(version.major).\(version.minor)" : "\(product.title) \(version)"
  }

  /// Whether a server that runs this one has what is asked for.
  func meets(_ target: ServerRelease) -> Bool {
    product == target.product && (target.isBranch ? branch == target.branch : version == target.version)
  }

  /// Of the branch alone: `8.2`.
  var branch: (Int, Int) { (version.major, version.minor) }

  /// The format of its RDB files and full syncs; nil where that is not known here.
  ///
  /// By `RDB_VERSION` of the sources, and by files that servers of these branches wrote.
  public var rdbFormat: Int? {
    switch (product, version.major, version.minor) {
    case (.redis, 5...6, _): 9
    case (.redis, 7, 0): 10
    case (.redis, 7, 2): 11
    case (.redis, 7, 4), (.redis, 8, 0), (.redis, 8, 2), (.redis, 8, 4): 12
    case (.redis, 8, 6): 13
    case (.redis, 8, 8): 14
    case (.redis, 8, 10): 15
    case (.valkey, 7, 2), (.valkey, 8, 0...1): 11
    case (.valkey, 9, 0...1): 80
    default: nil
    }
  }

  /// Whether this release comes before the other of the same product, whatever the patch.
  func isOfOlderBranch(than other: ServerRelease) -> Bool { branch < other.branch }

  func isAtLeast(_ major: Int, _ minor: Int = 0) -> Bool { branch >= (major, minor) }
}
