/// Every bound on what a server may make the daemon hold or do, in one place: Redis is untrusted input.
public enum Limits {
  /// Bytes of all replies to one pipelined batch. INFO is about 10 KB; CLIENT LIST of 40,000 clients about 16 MB.
  public static let replyBytes = 16 << 20
  /// Elements that one array may announce. Nothing is reserved for them in advance.
  public static let arrayElements = 1 << 20
  /// Values of all replies to one batch, nested ones included.
  public static let replyValues = 1 << 21
  /// Lines that are read of one INFO text.
  public static let infoLines = 20_000
}
