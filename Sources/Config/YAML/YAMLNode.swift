/// A value of a YAML document and the place where it starts.
public struct YAMLNode: Sendable, Equatable {
  public enum Content: Sendable, Equatable {
    /// The text as written; `isPlain` means without quotes or block style, the only form that can be null.
    case scalar(String, isPlain: Bool)
    case sequence([YAMLNode])
    /// The entries in the order of the document; keys are unique.
    case mapping([Entry])
  }

  public struct Entry: Sendable, Equatable {
    public let key: String
    public let keyMark: SourceMark
    public let value: YAMLNode
  }

  public let content: Content
  public let mark: SourceMark

  /// True for a value left out, `~` and `null`.
  public var isNull: Bool {
    guard case .scalar(let text, isPlain: true) = content else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(text)
  }

  /// What the value is, with its article, for error texts.
  var kindName: String {
    switch content {
    case .scalar: "a single value"
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }
}

/// What one document may cost. A configuration is written by people, so the standard limits are far above any real one.
public struct YAMLLimits: Sendable {
  /// Size of the text in bytes.
  public let bytes: Int
  /// Scalars, lists and mappings, each alias counted as all the nodes it stands for.
  public let nodes: Int
  /// Lists and mappings inside one another, aliases followed.
  public let depth: Int

  public static let standard = YAMLLimits(bytes: 1 << 20, nodes: 100_000, depth: 32)

  public init(bytes: Int, nodes: Int, depth: Int) {
    self.bytes = bytes
    self.nodes = nodes
    self.depth = depth
  }
}

/// How freely a document may use YAML.
public enum YAMLStyle: Sendable {
  /// One document, no merge keys: what a person can follow.
  case configuration
  /// As Prometheus reads its rule files: merge keys (`<<`) count, documents behind the first do not.
  case prometheus
}

extension YAMLNode {
  /// Reads the first document of a Prometheus file, and tells where a second one starts that nobody reads.
  ///
  /// Errors: as `parse`, but for merge keys and more documents.
  public static func parsePrometheus(
    _ bytes: [UInt8], file: String, limits: YAMLLimits = .standard
  ) throws(ConfigErrors) -> (root: YAMLNode, second: SourceMark?) {
    do throws(ConfigError) {
      guard bytes.count <= limits.bytes else {
        throw ConfigError(.file(file, nil), problem: "the file is larger than \(limits.bytes) bytes")
      }
      var composer = YAMLComposer(
        events: YAMLEvents(bytes, file: file), file: file, limits: limits, style: .prometheus)
      return try composer.firstDocument()
    } catch {
      throw ConfigErrors(error)
    }
  }

  /// Reads one document. An empty text gives a null node.
  ///
  /// Errors: bad syntax, a key given twice, more than one document, tags, merge keys, an unknown alias, a limit passed.
  public static func parse(
    _ bytes: [UInt8], file: String, limits: YAMLLimits = .standard
  ) throws(ConfigErrors) -> YAMLNode {
    do throws(ConfigError) {
      guard bytes.count <= limits.bytes else {
        throw ConfigError(.file(file, nil), problem: "the file is larger than \(limits.bytes) bytes")
      }
      var composer = YAMLComposer(events: YAMLEvents(bytes, file: file), file: file, limits: limits)
      return try composer.document()
    } catch {
      throw ConfigErrors(error)
    }
  }

  /// Reads the document in the file at `path`.
  public static func load(_ path: String, limits: YAMLLimits = .standard) throws(ConfigErrors) -> YAMLNode {
    let bytes: [UInt8]
    do throws(ConfigError) {
      bytes = try readFile(path, limitBytes: limits.bytes)
    } catch {
      throw ConfigErrors(error)
    }
    return try parse(bytes, file: path, limits: limits)
  }
}
