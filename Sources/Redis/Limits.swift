/// Every bound on what a server may make the daemon hold or do, in one place: Redis is untrusted input.
public enum Limits {
  /// Bytes of all replies to one pipelined batch. INFO is about 10 KB; CLIENT LIST of 40,000 clients about 16 MB.
  public static let replyBytes = 16 << 20
  /// Elements that one array may announce. Nothing is reserved for them in advance.
  public static let arrayElements = 1 << 20
  /// Values of all replies to one batch, nested ones included.
  public static let replyValues = 1 << 21
  /// Lines that are read of one INFO text; where there are more, the longest sections are cut.
  public static let infoLines = 20_000
  /// Lines that are read of one of its sections: a script that makes up error codes makes a line of Errorstats of each.
  public static let infoSectionLines = 8192
  /// Sections that are read.
  public static let infoSections = 512
  /// Remarks in INFO that are read.
  public static let infoRemarks = 16
  /// Integers, as ``parseInteger(_:)`` and ``Reply/integer`` hand them out: what is beyond becomes the nearest of these.
  ///
  /// No server counts further: 2^53 are 9 PB, or 285 years in microseconds. Sums of up to 1,023 of them, and products
  /// with constants up to 1,023, fit into 64 bits, and a Double holds each exactly. Code that sums over all members of a
  /// workload does so in Double.
  public static let integers = -(1 << 53)...(1 << 53)

  static func nearest(_ value: Int64) -> Int { min(max(Int(value), integers.lowerBound), integers.upperBound) }
}
