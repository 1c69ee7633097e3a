import Config

/// Every watch over keys: a new one is a file in this folder and a line here.
public enum KeyWatchCatalogue {
  /// Those that `redline.yml` sets for each workload, in the order in which configurations and pages show them.
  static let ofWorkloads: [any (KeyWatch & ConfiguredWatch).Type] = [
    LockWatch.self, CircuitWatch.self, IdempotencyWatch.self, RateLimitWatch.self, StreamWatch.self,
  ]

  /// Those of the one server that flags name: what redis_exporter's flags ask for.
  ///
  /// - Throws: ``KeyWorkError`` for a key group pattern that is no Lua pattern.
  static func ofFlags(_ options: KeyWorkOptions) throws(KeyWorkError) -> [any KeyWatch] {
    var watches: [any KeyWatch] = []
    if !(options.lookupKeys + options.scanKeys).isEmpty { watches.append(ListedKeys(options)) }
    if !(options.lookupStreams + options.scanStreams).isEmpty { watches.append(ListedStreams(options)) }
    if !options.countKeys.isEmpty { watches.append(KeyCounts(options)) }
    if !options.checkKeyGroups.isEmpty { watches.append(KeyGroups(try options.groupPatterns(), options)) }
    return watches
  }
}

extension KeyWatches {
  /// Those that are on.
  var keyWatches: [any KeyWatch] { on.compactMap { $0 as? any KeyWatch } }
}

/// Configurations with every watch there is.
extension FleetConfig {
  /// Reads the file at `path`. Throws everything that is wrong in it.
  public static func load(_ path: String) throws(ConfigErrors) -> FleetConfig {
    try load(path, watches: KeyWatchCatalogue.ofWorkloads)
  }

  /// Reads a text; `file` names it in errors.
  public static func parse(_ bytes: [UInt8], file: String) throws(ConfigErrors) -> FleetConfig {
    try parse(bytes, file: file, watches: KeyWatchCatalogue.ofWorkloads)
  }

  /// The reference of the file as Markdown.
  public static var referenceText: String { referenceText(watches: KeyWatchCatalogue.ofWorkloads) }
}
