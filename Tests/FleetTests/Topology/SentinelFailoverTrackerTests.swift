import Redis
import Runtime
import TestSupport
import Testing

@testable import Fleet

/// A story that Sentinels tell, one event a line, and what must have been counted after it.
///
/// `seconds sentinel channel words…`, where A to D stand for addresses, `M A` for a master, `R B A` for the replica B of A;
/// `seconds sentinel epoch N A` is what SENTINEL MASTER says; `seconds tick` lets time pass; `restart` keeps the state only.
struct Story: Sendable, CustomTestStringConvertible {
  let name: String
  let lines: String
  var automatic = 0
  var manual = 0
  var aborted = 0
  var missed = 0
  var testDescription: String { name }

  static func address(_ letter: Substring) -> NodeAddress? {
    switch letter {
    case "A", "B", "C", "D":
      NodeAddress(host: "10.0.0.\(Int(letter.utf8.first ?? 0) - 64)", port: 6379)
    // The same nodes by name.
    case "a", "b", "c", "d": NodeAddress(host: "host-\(letter)", port: 6379)
    default: nil
    }
  }

  static func payload(_ words: ArraySlice<Substring>) -> String {
    func place(_ word: Substring) -> String { address(word).map { "\($0.host) \($0.port)" } ?? String(word) }
    let rest = words.dropFirst()
    switch words.first {
    case "M": return (["master mymaster"] + rest.map(place)).joined(separator: " ")
    case "R":
      let replica = rest.first.flatMap { address($0) }.map { "slave \($0) \($0.host) \($0.port)" } ?? "slave"
      return ([replica, "@ mymaster"] + rest.dropFirst().map(place)).joined(separator: " ")
    default: return words.map(place).joined(separator: " ")
    }
  }

  /// The tracker after the last line, and every action on the way.
  func play() -> (tracker: SentinelFailoverTracker, actions: [FailoverAction]) {
    var tracker = SentinelFailoverTracker(masterName: "mymaster")
    var actions: [FailoverAction] = []
    for line in lines.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard let first = words.first else { continue }
      if first == "restart" {
        tracker = SentinelFailoverTracker(masterName: "mymaster", state: tracker.state)
        continue
      }
      guard let seconds = Double(first) else {
        Issue.record("\(line)")
        continue
      }
      if words[1] == "tick" {
        actions += tracker.advance(to: .init(seconds: seconds))
      } else if words[2] == "epoch", let epoch = Int(words[3]), let address = Self.address(words[4]) {
        actions += tracker.observe(
          .init(
            sentinel: String(words[1]), configEpoch: epoch, address: address, sentinelCount: 3,
            moment: .init(seconds: seconds)))
      } else {
        let event = SentinelEvent(channel: String(words[2]), payload: Self.payload(words[3...]))
        actions += tracker.receive(event, from: String(words[1]), at: .init(seconds: seconds))
      }
    }
    return (tracker, actions)
  }
}

@Suite struct SentinelFailoverTrackerTests {
  static let automaticTrace = """
    3.04 s1 +sdown M A
    3.05 s2 +sdown M A
    3.10 s1 +odown M A #quorum 2/2
    3.10 s1 +new-epoch 1
    3.10 s1 +try-failover M A
    3.11 s1 +vote-for-leader abc 1
    3.12 s2 +new-epoch 1
    3.18 s1 +elected-leader M A
    3.19 s1 +failover-state-select-slave M A
    3.25 s1 +selected-slave R B A
    3.92 s1 -role-change R B A new reported role is master
    4.00 s1 +promoted-slave R B A
    4.00 s1 +failover-state-reconf-slaves M A
    4.06 s2 +switch-master mymaster A B
    4.07 s3 +switch-master mymaster A B
    5.05 s1 -odown M A
    5.10 s1 +failover-end M A
    5.12 s1 +switch-master mymaster A B
    5.13 s1 +slave R A B
    8.20 s1 +sdown R A B

    """
  static let manualTrace = """
    100.00 s1 +new-epoch 2
    100.00 s1 +try-failover M B
    100.01 s1 +elected-leader M B
    100.02 s1 +selected-slave R C B
    101.07 s1 +promoted-slave R C B
    101.13 s2 +switch-master mymaster B C
    101.13 s3 +switch-master mymaster B C
    101.14 s1 +switch-master mymaster B C

    """

