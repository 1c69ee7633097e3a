/// Which group each row of a table belongs to.
struct Grouping {
  /// The labels of each group, in the order in which they first appear.
  private(set) var labels: [Labels] = []
  /// For each row the number of its group.
  private(set) var groupOfRow: [Int] = []

  init(_ rows: [Labels], by names: [String], isWithout: Bool) {
    let names = LabelNames(isWithout ? names + [Labels.metricName] : names)
    groupOfRow.reserveCapacity(rows.count)
    if names.sorted.isEmpty, !isWithout {
      labels = rows.isEmpty ? [] : [.empty]
      groupOfRow = Array(repeating: 0, count: rows.count)
      return
    }
    var groups: [Labels: Int] = [:]
    for row in rows {
      let key = isWithout ? row.dropping(names) : row.keeping(names)
      if let group = groups[key] {
        groupOfRow.append(group)
      } else {
        groups[key] = labels.count
        groupOfRow.append(labels.count)
        labels.append(key)
      }
    }
  }
}
