import Metrics

enum MarkFamilies {
  static let total = Family.counter(
    "workload_marks_total",
    "Marks that came in for the workload, by kind, kept across restarts; those that name no workload count for each.",
    labels: ["kind"], traits: [.values(Mark.Kind.allCases.map(\.rawValue), of: "kind")])

  static let all = [total]
}
