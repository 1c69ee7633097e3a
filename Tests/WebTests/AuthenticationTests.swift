import Config
import Runtime
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
      path: "/", headers: [.init(name: "authorization", value: "Basic " + base64(plain))], remoteAddress: address)
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

  @Test func aFloodOfWrongPasswordsIsCutOff() async throws {
    let authenticator = Authenticator(try Users(hashes: ["user": Secret(Self.dearHash)]))
    #expect(await authenticator.judge(request("user", "open sesame", from: "10.0.0.2")) == .admitted)
    var postponed = 0
    for attempt in 0..<200 where await authenticator.judge(request("user", "\(attempt)")) == .postponed {
      postponed += 1
    }
    #expect(postponed > 150)
    #expect(
      await authenticator.judge(request("user", "open sesame")) == .admitted, "a login that is known costs nothing")
    #expect(await authenticator.judge(request("user", "0")) == .refused, "a wrong one that is known neither")
    #expect(
      await authenticator.judge(request("user", "new", from: "10.0.0.3")) == .refused,
      "another address has its own share")
  }

  @Test func budgetComesBackWithTime() {
    let start = ContinuousClock.now
    var budget = AttemptBudget(now: start)
    var spent = 0.0
    while budget.start(from: "a", now: start) {
      budget.finish(.milliseconds(200), from: "a", failed: true, now: start)
      spent += 0.2
    }
    #expect(spent >= 1 && spent < 1.3)
    let other = budget.start(from: "b", now: start)
    #expect(other)
    budget.finish(.milliseconds(200), from: "b", failed: false, now: start)
    let soon = budget.start(from: "a", now: start + .seconds(1))
    let later = budget.start(from: "a", now: start + .seconds(10))
    #expect(!soon && later)
    // An hour of attempts costs no more than the shares allow.
    var hour = 0.0
    for second in 11..<3611 {
      for address in 0..<50 where budget.start(from: "\(address)", now: start + .seconds(second)) {
        budget.finish(.milliseconds(250), from: "\(address)", failed: true, now: start + .seconds(second))
        hour += 0.25
      }
    }
    #expect(hour < 3600 * AttemptBudget.totalShare + 2.5)
    var pending = AttemptBudget(now: start)
    var started = 0
    for address in 0..<10 where pending.start(from: "\(address)", now: start) { started += 1 }
    #expect(started == AttemptBudget.pendingLimit)
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
