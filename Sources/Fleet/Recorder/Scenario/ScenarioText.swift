import Redis
import Runtime

/// How a scenario writes what checks find.
enum ScenarioText {
  static func line(_ finding: Finding) -> String {
    let since = Int(clamping: finding.since.seconds - ScenarioServer.start)
    return
      "\(finding.severity.name) \(name(finding.subject))since \(since)s\(finding.isKnown ? ", known" : ""): \(finding.text)"
  }

  static func line(_ aside: Aside) -> String {
    "\("\(aside.answer.rawValue) \(name(aside.subject))".dropLast()): \(aside.text)"
  }

  static func line(_ blindness: Blindness) -> String {
    "\("unknown \(name(blindness.subject))".dropLast()): \(blindness.reason)"
  }

  private static func name(_ subject: Finding.Subject) -> String {
    switch subject {
    case .workload: ""
    case .node(let name): "\(name) "
    case .shard(let name): "shard \(name) "
    case .keys(let name): "keys \(name) "
    }
  }
}

/// Other names for those of a recording: hosts become letters, identities numbers.
struct ScenarioNames {
  private var hosts: [String: String] = [:]
  private var identities: [String: String] = [:]

  /// `a`, `b`, … `z`, `a1`, …: the same for the same host.
  mutating func host(_ name: String) -> String {
    if name.isEmpty { return name }
    if let known = hosts[name] { return known }
    let place = hosts.count
    let letter = String(Unicode.Scalar(UInt8(ascii: "a") + UInt8(place % 26)))
    let made = place < 26 ? letter : "\(letter)\(place / 26)"
    hosts[name] = made
    return made
  }

  mutating func address(_ address: NodeAddress) -> NodeAddress {
    NodeAddress(host: host(address.host), port: address.port)
  }

  /// 40 digits: the same for the same identity.
  mutating func identity(_ text: String) -> String {
    if text.allSatisfy({ $0 == "0" }) { return text }
    if let known = identities[text] { return known }
    let digits = String(identities.count + 1)
    let made = String(repeating: "0", count: 40 - digits.utf8.count) + digits
    identities[text] = made
    return made
  }

  /// A text in which hosts that are known, and all identities, have their other names.
  mutating func text(_ text: String) -> String {
    var parts: [String] = []
    var word = ""
    func isOfWord(_ character: Character) -> Bool {
      character.isLetter || character.isNumber || character == "." || character == "-"
    }
    func finish(_ names: inout ScenarioNames) {
      guard !word.isEmpty else { return }
      if word.utf8.count == 40, word.utf8.allSatisfy({ $0.hexDigitValue != nil }) {
        parts.append(names.identity(word))
      } else {
        parts.append(names.hosts[word] ?? word)
      }
      word = ""
    }
    for character in text {
      if isOfWord(character) {
        word.append(character)
      } else {
        finish(&self)
        parts.append(String(character))
      }
    }
    finish(&self)
    return parts.joined()
  }
}