  static let stories: [Story] = [
    Story(name: "nothing", lines: "0 s1 epoch 0 A\n5 s1 epoch 0 A\n1000 tick"),
    Story(name: "automatic", lines: automaticTrace, automatic: 1),
    Story(name: "automatic, then manual", lines: automaticTrace + manualTrace, automatic: 1, manual: 1),
    Story(
      name: "epochs confirm what events told",
      lines: "0 s1 epoch 0 A\n0 s2 epoch 0 A\n" + automaticTrace + """
        6 s1 epoch 1 B
        6 s2 epoch 1 B
        90 s1 epoch 1 B

        """ + manualTrace + "102 s1 epoch 2 C\n102 s2 epoch 2 C\n300 tick", automatic: 1, manual: 1),
    Story(
      name: "the first observation comes after the switch",
      lines: automaticTrace + "6 s1 epoch 1 B\n60 s1 epoch 1 B\n100 tick", automatic: 1),
    Story(
      name: "an observation overtakes the event",
      lines: """
        -90 s1 epoch 0 A
        0 s1 +sdown M A
        0.1 s1 +odown M A
        0.1 s1 +try-failover M A
        1.0 s2 epoch 1 B
        1.1 s1 epoch 1 A
        1.2 s2 +switch-master mymaster A B
        1.3 s1 +switch-master mymaster A B
        9 s1 epoch 1 B
        90 tick
        """, automatic: 1),
    Story(
      name: "an observation is so early that it is counted, then the events come",
      lines: """
        -90 s1 epoch 0 A
        0 s2 epoch 1 B
        6 s2 epoch 1 B
        7 s2 +switch-master mymaster A B
        7 s1 +switch-master mymaster A B
        90 tick
        """, missed: 1),
    Story(
      name: "the leader raises the epoch long before it ends",
      lines: """
        -90 s1 epoch 0 A
        0 s1 +sdown M A
        0.1 s1 +odown M A
        0.1 s1 +try-failover M A
        0.2 s1 +promoted-slave R B A
        1 s1 epoch 1 A
        50 s1 epoch 1 A
        80 s1 epoch 1 A
        90 s1 +failover-end-for-timeout M A
        90 s1 +failover-end M A
        90.1 s1 +switch-master mymaster A B
        91 s1 epoch 1 B
        200 tick
        """, automatic: 1),
    Story(
      name: "missed while no Sentinel was connected",
      lines: "0 s1 epoch 0 A\n60 s1 epoch 1 B\n61 s2 epoch 1 B\n66 tick\n90 s1 epoch 1 B", missed: 1),
    Story(
      name: "missed while the daemon was down",
      lines: "0 s1 epoch 4 A\nrestart\n60 s1 epoch 5 B\n66 s1 epoch 5 B\n90 s2 epoch 5 B", missed: 1),
    Story(
      name: "counted, then the daemon is killed before it read the epoch",
      lines: "0 s1 epoch 0 A\n" + automaticTrace + "restart\n30 s1 epoch 1 B\n90 s1 epoch 1 B\n200 tick", automatic: 1),
    Story(
      name: "the daemon restarts in mid-failover",
      lines: """
        0 s1 epoch 0 A
        10 s1 +sdown M A
        10.1 s1 +odown M A
        restart
        11 s2 epoch 0 A
        12 s2 +switch-master mymaster A B
        13 s1 +switch-master mymaster A B
        14 s1 epoch 1 B
        60 tick
        """, automatic: 1),
    Story(
      name: "down before a restart, back after it, then manual",
      lines: "0 s1 +odown M A\nrestart\n5 s1 -odown M A\n60 s2 +switch-master mymaster A B", manual: 1),
    Story(
      name: "several elections, one failover: the epoch rises by three",
      lines: """
        0 s1 epoch 0 A
        10 s1 +sdown M A
        10 s1 +odown M A
        10 s1 +try-failover M A
        10 s2 +odown M A
        10 s2 +try-failover M A
        20 s1 -failover-abort-not-elected M A
        20.5 s2 -failover-abort-not-elected M A
        30 s3 +odown M A
        30 s3 +try-failover M A
        31 s3 +elected-leader M A
        32 s1 +switch-master mymaster A B
        32 s3 +switch-master mymaster A B
        33 s1 epoch 3 B
        99 tick
        """, automatic: 1, aborted: 1),
    Story(
      name: "one attempt loses while another wins",
      lines: """
        0 s1 +sdown M A
        0 s1 +odown M A
        0 s1 +try-failover M A
        0 s2 +odown M A
        0 s2 +try-failover M A
        0.3 s1 +elected-leader M A
        1 s3 +switch-master mymaster A B
        1.1 s2 +switch-master mymaster A B
        1.2 s1 +switch-master mymaster A B
        10 s2 -failover-abort-not-elected M A
        """, automatic: 1),
    Story(
      name: "no good replica, twice",
      lines: """
        0 s1 +sdown M A
        0 s1 +odown M A
        0 s1 +try-failover M A
        1 s1 -failover-abort-no-good-slave M A
        1 s1 +new-epoch 2
        360 s1 +try-failover M A
        361 s1 -failover-abort-no-good-slave M A
        400 s1 -odown M A
        400 s1 -sdown M A
        """, aborted: 2),
    Story(
      name: "a manual attempt without a good replica",
      lines: "0 s1 +try-failover M A\n0.1 s1 -failover-abort-no-good-slave M A\n9 tick", aborted: 1),
    Story(
      name: "the master comes back by itself",
      lines: "0 s1 +sdown M A\n0 s1 +odown M A\n5 s1 -sdown M A\n5 s1 -odown M A\n60 tick"),
    Story(
      name: "down, back, then manual long after",
      lines: """
        0 s1 +sdown M A
        0 s1 +odown M A
        5 s1 -odown M A
        5 s1 -sdown M A
        60 s1 +try-failover M A
        61 s2 +switch-master mymaster A B
        """, manual: 1),
    Story(
      name: "the leader is killed in mid-failover and another goes on",
      lines: """
        0 s1 epoch 0 A
        10 s1 +sdown M A
        10 s1 +odown M A
        10 s1 +try-failover M A
        10.1 s1 +elected-leader M A
        14 s2 +sdown sentinel s1 10.0.0.4 26379 @ mymaster A
        30 s2 +odown M A
        30 s2 +try-failover M A
        30.1 s2 +elected-leader M A
        31 s3 +switch-master mymaster A B
        32 s2 +switch-master mymaster A B
        33 s3 epoch 2 B
        40 s1 +reboot M A
        41 s1 +config-update-from sentinel s2 10.0.0.4 26379 @ mymaster A
        41 s1 +switch-master mymaster A B
        42 s1 epoch 2 B
        99 tick
        """, automatic: 1),
    Story(
      name: "there and back within seconds",
      lines: """
        0 s1 epoch 0 A
        10 s1 +try-failover M A
        11 s1 +switch-master mymaster A B
        11 s2 +switch-master mymaster A B
        13 s1 +try-failover M B
        14 s1 +switch-master mymaster B A
        14 s2 +switch-master mymaster B A
        14.5 s3 +switch-master mymaster A B
        14.6 s3 +switch-master mymaster B A
        15 s1 epoch 2 A
        99 tick
        """, manual: 2),
    Story(
      name: "there, back and there again",
      lines: """
        0 s1 epoch 0 A
        11 s1 +switch-master mymaster A B
        11 s2 +switch-master mymaster A B
        14 s1 +switch-master mymaster B A
        14 s2 +switch-master mymaster B A
        17 s2 +switch-master mymaster A B
        17 s1 +switch-master mymaster A B
        18 s1 epoch 3 B
        19 s2 epoch 3 B
        99 tick
        """, manual: 3),
    Story(
      name: "a Sentinel that was cut off for an hour",
      lines: "0 s1 epoch 0 A\n" + automaticTrace + "6 s1 epoch 1 B\n3600 s3 +switch-master mymaster A B", automatic: 1),
    Story(
      name: "a switch between two that we saw",
      lines: """
        0 s1 epoch 0 A
        9 s1 epoch 0 A
        60 s1 +switch-master mymaster B C
        61 s1 epoch 2 C
        99 tick
        """, manual: 1, missed: 1),
    Story(
      name: "Sentinels that name the nodes differently",
      lines: """
        0 s1 epoch 0 A
        1 s1 +sdown M A
        1 s1 +odown M A
        1 s1 +try-failover M A
        2 s1 +switch-master mymaster A B
        2.1 s2 +switch-master mymaster a b
        2.2 s3 +switch-master mymaster a b
        3 s2 epoch 1 b
        3 s1 epoch 1 B
        99 tick
        """, automatic: 1),
    Story(
      name: "a Sentinel with an old configuration",
      lines: """
        0 s1 epoch 5 B
        1 s2 epoch 4 A
        20 s2 epoch 4 A
        90 s1 epoch 5 B
        190 s2 epoch 4 A
        191 s1 epoch 5 B
        299 tick
        """),
    Story(
      name: "at start the Sentinels disagree",
      lines: "0 s2 epoch 4 A\n1 s1 epoch 5 B\n9 s1 epoch 5 B\n20 s2 epoch 5 B\n99 tick"),
    Story(
      name: "a group set up anew begins at 0 again",
      lines: """
        0 s1 epoch 7 A
        100 s1 epoch 0 A
        100 s2 epoch 0 A
        130 s1 epoch 0 A
        130 s2 epoch 0 A
        161 s1 epoch 0 A
        161 s2 epoch 0 A
        200 s1 epoch 1 B
        206 tick
        """, missed: 1),
    Story(
      name: "another master of the same Sentinels",
      lines: """
        0 s1 epoch 0 A
        1 s1 +sdown master other 10.0.0.4 6379
        1 s1 +odown master other 10.0.0.4 6379
        1 s1 +try-failover master other 10.0.0.4 6379
        2 s1 +switch-master other 10.0.0.4 6379 10.0.0.3 6379
        3 s1 epoch 0 A
        """),
    Story(
      name: "a follower alone is heard",
      lines: """
        0 s2 +sdown M A
        0.1 s2 +new-epoch 1
        0.1 s2 +vote-for-leader abc 1
        1 s2 +config-update-from sentinel abc 10.0.0.4 26379 @ mymaster A
        1 s2 +switch-master mymaster A B
        """, automatic: 1),
    Story(
      name: "replicas and Sentinels that go down are no failover",
      lines: "0 s1 +sdown R B A\n1 s1 +sdown sentinel x 10.0.0.4 26379 @ mymaster A\n2 s1 -sdown R B A\n9 tick"),
  ]

