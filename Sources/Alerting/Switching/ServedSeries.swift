import PromQL
import Runtime

/// What an exporter serves of its servers: the series by name, with their types.
public struct ServedSeries: Sendable {
  /// By the name of the series; histograms and summaries by each of their parts. The labels hold the name, too.
  public private(set) var byName: [String: Set<Labels>] = [:]
  /// By the name of the family.
  private var types: [String: String] = [:]

  public init() {}

  public mutating func add(_ labels: Labels) { byName[labels[Labels.metricName] ?? "", default: []].insert(labels) }

  public mutating func setType(_ type: String, of family: String) { types[family] = type }

  public var seriesCount: Int { byName.values.reduce(0) { $0 + $1.count } }

  /// The type of the family that a series belongs to; nil where it is not told.
  public func type(of name: String) -> String? {
    if let own = types[name] { return own }
    for part in ["_bucket", "_sum", "_count", "_total"] where name.hasSuffix(part) {
      if let type = types[String(name.dropLast(part.count))] { return type }
    }
    return nil
  }

  /// All values of a label of the series of one name.
  public func values(of label: String, in name: String) -> Set<String> {
    Set((byName[name] ?? []).compactMap { $0[label] })
  }

  /// Series that were on both pages, or on either: what comes and goes from scrape to scrape proves nothing.
  public func intersection(_ other: ServedSeries) -> ServedSeries {
    var both = self
    for (name, series) in byName { both.byName[name] = series.intersection(other.byName[name] ?? []) }
    both.byName = both.byName.filter { !$0.value.isEmpty }
    return both
  }

  public func union(_ other: ServedSeries) -> ServedSeries {
    var either = self
    either.byName.merge(other.byName) { $0.union($1) }
    either.types.merge(other.types) { own, _ in own }
    return either
  }
}

extension ServedSeries {
  /// Why a page is no page of metrics. It never repeats the page.
  public struct PageError: Error, CustomStringConvertible {
    public let description: String
  }

  private static let seriesLimit = 500_000

  /// Reads a page in the text format of Prometheus.
  public init(page bytes: [UInt8]) throws(PageError) {
    var count = 0
    for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      let content: PageLine.Content
      do throws(PageLine.Failure) {
        var reader = PageLine(line)
        content = try reader.read()
      } catch {
        throw PageError(description: "line \(index + 1) is none of the text format of metrics: \(error.problem)")
      }
      switch content {
      case .nothing: continue
      case .type(let family, let type): types[family] = type
      case .series(let labels):
        count += 1
        guard count <= Self.seriesLimit else {
          throw PageError(description: "it has more than \(Self.seriesLimit) series")
        }
        add(labels)
      }
    }
    guard count > 0 else { throw PageError(description: "it has no series") }
  }
}

/// One line of the text format: a comment, a type, or a series with its value.
private struct PageLine {
  enum Content {
    case nothing
    case type(family: String, String)
    case series(Labels)
  }
  struct Failure: Error {
    let problem: String
  }

  private var rest: ArraySlice<UInt8>

  init(_ line: ArraySlice<UInt8>) { rest = line.last == UInt8(ascii: "\r") ? line.dropLast() : line }

  mutating func read() throws(Failure) -> Content {
    skipSpaces()
    guard let first = rest.first else { return .nothing }
    if first == UInt8(ascii: "#") {
      let words = rest.split(separator: UInt8(ascii: " "), maxSplits: 4).map { String(decoding: $0, as: UTF8.self) }
      return words.count >= 4 && words[1] == "TYPE" ? .type(family: words[2], words[3]) : .nothing
    }
    let name = try self.name()
    var pairs = [Labels.Pair(Labels.metricName, name)]
    skipSpaces()
    if take("{") {
      skipSpaces()
      while !take("}") {
        let label = try self.name()
        skipSpaces()
        guard take("="), take("\"") else { throw Failure(problem: "a label has no value in quotes") }
        pairs.append(Labels.Pair(label, try value()))
        skipSpaces()
        if take(",") { skipSpaces() }
      }
    }
    skipSpaces()
    let number = rest.prefix { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
    guard Double(String(decoding: number, as: UTF8.self)) != nil else { throw Failure(problem: "no number ends it") }
    return .series(Labels(pairs))
  }

  private mutating func name() throws(Failure) -> String {
    let bytes = rest.prefix { $0.isASCIIAlphanumeric || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ":") }
    guard !bytes.isEmpty else { throw Failure(problem: "a name is missing") }
    rest = rest[bytes.endIndex...]
    return String(decoding: bytes, as: UTF8.self)
  }

  private mutating func value() throws(Failure) -> String {
    var bytes: [UInt8] = []
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "\""): return String(decoding: bytes, as: UTF8.self)
      case UInt8(ascii: "\\"):
        let escaped = rest.popFirst() ?? 0
        bytes.append(escaped == UInt8(ascii: "n") ? UInt8(ascii: "\n") : escaped)
      default: bytes.append(byte)
      }
    }
    throw Failure(problem: "a label's value has no end")
  }

  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: scalar) else { return false }
    rest = rest.dropFirst()
    return true
  }

  private mutating func skipSpaces() {
    rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
  }
}
