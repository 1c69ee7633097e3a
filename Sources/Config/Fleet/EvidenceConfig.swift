/// Whether evidence is gathered about alerts: `evidence` of a fleet's file.
public struct EvidenceConfig: Sendable, Equatable {
  public let isEnabled: Bool

  init(_ fields: MappingReader?) {
    isEnabled =
      fields?.value(
        "enabled", .bool, default: true,
        "Whether the servers of a workload are asked, with commands that only read, when an alert begins.") ?? true
  }
}