  @Test(arguments: stories)
  func counts(_ story: Story) {
    let (tracker, actions) = story.play()
    let expected: [Failover.Kind: Int] = [
      .automatic: story.automatic, .manual: story.manual, .aborted: story.aborted, .missed: story.missed,
    ]
    #expect(tracker.state.counts == expected)
    let counted = actions.compactMap { if case .count(let record) = $0 { record } else { nil } }
    #expect(Dictionary(counted.map { ($0.kind, 1) }, uniquingKeysWith: +) == expected.filter { $0.value > 0 })
    #expect(counted.map(\.key) == counted.indices.map { "\($0 + 1)" })
    #expect((tracker.state.lastFailover != nil) == counted.contains { $0.kind != .aborted })
  }

  @Test func everyCountStartsAtZero() {
    let state = SentinelFailoverTracker(masterName: "m").state
    #expect(state.counts.count == Failover.Kind.allCases.count && state.counts.values.allSatisfy { $0 == 0 })
  }

  /// What it is told by does not wait for the next poll of the Sentinels.
  @Test func theEpochIsThatOfTheElectedLeader() {
    func epochs(_ lines: String) -> [Int?] {
      Story(name: "", lines: lines).play().1.compactMap { if case .count(let record) = $0 { record } else { nil } }
        .map(\.epoch)
    }
    #expect(epochs(Self.automaticTrace) == [1])
    let unheard = Self.automaticTrace.split(separator: "\n").filter { !$0.contains("s1 +elected") }
    #expect(epochs(unheard.joined(separator: "\n")) == [nil])
  }

