import Redis
import Runtime

/// A server whose polls are recorded.
public final class RecordedNode: Sendable {
  public enum Role: UInt8, Sendable {
    case member
    /// It is only asked for its view, and is on no page.
    case scout
    case sentinel
  }

  public let workload: String
  public let role: Role
  public let address: NodeAddress
  /// The label `instance`.
  public let instance: String

  init(workload: String, role: Role, address: NodeAddress, instance: String) {
    self.workload = workload
    self.role = role
    self.address = address
    self.instance = instance
  }

  private static let textLimit = 1024

  func write(_ number: Int, to output: inout ByteWriter) {
    output.add(number)
    output.add(UInt64(role.rawValue))
    output.add(workload)
    output.add(address.host)
    output.add(address.port)
    output.add(KnownSecrets.masked(instance))
  }

  static func read(_ input: inout ByteReader) throws(RecordingDamage) -> (number: Int, node: RecordedNode) {
    let number = try input.count(upTo: Recording.nodeLimit)
    guard let role = Role(rawValue: UInt8(try input.count(upTo: 2))) else {
      throw RecordingDamage("a server of no kind")
    }
    let workload = try input.string(upTo: textLimit)
    let host = try input.string(upTo: textLimit)
    let port = try input.count(upTo: 65_535)
    let instance = try input.string(upTo: textLimit)
    return (
      number,
      RecordedNode(workload: workload, role: role, address: NodeAddress(host: host, port: port), instance: instance)
    )
  }
}
