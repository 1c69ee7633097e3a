import Alerting
import Fleet
import Metrics

/// Every family that the program can export.
enum FamilyCatalogue {
  static var groups: [FamilyGroup] {
    FamilyGroup.ofFleet + [
      FamilyGroup("Rules", "With `rules` or `history` in the file of `--config.file`.", families: RuleFamilies.all),
      FamilyGroup(
        "Delivery of alerts", "With `alerting` in the file of `--config.file`.", families: DeliveryFamilies.all),
      FamilyGroup(
        "The daemon", "On `/metrics`; of `/scrape` only the errors and the build.", ExporterFamilies.entries),
    ]
  }

  /// Each once: some parts share a family.
  static var all: [Family] {
    var seen: Set<ObjectIdentifier> = []
    return groups.flatMap(\.families).filter { seen.insert(ObjectIdentifier($0)).inserted }
  }
}
