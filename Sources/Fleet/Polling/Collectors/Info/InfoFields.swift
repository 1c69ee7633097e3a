import Metrics
import Redis

/// The INFO field table: the one place where a field of INFO becomes a family.
///
/// A new field is a row in the list of its section. Fields with labels (`slave0`, `db0`, `cmdstat_get`) have collectors
/// of their own.
public enum InfoFields {
  /// Every row for INFO, in the order of a server's sections.
  public static let all: [InfoField] =
    server + clients + memory + persistence + stats + replication + cpu + cluster + sentinel
    + keydb

  static let table = InfoFieldTable(all)
}
