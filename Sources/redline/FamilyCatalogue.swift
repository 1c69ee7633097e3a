import Alerting
import Fleet
import Metrics

/// Every family that the program can export.
enum FamilyCatalogue {
  static var all: [Family] { Family.ofFleet + ExporterFamilies.all + RuleFamilies.all + DeliveryFamilies.all }
}