  @Test func phasesAndDurations() throws {
    let (tracker, actions) = Story(name: "", lines: "0 s1 epoch 0 A\n" + Self.automaticTrace + "6 s2 epoch 1 B").play()
    let records = actions.compactMap { action -> Failover? in
      switch action {
      case .count(let record), .update(let record): record
      case .poll: nil
      }
    }
    let last = try #require(records.last)
    #expect(Set(records.map(\.key)) == ["1"])
    #expect(last.epoch == 1 && last.trouble == nil && last.atMost == 1)
    #expect(last.from == Story.address("A") && last.to == Story.address("B"))
    #expect(last.counted == 4.06 && last.phases[.end] == 5.10)
    #expect(last.durations.map(\.phase) == [.odown, .attempt, .elected, .selected, .promoted, .switched, .end])
    let seconds = last.durations.map { ($0.seconds * 100).rounded() }
    #expect(seconds == [6, 0, 8, 7, 75, 6, 104])
    #expect(tracker.phase == nil && !tracker.isUnderWay)
    #expect(tracker.state.address == Story.address("B") && tracker.state.configEpoch == 1)
  }

  @Test func thePhaseIsKnownOnTheWay() {
    let lines = Self.automaticTrace.split(separator: "\n")
    let phases: [Failover.Phase?] = [
      .sdown, .sdown, .odown, .odown, .attempt, .attempt, .attempt, .elected, .elected, .selected, .selected, .promoted,
      .promoted, nil,
    ]
    for (index, phase) in phases.enumerated() {
      let (tracker, actions) = Story(name: "", lines: lines[...index].joined(separator: "\n")).play()
      #expect(tracker.phase == phase, "\(lines[index])")
      #expect(tracker.isUnderWay == (phase != nil))
      if index > 1 { #expect(actions.contains(.poll)) }
    }
  }

  @Test func aTimeoutAtTheEndIsNoted() {
    let story = Self.stories.first { $0.name.hasPrefix("the leader raises") }
    let records = (story?.play().actions ?? []).compactMap { if case .count(let record) = $0 { record } else { nil } }
    #expect(records.first?.trouble == "+failover-end-for-timeout")
    #expect(records.first?.phases[.end] == 90)
  }

  @Test func aMissedOneSaysHowManyItMayBe() throws {
    let (_, actions) = Story(name: "", lines: "0 s1 epoch 2 A\n60 s1 epoch 5 B\n70 tick").play()
    let record = try #require(actions.compactMap { if case .count(let record) = $0 { record } else { nil } }.first)
    #expect(record.kind == .missed && record.atMost == 3 && record.epoch == 5 && record.to == Story.address("B"))
  }

  @Test(arguments: GoldenTests.topologies, [1, 3])
  func capturedStreamsCountOne(server: String, sentinels: Int) throws {
    let bytes = try #require(Fixture.bytes("topologies/\(server)/sentinel-events.resp"))
    let replies = try Replies.read(bytes)
    let events = (0..<replies.count).compactMap { SentinelEvent(replies[$0]) }
    #expect(events.count == replies.count - 1)
    #expect(!events.contains { if case .other = $0 { true } else { false } })
    var tracker = SentinelFailoverTracker(masterName: "mymaster")
    var counted: [Failover] = []
    for (index, event) in events.enumerated() {
      for sentinel in 0..<sentinels {
        let seconds = Double(index) * 0.2 + Double(sentinel) * 0.7
        for case .count(let record) in tracker.receive(event, from: "s\(sentinel)", at: .init(seconds: seconds)) {
          counted.append(record)
        }
      }
    }
    #expect(counted.count == 1)
    #expect(counted.first?.kind == .automatic)
    #expect(tracker.state.counts[.automatic] == 1)
    #expect(tracker.phase == nil)
  }
}
