/// A value that many hold, so large that its copies would cost more than what is done with them. Its parts are read as if they
/// were this one's.
@dynamicMemberLookup
public final class Shared<Value: Sendable>: Sendable {
  public let value: Value

  public init(_ value: Value) { self.value = value }

  @inlinable
  public subscript<Part>(dynamicMember part: KeyPath<Value, Part>) -> Part { value[keyPath: part] }
}

extension Shared: Equatable where Value: Equatable {
  public static func == (left: Shared, right: Shared) -> Bool { left === right || left.value == right.value }
}
