import Redis
import Testing

@testable import Fleet

/// What is wrong with an address, and what to change: a flag, or a key of redline.yml.
@Suite struct AddressOriginTests {
  private static let origins: [AddressOrigin] = [
    .flags, .request, .workload(isSeed: true), .workload(isSeed: false), .sentinel(isSeed: true),
    .sentinel(isSeed: false),
  ]

  @Test(arguments: [
    (RedisError.Cause.unknownName, AddressOrigin.flags, "check the host in --redis.addr"),
    (.unknownName, .workload(isSeed: true), "check the host in seeds"),
    (.wrongAddress, .sentinel(isSeed: true), "check host and port in sentinel.seeds"),
    (.wrongAddress, .request, "check host and port in target"),
    (.plainServer, .flags, "write redis:// in --redis.addr"),
    (.plainServer, .workload(isSeed: false), "leave out tls, and rediss:// in seeds"),
    (
      .silentHandshake, .sentinel(isSeed: true),
      "if it does not speak TLS on this port, leave out sentinel.tls, and rediss:// in sentinel.seeds"
    ),
    (.tlsServer, .flags, "write rediss:// in --redis.addr"),
    (.tlsServer, .workload(isSeed: true), "give tls, and {} is enough"),
    (.closedAtOnce, .flags, "if it speaks TLS on this port, write rediss:// in --redis.addr"),
    (.unknownAuthority, .flags, "name its authority by --tls-ca-cert-file"),
    (.unknownAuthority, .sentinel(isSeed: false), "name its authority by sentinel.tls.ca_file"),
    (.otherName, .workload(isSeed: true), "give a name that its certificate carries by tls.server_name"),
    (.otherName, .request, "give a name that its certificate carries by tls-server-name"),
    (
      .otherName, .workload(isSeed: false),
      "map its address to a name that its certificate carries by address_rewrites, or give one that all carry by tls.server_name"
    ),
    (
      .otherName, .sentinel(isSeed: false),
      "map its address to a name that its certificate carries by address_rewrites, or give one that all carry by sentinel.tls.server_name"
    ),
    (.clientCertificate, .workload(isSeed: true), "give one that it accepts by tls.cert_file and tls.key_file"),
    (.wrongPassword, .flags, "check --redis.user and the password of --redis.password or --redis.password-from-file"),
    (.wrongPassword, .workload(isSeed: true), "check credentials.user and the password of credentials"),
    (.missingPassword, .sentinel(isSeed: true), "give its password by sentinel.credentials"),
    (.missingPassword, .request, "give its password by --redis.password-file"),
    (.unwantedPassword, .workload(isSeed: true), "leave out credentials"),
    (.unwantedUser, .flags, "leave out --redis.user"),
  ])
  func advice(_ cause: RedisError.Cause, _ origin: AddressOrigin, _ expected: String) {
    #expect(origin.advice(cause, hasAnswered: false) == expected)
    let error = RedisError(.tls, "what happened", cause: cause).advised(origin)
    #expect(error.message == "what happened; \(expected)" && error.cause == cause && error.errorClass == .tls)
  }

  /// A server that has answered has the right address: that it is down now is not the configuration's fault.
  @Test(arguments: origins) func aServerThatWasThereIsNotBlamedOnTheAddress(_ origin: AddressOrigin) {
    for cause in [RedisError.Cause.unknownName, .wrongAddress, .silentHandshake, .closedAtOnce] {
      #expect(origin.advice(cause, hasAnswered: true) == nil)
    }
    for cause in [RedisError.Cause.wrongPassword, .unknownAuthority, .tlsServer] {
      #expect(origin.advice(cause, hasAnswered: true) != nil)
    }
  }

  @Test func whatOthersAnnounceIsNoSeed() {
    #expect(AddressOrigin.workload(isSeed: false).advice(.wrongAddress, hasAnswered: false) == nil)
    #expect(AddressOrigin.sentinel(isSeed: false).advice(.unknownName, hasAnswered: false) == nil)
  }

  /// What servers say when they are logged in to.
  @Test(arguments: [
    ("-WRONGPASS invalid username-password pair or user is disabled.", RedisError.Cause.wrongPassword),
    ("-ERR invalid password", .wrongPassword),
    ("-NOAUTH Authentication required.", .missingPassword),
    (
      "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?",
      .unwantedPassword
    ),
    ("-ERR Client sent AUTH, but no password is set", .unwantedPassword),
    ("-ERR wrong number of arguments for 'auth' command", .unwantedUser),
  ])
  func loginsThatFail(_ reply: String, _ cause: RedisError.Cause) throws {
    let error = RedisError(reply: try Replies.read(Array("\(reply)\r\n".utf8))[0], to: ["AUTH", "somebody", "word"])
    #expect(error.cause == cause)
  }
}
