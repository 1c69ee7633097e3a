/// Which region servers are in, by their addresses: `regions` of a fleet's file.
public struct Regions: Sendable, Equatable {
  static let limit = 64
  static let rangeLimit = 256

  public struct Region: Sendable, Equatable {
    public let name: String
    let ranges: [AddressRange]

    /// The addresses as they are written.
    public var addresses: [String] { ranges.map(\.text) }
  }

  /// In the order of the file: the first that an address fits in has it.
  public let all: [Region]

  public init() { all = [] }

  public var isEmpty: Bool { all.isEmpty }

  /// The name of the region of an address; nil where no region has it. An IPv6 host is without brackets, names are never
  /// resolved.
  public func region(host: String, port: Int) -> String? {
    all.first { $0.ranges.contains { $0.contains(host: host, port: port) } }?.name
  }

  /// - Parameter fields: a list of address patterns for each name.
  init(_ fields: MappingReader) {
    if fields.keys.count > Self.limit {
      fields.report(fields.keys[Self.limit], problem: "is one region too many", hint: "name at most \(Self.limit)")
    }
    all = fields.keys.map { name in
      let patterns = fields.list(name, of: .addressPattern)
      if patterns.count > Self.rangeLimit { fields.report(name, problem: "has more than \(Self.rangeLimit) entries") }
      if !fields.contains(name) || fields.hasEmptyList(name) {
        fields.report(name, problem: "has no addresses", hint: "list them, such as \"10.1.0.0/16:*\"")
      }
      do throws(Mismatch) {
        _ = try ScalarType<String>.plainName.parse(name)
      } catch {
        fields.report(name, problem: "names a region that \(error.problem)", hint: error.hint)
      }
      return Region(name: name, ranges: patterns.map { AddressRange($0, name, fields) })
    }
  }

  /// Hosts, and a port or nil for any.
  struct AddressRange: Sendable, Equatable {
    let text: String
    private let hosts: HostFilter
    private let port: Int?

    init(_ pattern: AddressPattern, _ key: String, _ fields: MappingReader) {
      text = pattern.text
      port = pattern.port
      do throws(Mismatch) {
        hosts = try HostFilter.parse(pattern.host)
      } catch {
        hosts = HostFilter()
        fields.report(key, value: error.part, problem: error.problem, hint: error.hint)
      }
    }

    func contains(host: String, port: Int) -> Bool {
      hosts.allows(host: host) && (self.port == nil || self.port == port)
    }
  }
}
