import Config
import Fleet
import NIOCore
import Redis
import Runtime
import UnixSignals

/// What `/scrape` would come to for each target of a list: many are asked at the same time, and all that are alike are told
/// together.
struct ScrapeAccess {
  enum Outcome: Hashable, Comparable {
    /// It is no address, `--scrape.allow` does not list it, its login fails, or rights are missing: what to do, in words.
    case refused(String)
    case unreachable(String)
    case lacking(String)
    case good(String)

    var isRefused: Bool {
      switch self {
      case .refused, .lacking: true
      case .unreachable, .good: false
      }
    }
  }

  let subject: AccessSubject

  /// So many connections are open at the same time.
  private static let concurrency = 64

  private enum Event: Sendable {
    case interrupted
    case asked(String, Outcome)
  }

  /// - Parameter progress: how many have been asked.
  /// - Returns: what was found out until the end, or until an interrupt.
  func run(_ targets: [String], progress: @escaping (Int) -> Void) async -> ScrapeAccessReport {
    var report = ScrapeAccessReport(total: targets.count)
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    await withTaskGroup(of: Event.self) { group in
      group.addTask {
        for await _ in signals { break }
        return .interrupted
      }
      var rest = targets[...]
      for target in rest.prefix(Self.concurrency) { group.addTask { .asked(target, await tried(target)) } }
      rest = rest.dropFirst(Self.concurrency)
      while report.askedCount < targets.count, let event = await group.next() {
        guard case .asked(let target, let outcome) = event else { break }
        report.add(outcome, of: target)
        progress(report.askedCount)
        if let next = rest.popFirst() { group.addTask { .asked(next, await tried(next)) } }
      }
      group.cancelAll()
    }
    return report
  }

  private func tried(_ target: String) async -> Outcome {
    let address: RedisAddress
    do throws(RedisAddressError) {
      address = try RedisAddress(target).withoutPassword
    } catch {
      return .refused("it is no address: \(error)")
    }
    let allowed = subject.options.web.scrapeHosts
    guard allowed.allows(address.endpoint) else {
      return .refused("/scrape refuses it with 403: list its host in --scrape.allow")
    }
    let connection = subject.factory.scrapedConnection(address)
    let withheld = subject.factory.withheld(from: address, nil)
    do throws(RedisError) {
      let check = try await AccessCheck(
        connection, timeout: TimeAmount(subject.options.redis.deadline), in: subject.factory.strangers
      ) { subject.target($0, database: address.database) }
      let denied = Set(
        check.verdicts.flatMap(\.reasons).compactMap { if case .denied(let rule) = $0 { rule } else { nil } })
      guard denied.isEmpty else {
        return .lacking("logged in, but rights are missing: add \(denied.sorted().joined(separator: " "))")
      }
      return .good(withheld == nil ? "logged in" : "wants no password")
    } catch {
      if error.errorClass == .auth, let withheld { return .refused("it wants a password and gets none: \(withheld)") }
      let text = KnownSecrets.masked("\(error.advised(.request))")
      // The address of each would tell those apart that are alike.
      let alike = text.replacing("\(address.endpoint)", with: "its address")
      return error.errorClass == .auth || error.errorClass == .permission ? .refused(alike) : .unreachable(alike)
    }
  }
}

/// What became of the targets, those that are alike together.
struct ScrapeAccessReport {
  let total: Int
  private(set) var askedCount = 0
  private var targets: [ScrapeAccess.Outcome: [String]] = [:]

  /// Targets that are named of those that are alike.
  private static let shownLimit = 10

  init(total: Int) { self.total = total }

  mutating func add(_ outcome: ScrapeAccess.Outcome, of target: String) {
    askedCount += 1
    targets[outcome, default: []].append(target)
  }

  private func count(_ isCounted: (ScrapeAccess.Outcome) -> Bool) -> Int {
    targets.reduce(0) { $0 + (isCounted($1.key) ? $1.value.count : 0) }
  }

  private var unreachableCount: Int { count { if case .unreachable = $0 { true } else { false } } }
  private var refusedCount: Int { count(\.isRefused) }

  /// 0 all can be scraped, 1 something is refused, 3 something cannot be asked or was not.
  var status: Int32 { unreachableCount > 0 || askedCount < total ? 3 : refusedCount > 0 ? 1 : 0 }

  var text: String {
    var lines: [String] = []
    for (outcome, alike) in targets.sorted(by: { $0.key < $1.key }) {
      let (title, words) = Self.words(of: outcome)
      lines.append("\(title) \(alike.count): \(oneLine(words))")
      let names = alike.map { oneLine(Self.withoutPassword($0)) }.sorted()
      lines += names.prefix(Self.shownLimit).map { "  \($0)" }
      if names.count > Self.shownLimit { lines.append("  and \(names.count - Self.shownLimit) more") }
    }
    if askedCount < total { lines.append("interrupted: \(total - askedCount) of \(total) targets were not asked") }
    let good = askedCount - refusedCount - unreachableCount
    lines.append(
      "\(total) target\(total == 1 ? "" : "s"): \(good) can be scraped, \(refusedCount) refused, "
        + "\(unreachableCount) cannot be reached" + (askedCount < total ? ", \(total - askedCount) not asked" : ""))
    return lines.joined(separator: "\n")
  }

  private static func words(of outcome: ScrapeAccess.Outcome) -> (title: String, words: String) {
    switch outcome {
    case .refused(let text): ("REFUSED", text)
    case .unreachable(let text): ("CANNOT BE REACHED", text)
    case .lacking(let text): ("LACKING", text)
    case .good(let text): ("GOOD", text)
    }
  }

  /// A target is shown as it is written, but for what stands before an @: it may be a password.
  private static func withoutPassword(_ target: String) -> String {
    guard let at = target.lastIndex(of: "@") else { return target }
    let start = target[..<at].firstRange(of: "://")?.upperBound ?? target.startIndex
    return "\(target[..<start])…\(target[at...])"
  }
}
