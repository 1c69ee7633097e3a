extension StoreContents {
  /// Files what comes from now on under another policy. What is sealed already stays for as long as the series that
  /// were filed with it are kept now.
  mutating func replacePolicy(_ policy: HistoryPolicy) {
    if policy == self.policy { return }
    self.policy = policy
    timesShelf.keptMilliseconds = policy.longestMilliseconds
    for index in shelves.indices { shelves[index].isRetired = true }
    var filing = Filing(kept: [Int64](repeating: 0, count: shelves.count), isFiled: [])
    filing.isFiled = [Bool](repeating: false, count: series.count)
    for name in index.table.labels(ofName: Labels.metricNameBytes) {
      let milliseconds = policy.milliseconds(for: String(decoding: index.table.value(of: name), as: UTF8.self))
      refile(index.series(withLabel: name), keeping: milliseconds, &filing)
    }
    let unnamed = index.allSeries.filter { !filing.isFiled[Int($0)] }
    refile(unnamed, keeping: policy.milliseconds(for: ""), &filing)
    for (index, milliseconds) in filing.kept.enumerated() where shelves[index].isRetired {
      shelves[index].keptMilliseconds = milliseconds
    }
  }

  private struct Filing {
    /// How long the series of each shelf of before are kept now.
    var kept: [Int64]
    var isFiled: [Bool]
  }

  private mutating func refile(_ slots: [UInt32], keeping milliseconds: Int64, _ filing: inout Filing) {
    if slots.isEmpty { return }
    let shelf = shelfIndex(keeping: milliseconds)
    for slot in slots {
      let old = Int(series[Int(slot)].shelf)
      if old < filing.kept.count { filing.kept[old] = max(filing.kept[old], milliseconds) }
      series[Int(slot)].shelf = UInt16(shelf)
      filing.isFiled[Int(slot)] = true
    }
  }

  /// The shelf for what is kept so long.
  mutating func shelfIndex(keeping milliseconds: Int64) -> Int {
    if let index = shelves.firstIndex(where: { $0.keptMilliseconds == milliseconds && !$0.isRetired }) { return index }
    let shelf = Shelf(keptMilliseconds: milliseconds)
    if let index = shelves.firstIndex(where: { $0.isRetired && $0.isEmpty }) {
      shelves[index] = shelf
      return index
    }
    shelves.append(shelf)
    return shelves.count - 1
  }
}
