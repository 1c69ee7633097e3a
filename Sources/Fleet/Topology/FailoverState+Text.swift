import Redis

/// The states as lines of text, `name value`, for the store's facts. What cannot be read is as if it were missing.
extension FailoverTracker.State {
  var text: String {
    var lines = ["number \(lastNumber)"]
    if let lastFailoverSeconds { lines.append("last \(lastFailoverSeconds)") }
    if let configEpoch { lines.append("epoch \(configEpoch)") }
    if let address { lines.append("address \(address.storedText)") }
    if let quorumDownSeconds { lines.append("down \(quorumDownSeconds)") }
    lines += unconfirmed.map { "unconfirmed \($0.storedText)" }
    return lines.joined(separator: "\n")
  }

  /// The counts are kept apart and start at 0 here.
  init(text: String) {
    self.init()
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1).map(String.init)
      guard words.count == 2 else { continue }
      switch words[0] {
      case "number": lastNumber = max(0, storedInteger(words[1]) ?? 0)
      case "last": lastFailoverSeconds = Double(words[1])
      case "epoch": configEpoch = storedInteger(words[1])
      case "address": address = NodeAddress(storedText: words[1])
      case "down": quorumDownSeconds = Double(words[1])
      case "unconfirmed": if let address = NodeAddress(storedText: words[1]) { unconfirmed.append(address) }
      default: break
      }
    }
  }
}

extension ReplicationFailoverTracker.State {
  var text: String {
    var lines = ["number \(lastNumber)"]
    if let lastFailoverSeconds { lines.append("last \(lastFailoverSeconds)") }
    if let master {
      lines.append("master \(master.address.storedText)")
      if !master.runID.isEmpty { lines.append("run \(master.runID)") }
    }
    return lines.joined(separator: "\n")
  }

  /// The counts are kept apart and start at 0 here.
  init(text: String) {
    self.init()
    var runID = ""
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 1).map(String.init)
      guard words.count == 2 else { continue }
      switch words[0] {
      case "number": lastNumber = max(0, storedInteger(words[1]) ?? 0)
      case "last": lastFailoverSeconds = Double(words[1])
      case "master":
        master = NodeAddress(storedText: words[1]).map { ReplicationFailoverTracker.Server(address: $0, runID: "") }
      case "run": runID = words[1]
      default: break
      }
    }
    master?.runID = runID
  }
}

extension ClusterFailoverTracker.Node {
  /// `id master|- epoch failing|ok first-last…`
  var text: String {
    ([id, masterID ?? "-", "\(configEpoch)", wasFailing ? "failing" : "ok"]
      + slots.map { "\($0.lowerBound)-\($0.upperBound)" })
      .joined(separator: " ")
  }

  init?(text: String) {
    let words = text.split(separator: " ").map(String.init)
    guard words.count >= 4, let epoch = storedInteger(words[2]) else { return nil }
    let slots = words.dropFirst(4).compactMap { word -> ClosedRange<Int>? in
      let ends = word.split(separator: "-").map { Int($0) }
      guard ends.count == 2, let first = ends[0], let last = ends[1], 0 <= first, first <= last,
        last < ClusterNodes.slotCount
      else { return nil }
      return first...last
    }
    self.init(
      id: words[0], masterID: words[1] == "-" ? nil : words[1], configEpoch: epoch, slots: slots,
      wasFailing: words[3] == "failing")
  }
}

extension NodeAddress {
  /// `port host`: a host may hold any other character.
  var storedText: String { "\(port) \(host)" }

  init?(storedText: String) {
    let words = storedText.split(separator: " ", maxSplits: 1).map(String.init)
    guard words.count == 2 else { return nil }
    self.init(host: words[1], port: words[0])
  }
}

/// A number of the file, which may have been written by anybody: in the bounds of what servers say.
func storedInteger(_ text: String) -> Int? { Int(text).flatMap { Limits.integers.contains($0) ? $0 : nil } }
