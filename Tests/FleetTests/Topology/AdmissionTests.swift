import Redis
import Runtime
import TestSupport
import Testing

@testable import Fleet

@Suite struct AdmissionTests {
  static func address(_ number: Int) -> NodeAddress {
    NodeAddress(host: "10.0.\(number / 250).\(number % 250 + 1)", port: 6379)
  }

  static func candidates(
    _ numbers: some Sequence<Int>, vouchers: Int = 1, answers: Bool? = nil
  ) -> [Admission.Candidate] {
    numbers.map { .init(address: address($0), voucherCount: vouchers, answers: answers, isUp: true) }
  }

  static func update(
    _ admission: inout Admission, _ candidates: [Admission.Candidate], voters: Int, known: Set<Int> = [],
    expected: Int? = nil, at seconds: Double
  ) -> Set<NodeAddress> {
    let known = Set(known.map(address))
    return admission.update(
      candidates, voterCount: voters, isKnown: { known.contains($0) }, kept: [], expectedCount: expected,
      at: .init(seconds: seconds))
  }

  /// However many one node makes up at each poll, those that are known stay, few are tried, and none stays unlisted.
  @Test func whatOneNodeMakesUpIsTriedInBoundedNumber() {
    var admission = Admission()
    var tried = 0
    for second in 0..<60 {
      let fresh = (1...4000).map { second * 4000 + $0 + 10 }
      let listed = Self.candidates([1, 2], answers: true) + Self.candidates(fresh)
      let before = admission.unconfirmed
      _ = Self.update(&admission, listed, voters: 1, known: [1, 2], at: Double(second))
      tried += Set(admission.unconfirmed.keys).subtracting(before.keys).count
      #expect(admission.confirmed == [Self.address(1), Self.address(2)])
      #expect(admission.unconfirmed.count <= 64)
      #expect(admission.waitingCount >= 3900)
    }
    #expect(tried <= 64 + 8 * 60)
  }

  @Test func aCallOfAThousandFromOneSeedEndsSoon() {
    var admission = Admission()
    var answering: Set<NodeAddress> = []
    var seconds = 0.0
    while admission.confirmed.count < 1000, seconds < 60 {
      let voters = max(1, admission.confirmed.count)
      let listed = (0..<1000).map { number in
        let address = Self.address(number)
        return Admission.Candidate(
          address: address, voucherCount: voters, answers: answering.contains(address) ? true : nil, isUp: true)
      }
      _ = Self.update(&admission, listed, voters: voters, known: [0], at: seconds)
      answering = admission.admitted
      seconds += 0.5
    }
    #expect(seconds < 30)
  }

  @Test func mostOthersConfirmAndOneDoesNot() {
    var admission = Admission()
    let listed = Self.candidates([0, 1, 2], vouchers: 3) + Self.candidates([3], vouchers: 1, answers: true)
    _ = Self.update(&admission, listed, voters: 3, known: [0], at: 0)
    #expect(admission.confirmed == Set([0, 1, 2].map(Self.address)))
    #expect(Set(admission.unconfirmed.keys) == [Self.address(3)])
    // It is asked all the same, and confirmed once the others have heard of it.
    _ = Self.update(&admission, Self.candidates(0...3, vouchers: 3), voters: 3, known: [0], at: 1)
    #expect(admission.confirmed.count == 4 && admission.unconfirmed.isEmpty)
  }

  @Test func whoeverIsNotListedAnyMoreIsForgotten() {
    var admission = Admission()
    _ = Self.update(&admission, Self.candidates([0, 1]), voters: 1, known: [0], at: 0)
    #expect(Self.update(&admission, Self.candidates([0]), voters: 1, known: [0], at: 1) == [Self.address(1)])
    #expect(admission.admitted == [Self.address(0)])
  }

  /// One that is down has its place as long as nobody waits for it.
  @Test func oneThatIsDownStaysUnlessOthersWait() {
    var admission = Admission()
    for second in stride(from: 0.0, through: 600, by: 60) {
      _ = Self.update(
        &admission, Self.candidates([0]) + Self.candidates([1], answers: false), voters: 1, known: [0], at: second)
      #expect(admission.admitted == [Self.address(0), Self.address(1)])
    }
    let many = Self.candidates([0]) + Self.candidates([1], answers: false) + Self.candidates(2..<200, answers: nil)
    _ = Self.update(&admission, many, voters: 1, known: [0], at: 601)
    _ = Self.update(&admission, many, voters: 1, known: [0], at: 602)
    #expect(!admission.admitted.contains(Self.address(1)) && admission.unconfirmed.count == 64)
  }

  @Test func theLimitGrowsWithWhatIsExpected() {
    for (expected, most) in [(nil, 1000), (100, 1000), (700, 1400)] as [(Int?, Int)] {
      var admission = Admission()
      for second in 0..<100 {
        _ = Self.update(
          &admission, Self.candidates(0..<3000, vouchers: 5), voters: 5, expected: expected, at: Double(second))
      }
      #expect(admission.admitted.count == most)
      #expect(admission.waitingCount == 3000 - most)
    }
  }

  @Test func anAllowanceGrowsBack() {
    var allowance = Allowance<Monotonic>(3, perSecond: 0.5)
    #expect((0..<5).map { _ in allowance.take(at: 10) } == [true, true, true, false, false])
    #expect(allowance.refusedCount == 2)
    #expect(!allowance.take(at: 11) && allowance.take(at: 12) && !allowance.take(at: 5))
  }
}
