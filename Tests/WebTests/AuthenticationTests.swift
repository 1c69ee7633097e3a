import Config
import Runtime
import TestSupport
import Testing

@testable import Web

@Suite(.timeLimit(.minutes(1))) struct AuthenticationTests {
  // Passwords `open sesame`, costs 4 and 10.
  static let cheapHash = "$2y$04$abcdefghijklmnopqrstuu/LVz6MZlItEy42I2juLihZ66HnQx/cy"
  static let dearHash = "$2y$10$abcdefghijklmnopqrstuu4SuEsu2LsUrAYUpWQHLMMc4GV5pZTxK"

  @Test(arguments: [
    ("Basic dXNlcjpvcGVuIHNlc2FtZQ==", "user", "open sesame"),
    ("basic   dXNlcjpvcGVuIHNlc2FtZQ", "user", "open sesame"),
    ("Basic Og==", "", ""), ("Basic YTpiOmM=", "a", "b:c"),
  ]) func credentialsAreRead(header: String, user: String, password: String) {
    let credentials = BasicCredentials(header: header)
    #expect(credentials?.user == user)
    #expect(credentials?.password == Array(password.utf8))
  }

  @Test(arguments: [
    "", "Basic", "Basic ", "Bearer dXNlcjpv", "Basic dXNlcg==", "Basic ====", "Basic dXNl*jpv", "Basic a",
    "Basic dXNlcjpvcGVuIHNlc2FtZQ=", "Basic dXNlcjpv=", "Basic /zpw", "Basic dXNlcjpv dXNlcjpv",
    "Basic " + String(repeating: "A", count: 5000),
  ]) func otherHeadersAreNone(header: String) {
    #expect(BasicCredentials(header: header) == nil)
  }

  @Test func bcryptOfEveryPrefix() throws {
    for prefix in ["$2a$", "$2b$", "$2y$"] {
      let hash = try Bcrypt(hash: prefix + Self.cheapHash.dropFirst(4))
      #expect(hash.matches(Array("open sesame".utf8)))
      #expect(!hash.matches(Array("open sesam".utf8)))
      #expect(!hash.matches([]))
      // A NUL ends the text for the library; what is behind it must not be free.
      #expect(!hash.matches(Array("open sesame\u{0}x".utf8)))
    }
  }

  @Test(arguments: [
    "", "plain", "$2y$10$short", "$1$abcdefgh$abcdefghijklmnopqrstuv", "$2y$31$" + String(repeating: "a", count: 53),
    "$2y$10$" + String(repeating: "!", count: 53), "$2y$1x$" + String(repeating: "a", count: 53),
  ]) func otherHashesAreRefused(hash: String) {
    let error = #expect(throws: WebError.self) { try Bcrypt(hash: hash) }
    #expect(hash.isEmpty || error?.description.contains(hash) == false)
  }

  private func request(_ user: String, _ password: String, from address: String = "10.0.0.1") -> Request {
    let plain = Array("\(user):\(password)".utf8)
    return Request(
      path: "/", headers: [.init(name: "authorization", value: "Basic " + base64(plain))], client: address)
  }

  @Test func plainPassword() async {
    let authenticator = Authenticator(.single("user", password: Secret("open sesame")))
    #expect(await authenticator.judge(request("user", "open sesame")) == .admitted)
    #expect(await authenticator.judge(request("user", "open sesam")) == .refused)
    #expect(await authenticator.judge(request("user", "")) == .refused)
    #expect(await authenticator.judge(request("other", "open sesame")) == .refused)
    #expect(await authenticator.judge(Request(path: "/")) == .refused)
    #expect(await Authenticator(.everyone).judge(Request(path: "/")) == .admitted)
  }

  @Test func hashedPasswordIsCheckedOnceAndThenKnown() async throws {
    let authenticator = Authenticator(try Users(hashes: ["user": Secret(Self.dearHash)]))
    let clock = ContinuousClock()
    // Together, so that the checks are shared and nobody is put off.
    await withTaskGroup(of: Authenticator.Verdict.self) { group in
      for _ in 0..<20 { group.addTask { await authenticator.judge(request("user", "open sesame")) } }
      for await verdict in group { #expect(verdict == .admitted) }
    }
    let cost = await clock.measure {
      for _ in 0..<100 { #expect(await authenticator.judge(request("user", "open sesame")) == .admitted) }
    }
    #expect(cost < .milliseconds(100))
    #expect(await authenticator.judge(request("nobody", "open sesame")) == .refused)
    #expect(await authenticator.judge(request("user", "wrong")) == .refused)
  }

  @Test func aFloodOfWrongPasswordsLeavesOthersTheirTurn() async throws {
    let authenticator = Authenticator(try Users(hashes: ["user": Secret(Self.dearHash)]))
    #expect(await authenticator.judge(request("user", "open sesame", from: "10.0.0.2")) == .admitted)
    await withTaskGroup(of: Authenticator.Verdict.self) { group in
      for attempt in 0..<200 { group.addTask { await authenticator.judge(request("user", "\(attempt)")) } }
      // While they wait, what is known costs nothing.
      #expect(await authenticator.judge(request("user", "open sesame")) == .admitted)
      var postponed = 0
      for await verdict in group where verdict == .postponed { postponed += 1 }
      #expect(postponed > 100)
    }
  }

  @Test func whoLeavesIsNotWaitedFor() async throws {
    let authenticator = Authenticator(try Users(hashes: ["user": Secret(Self.dearHash)]))
    let guesses = (0..<50).map { attempt in Task { await authenticator.judge(request("user", "\(attempt)")) } }
    try await Task.sleep(for: .milliseconds(50))
    for guess in guesses { guess.cancel() }
    let clock = ContinuousClock.now
    for guess in guesses { #expect(await guess.value != .admitted) }
    #expect(ContinuousClock.now - clock < Authenticator.patience)
  }

  @Test func budgetComesBackWithTime() {
    let start = ContinuousClock.now
    var budget = AttemptBudget(now: start)
    var spent = 0.0
    while budget.start(now: start) {
      let second = budget.start(now: start)
      #expect(!second, "one check at a time")
      budget.finish(.milliseconds(200), failed: true, now: start)
      spent += 0.2
    }
    #expect(spent >= 2 && spent < 2.3)
    let wait = budget.wait(now: start)
    let early = budget.start(now: start + wait - .milliseconds(10))
    let late = budget.start(now: start + wait + .milliseconds(10))
    #expect(!early && late)
    budget.finish(.seconds(1), failed: false, now: start + wait)
    // An hour of attempts costs no more than the share allows.
    var hour = 0.0
    for second in 11..<3611 {
      while budget.start(now: start + .seconds(second)) {
        budget.finish(.milliseconds(250), failed: true, now: start + .seconds(second))
        hour += 0.25
      }
    }
    #expect(hour < 3600 * AttemptBudget.share + AttemptBudget.limitSeconds + 0.25)
  }

  // MARK: The line

  /// How often a login of its own is drawn first among others.
  private func share(of client: String, user: Int, among others: [LoginLine.Entry], familiar: Set<String> = [])
    -> Double
  {
    var generator = FixedRandom(state: 7)
    var first = 0
    for _ in 0..<1000 {
      var line = LoginLine()
      for other in others { _ = line.join(other, using: &generator) }
      _ = line.join(.init(id: 0, client: client, user: user), using: &generator)
      if line.next(knowing: familiar, using: &generator) == 0 { first += 1 }
    }
    return Double(first) / 1000
  }

  private func guesses(_ count: Int, from client: String, user: Int) -> [LoginLine.Entry] {
    (1...count).map { .init(id: UInt64($0), client: client, user: user) }
  }

  @Test func manyGuessesWeighAsMuchAsOneLogin() {
    let flood = guesses(60, from: "a", user: 1)
    #expect(abs(share(of: "b", user: 1, among: flood) - 0.5) < 0.1, "of another client")
    #expect(abs(share(of: "a", user: 2, among: flood) - 0.5) < 0.1, "of another user")
    #expect(abs(share(of: "a", user: 1, among: guesses(9, from: "a", user: 1)) - 0.1) < 0.05, "of the same")
    let many = (1...50).map { LoginLine.Entry(id: UInt64($0), client: "a\($0)", user: 1) }
    #expect(abs(share(of: "b", user: 1, among: many, familiar: ["b"]) - 0.5) < 0.1, "of one that is known")
  }

  @Test func theLineIsBounded() {
    var generator = FixedRandom(state: 7)
    var line = LoginLine()
    var displaced = 0
    for id in 1...5000 {
      if line.join(.init(id: UInt64(id), client: "\(id % 20)", user: 0), using: &generator) != nil { displaced += 1 }
    }
    #expect(line.entries.count == LoginLine.limit && displaced == 5000 - LoginLine.limit)
    for id in 5001...6000 { _ = line.join(.init(id: UInt64(id), client: "x", user: 0), using: &generator) }
    #expect(line.entries.count { $0.client == "x" } <= LoginLine.clientLimit)
    while let next = line.next(knowing: [], using: &generator) {
      let isThere = line.leave(next)
      #expect(!isThere)
    }
    #expect(line.entries.isEmpty)
    var familiar = FamiliarClients()
    for client in 0..<1000 { familiar.note("\(client % 400)") }
    #expect(familiar.all.count == FamiliarClients.limit && familiar.all.contains("199"))
  }
}

/// Base64 with padding.
func base64(_ bytes: [UInt8]) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var output: [UInt8] = []
  var index = 0
  while index < bytes.count {
    let group = bytes[index..<min(index + 3, bytes.count)]
    var bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    bits <<= UInt32(8 * (3 - group.count))
    for place in 0..<4 {
      output.append(place <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
    }
    index += 3
  }
  return String(decoding: output, as: UTF8.self)
}
