import Redis

/// Something that a server is asked for as evidence, with commands that only read. Runbooks name it.
///
/// A source is a pure function of the replies. What it shows goes through ``CommandShape`` and ``ClientOrigin`` where it came
/// from clients: never a key, a value, a password.
protocol EvidenceSource: Sendable {
  /// A short, stable name in lower case, as it stands in the front matter of runbooks.
  var name: String { get }
  /// Of its section.
  var title: String { get }
  /// In words, for who reads the reference: what it gathers.
  var summary: String { get }

  /// What the server is asked; empty where this says all of it already, or nothing is to be asked of such a server.
  ///
  /// - Parameter masterName: of a Sentinel, the master that it is asked about.
  func commands(for server: ServerFacts, masterName: String?) -> [Command]
  /// Adds what the server said: a section, figures, and facts.
  func read(_ replies: [Reply], into reading: inout NodeReading)
}

extension EvidenceSource {
  func section(_ lines: [String], _ table: Evidence.Table? = nil) -> Evidence.Section {
    Evidence.Section(source: name, title: title, lines: lines, table: table)
  }
}

/// Every source: a new one is a file and a line here.
enum EvidenceCatalogue {
  static let all: [any EvidenceSource] = [
    SlowlogSource(), LatencySource(), ClientsSource(), MemorySource(), PersistenceSource(), ReplicationSource(),
    SentinelSource(), ClusterSource(), ACLLogSource(), SettingsSource(), HostSource(),
  ]

  /// What is gathered about an alert whose runbook names nothing.
  static let usual: Set<String> = ["slowlog", "latency", "clients", "memory"]

  /// Everything that is sent to a server of this kind, for those who give rights.
  static func commands(for server: ServerFacts) -> [(source: any EvidenceSource, commands: [Command])] {
    all.compactMap { source in
      let commands = source.commands(for: server, masterName: server.sentinelMasters.first)
      return commands.isEmpty ? nil : (source, commands)
    }
  }
}

/// The names of the sources, for those who read runbooks.
public enum EvidenceNames {
  public static let all = EvidenceCatalogue.all.map(\.name)
  public static let usual = EvidenceCatalogue.usual
}
