import Testing

@testable import Config

@Suite struct SecretTests {
  private struct Holder {
    let password = Secret("hunter2")
    let source = SecretSource.literal(Secret("hunter2"))
  }

  @Test func neverPrints() {
    let secret = Secret("hunter2")
    var dumped = ""
    dump(secret, to: &dumped)
    dump(Holder(), to: &dumped)
    let texts: [String] = [
      "\(secret)", String(describing: secret), String(reflecting: secret), secret.description, secret.debugDescription,
      "\([secret])", "\(Optional(secret) as Any)", "\(Holder())", String(reflecting: Holder()), dumped,
      "\(Mirror(reflecting: secret).children.map { "\($0)" })",
    ]
    for text in texts { #expect(!text.contains("hunter2")) }
    #expect("\(secret)" == "<secret>" && String(reflecting: secret) == "<secret>")
    #expect(secret.reveal() == "hunter2")
  }

  static let sources: [(SecretSource, String)] = [
    (.literal(Secret("a\n")), "a\n"), (.environment("PASSWORD"), " from environment "),
    (.file("\(Fixtures.folder)/secret.txt"), "two words"), (.credential("secret.txt"), "two words"),
    (.environment("EMPTY"), ""),
  ]

  @Test(arguments: sources)
  func sourceIsRead(source: SecretSource, text: String) throws {
    let environment = ["PASSWORD": " from environment ", "EMPTY": "", "CREDENTIALS_DIRECTORY": Fixtures.folder]
    #expect(try source.read(environment: environment).reveal() == text)
  }

  private static let noCredential =
    "a systemd credential is asked for under what is no name of one; give the name alone, as in LoadCredential=NAME:PATH"

  static let badSources: [(SecretSource, String)] = [
    (.file("/nonexistent/password"), "/nonexistent/password: cannot be read: No such file or directory"),
    (.file("/"), "/: cannot be read: it is a directory, not a regular file"),
    (.environment("ABSENT"), "environment variable ABSENT: is not set, but a secret is to be read from it"),
    (
      .environment("hunter2/x"),
      "a secret is to be read from a variable whose name is none; give letters, digits and underscores"
    ),
    (.credential("../hunter2"), noCredential), (.credential(".."), noCredential),
    (
      .credential("redis"),
      "environment variable CREDENTIALS_DIRECTORY: is not set, but credential \"redis\" is asked for; "
        + "give the unit LoadCredential=redis:PATH"
    ),
  ]

  @Test(arguments: badSources)
  func missingSourceIsNamed(source: SecretSource, message: String) throws {
    let error = try #require(throws: ConfigError.self) { try source.read(environment: [:]) }
    #expect(error.description == message)
  }

  @Test func deviceIsRefused() throws {
    let error = try #require(throws: ConfigError.self) { try SecretSource.file("/dev/zero").read(environment: [:]) }
    #expect(error.description == "/dev/zero: cannot be read: it is a device, not a regular file")
  }
}
