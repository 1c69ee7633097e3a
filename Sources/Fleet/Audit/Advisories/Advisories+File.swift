import Config
import Runtime

extension Advisories {
  /// The one form of the file that is read.
  static let formVersion = 1
  private static let rowLimit = 1000

  /// Reads a file. It waits for the disk.
  ///
  /// - Throws: everything that is wrong in it, with its place; or why it cannot be read.
  static func load(_ path: String) throws(ConfigErrors) -> Advisories {
    let bytes: [UInt8]
    do throws(ConfigError) {
      bytes = try readFile(path, limitBytes: YAMLLimits.standard.bytes)
    } catch {
      throw ConfigErrors(error)
    }
    return try parse(bytes, file: path)
  }

  /// - Parameter file: names it in errors.
  static func parse(_ bytes: [UInt8], file: String) throws(ConfigErrors) -> Advisories {
    do throws(JSONError) {
      _ = try JSONReader.value(bytes, limits: JSONReader.Limits(bytes: YAMLLimits.standard.bytes, depth: 16))
    } catch {
      let mark = SourceMark(line: error.line, column: error.column)
      throw ConfigErrors(ConfigError(.file(file, mark), problem: "is no JSON: \(error.problem)", hint: error.hint))
    }
    // Every text of JSON is one of YAML, whose reader knows the place of each field.
    return try YAMLNode.parse(bytes, file: file).decode(file: file) { Advisories($0) }
  }

  private init(_ fields: MappingReader) {
    let version = fields.required("version", .int(1...1000))
    if version != Self.formVersion {
      fields.report(
        "version", value: "\(version)", problem: "is a form that this redline does not read",
        hint: "use a file of version \(Self.formVersion)")
    }
    asOf = fields.required("as_of", CalendarDay.scalar)
    supports = fields.mappings("distributions") { Support($0) }
    let known = Set(supports.map(\.release))
    var ids: Set<String> = []
    faults = fields.mappings("advisories") { fields in
      let fault = Fault(fields, releases: known)
      if !fault.id.isEmpty, !ids.insert(fault.id).inserted {
        fields.report("id", value: fault.id, problem: "is in the file twice", hint: "keep one row")
      }
      return fault
    }
    floors = fields.mappings("floors") { Floor($0) }
    lifetimes = fields.mappings("end_of_life") { Lifetime($0) }
    builds = fields.mappings("builds") { Build($0) }
    let counts = [
      ("distributions", supports.count), ("advisories", faults.count), ("floors", floors.count),
      ("end_of_life", lifetimes.count), ("builds", builds.count),
    ]
    for (key, count) in counts where count > Self.rowLimit {
      fields.report(key, problem: "has more than \(Self.rowLimit) rows")
    }
  }

  /// Where a row comes from: it ships only with both, and the program needs neither.
  fileprivate static func readProvenance(_ fields: MappingReader) {
    let source = fields.required("source", .oneLine(upToBytes: 512))
    if !source.isEmpty, !source.hasPrefix("https://") {
      fields.report("source", value: source, problem: "is no address", hint: "give the https:// page that says it")
    }
    _ = fields.required("verified", CalendarDay.scalar)
  }
}

extension Advisories.Fault {
  fileprivate init(_ fields: MappingReader, releases: Set<Advisories.Release>) {
    id = fields.required("id", .faultID)
    weight = fields.required("severity", .oneOf(Advisories.Weight.self, noun: "a severity"))
    need = fields.value("needs", .faultNeed, default: .login)
    condition = fields.optional("only", .oneOf(Advisories.Condition.self, noun: "a condition"))
    fixed = Self.byProduct(fields, "fixed") { fields in
      var versions: [Advisories.Branch: Version] = [:]
      for key in fields.keys {
        let version = fields.required(key, .serverVersion)
        guard let branch = Advisories.Branch(key) else {
          fields.report(key, problem: "is below no branch", hint: "write the branch like 7.2")
          continue
        }
        if Advisories.Branch(version) != branch {
          fields.report(key, value: "\(version)", problem: "is no version of \(branch)")
        }
        versions[branch] = version
      }
      return versions
    }
    from = Self.versions(fields, "from")
    packages =
      fields.mapping("packages") { fields in
        var packages: [Advisories.Release: DebianVersion] = [:]
        for key in fields.keys {
          let version = fields.required(key, .packageVersion)
          guard let release = Advisories.Release(key), releases.contains(release) else {
            fields.report(key, problem: "is of no release under distributions", hint: "add \(quoted(key)) there")
            continue
          }
          packages[release] = version
        }
        return packages
      } ?? [:]
    summary = fields.required("summary", .oneLine(upToBytes: 256))
    if fixed.isEmpty, packages.isEmpty {
      fields.report("fixed", problem: "is missing", hint: "name versions that have it no more, or packages")
    }
    Advisories.readProvenance(fields)
  }

  private static func byProduct<Value>(
    _ fields: MappingReader, _ key: String, _ body: (MappingReader) -> Value
  ) -> [Advisories.Product: Value] {
    fields.mapping(key) { fields in
      var values: [Advisories.Product: Value] = [:]
      for product in Advisories.Product.allCases {
        if let value = fields.mapping(product.rawValue, "", body) { values[product] = value }
      }
      return values
    } ?? [:]
  }

