/// What one client, and all of them, may take of the server; for its lifetime.
public struct ServerLimits: Sendable {
  /// The most connections at once. A little before that each further one takes the seat of one that only waits.
  public var connectionLimit = 512
  /// The most connections from one client, which is an IPv4 address or 64 bits of an IPv6 address; 0 for any number.
  public var perAddressLimit = 256
  /// The memory for the headers of one connection; longer ones are answered with 431.
  public var connectionMemoryBytes = 32 * 1024
  /// From the connection, or the first byte of a further request, to the end of the headers.
  public var headerDeadlineSeconds = 10.0
  /// From the end of the headers to the last byte of the answer. A handler gets nine tenths of it.
  public var responseDeadlineSeconds = 30.0
  /// How long a connection may stay open between requests. Longer than usual scrape intervals, so that they reuse it.
  public var idleTimeoutSeconds = 130.0

  public init() {}
}
