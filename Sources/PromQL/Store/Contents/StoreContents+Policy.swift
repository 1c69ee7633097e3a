extension StoreContents {
  /// Files what comes from now on under another policy. What is sealed already stays for as long as the series that
  /// were filed with it are kept now.
  mutating func replacePolicy(_ policy: HistoryPolicy) {
    if policy == self.policy { return }
    self.policy = policy
    timesRetention.keptMilliseconds = policy.longestMilliseconds
    for index in retentions.indices { retentions[index].isRetired = true }
    var filing = Filing(kept: [Int64](repeating: 0, count: retentions.count), isFiled: [])
    filing.isFiled = [Bool](repeating: false, count: series.count)
    for name in index.table.labels(ofName: Labels.metricNameBytes) {
      let milliseconds = policy.milliseconds(for: String(decoding: index.table.value(of: name), as: UTF8.self))
      refile(index.series(withLabel: name), keeping: milliseconds, &filing)
    }
    let unnamed = index.allSeries.filter { !filing.isFiled[Int($0)] }
    refile(unnamed, keeping: policy.milliseconds(for: ""), &filing)
    for (index, milliseconds) in filing.kept.enumerated() where retentions[index].isRetired {
      retentions[index].keptMilliseconds = milliseconds
    }
  }

  private struct Filing {
    /// How long the series of each retention of before are kept now.
    var kept: [Int64]
    var isFiled: [Bool]
  }

  private mutating func refile(_ slots: [UInt32], keeping milliseconds: Int64, _ filing: inout Filing) {
    if slots.isEmpty { return }
    let retention = retentionIndex(keeping: milliseconds)
    for slot in slots {
      let old = Int(series[Int(slot)].retention)
      if old < filing.kept.count { filing.kept[old] = max(filing.kept[old], milliseconds) }
      series[Int(slot)].retention = UInt16(retention)
      filing.isFiled[Int(slot)] = true
    }
  }

  /// The retention for what is kept so long.
  mutating func retentionIndex(keeping milliseconds: Int64) -> Int {
    if let index = retentions.firstIndex(where: { $0.keptMilliseconds == milliseconds && !$0.isRetired }) {
      return index
    }
    let retention = Retention(keptMilliseconds: milliseconds)
    if let index = retentions.firstIndex(where: { $0.isRetired && $0.isEmpty }) {
      retentions[index] = retention
      return index
    }
    retentions.append(retention)
    return retentions.count - 1
  }
}
