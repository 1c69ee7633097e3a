import Fleet
import Runtime
import Web

/// One section of a report: what is known, how it is shown, and the same as JSON.
protocol ReportSection: Sendable {
  /// Its name in the JSON.
  static var id: String { get }
  static var title: String { get }
  /// - Returns: nil where the report does without it.
  static func part(of facts: ReportFacts, _ incident: ReportIncident) -> ReportPart?
}

struct ReportPart {
  var blocks: [ReportPage.Block]
  /// Writes exactly one value.
  var json: (inout JSONWriter) -> Void
  /// What objectives came to.
  var results: [CheckResult] = []
}

/// Every section, in the order of the report.
enum ReportSectionCatalogue {
  static var all: [any ReportSection.Type] {
    [
      TimelineSection.self, ChangesSection.self, ImpactSection.self, ClientsSection.self, EvidenceSection.self,
      ToldSection.self,
      WriteDownSection.self, PeakSection.self, SlowSection.self, CapacitySection.self, OutcomeSection.self,
    ]
  }
}

extension ReportPage.Block {
  /// That something is not known, and why.
  static func unknown(_ what: String, _ reason: String) -> ReportPage.Block {
    .list([.init("\(what) not known: \(reason)", .note)])
  }
}