  private static func versions(_ fields: MappingReader, _ key: String) -> [Advisories.Product: Version] {
    fields.mapping(key) { fields in
      var values: [Advisories.Product: Version] = [:]
      for product in Advisories.Product.allCases {
        if let version = fields.optional(product.rawValue, .serverVersion) { values[product] = version }
      }
      return values
    } ?? [:]
  }
}

extension Advisories.Floor {
  fileprivate init(_ fields: MappingReader) {
    product = fields.required("product", .oneOf(Advisories.Product.self, noun: "a product"))
    branch = fields.required("branch", .branch)
    version = fields.required("version", .serverVersion)
    if fields.contains("branch"), fields.contains("version"), Advisories.Branch(version) != branch {
      fields.report("version", value: "\(version)", problem: "is no version of \(branch)")
    }
    Advisories.readProvenance(fields)
  }
}

extension Advisories.Lifetime {
  fileprivate init(_ fields: MappingReader) {
    product = fields.required("product", .oneOf(Advisories.Product.self, noun: "a product"))
    branch = fields.required("branch", .branch)
    ended = fields.required("ended", CalendarDay.scalar)
    Advisories.readProvenance(fields)
  }
}

extension Advisories.Support {
  fileprivate init(_ fields: MappingReader) {
    release = fields.required("name", .release)
    mark = fields.required("mark", .nonEmptyString)
    ended = fields.required("ended", CalendarDay.scalar)
    Advisories.readProvenance(fields)
  }
}

extension Advisories.Build {
  fileprivate init(_ fields: MappingReader) {
    id = fields.required("id", .nonEmptyString)
    package = fields.required("package", ServerPackage.scalar)
    Advisories.readProvenance(fields)
  }
}

extension Advisories.Branch {
  /// `7.2`
  init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 2, let major = Self.number(parts[0]), let minor = Self.number(parts[1]) else { return nil }
    self.init(major, minor)
  }

  fileprivate static func number(_ text: Substring) -> Int? {
    guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy(\.isASCIIDigit) else { return nil }
    return Int(text)
  }
}

extension Advisories.Release {
  /// `debian 12`
  init?(_ text: String) {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 2, words.allSatisfy({ (1...32).contains($0.utf8.count) }) else { return nil }
    self.init(distribution: String(words[0]), release: String(words[1]))
  }
}

extension ScalarType<String> {
  fileprivate static var faultID: ScalarType {
    nonEmptyString.restricted(
      to: { $0.utf8.count <= 32 && $0.utf8.allSatisfy { $0.isASCIIAlphanumeric || $0 == UInt8(ascii: "-") } },
      "is no id", hint: "write it like CVE-2025-49844")
  }
}

extension ScalarType<Advisories.Need> {
  fileprivate static var faultNeed: ScalarType {
    let names = DangerousCommand.allCases.map(\.rawValue)
    return ScalarType(placeholder: .login, name: "need") { text throws(Mismatch) in
      if text == "no login" { return .noLogin }
      if text == "login" { return .login }
      guard let command = DangerousCommand(rawValue: text) else {
        throw Mismatch(
          "is nothing that reach is known of",
          hint: "use no login, login, or one of \(names.joined(separator: ", "))")
      }
      return .command(command)
    }
  }
}

extension ScalarType<Version> {
  fileprivate static var serverVersion: ScalarType {
    ScalarType(placeholder: Version(0), name: "version") { text throws(Mismatch) in
      let parts = text.split(separator: ".", omittingEmptySubsequences: false)
      let numbers = parts.compactMap(Advisories.Branch.number)
      guard parts.count == 3, numbers.count == 3 else {
        throw Mismatch("is no version", hint: "write it like 7.2.11")
      }
      return Version(numbers[0], numbers[1], numbers[2])
    }
  }
}

extension ScalarType<Advisories.Branch> {
  fileprivate static var branch: ScalarType {
    ScalarType(placeholder: Advisories.Branch(0, 0), name: "branch") { text throws(Mismatch) in
      guard let branch = Advisories.Branch(text) else { throw Mismatch("is no branch", hint: "write it like 7.2") }
      return branch
    }
  }
}

extension ScalarType<Advisories.Release> {
  fileprivate static var release: ScalarType {
    ScalarType(placeholder: Advisories.Release(distribution: "", release: ""), name: "release") {
      text throws(Mismatch) in
      guard let release = Advisories.Release(text) else {
        throw Mismatch("is no release of a distribution", hint: "write it like debian 12")
      }
      return release
    }
  }
}

extension ScalarType<DebianVersion> {
  fileprivate static var packageVersion: ScalarType {
    ScalarType(placeholder: .zero, name: "package version") { text throws(Mismatch) in
      guard let version = DebianVersion(text) else {
        throw Mismatch("is no version of a package", hint: "write it like 5:7.0.15-1~deb12u6")
      }
      return version
    }
  }
}
