import Testing
import Transport

@Suite(.timeLimit(.minutes(1))) struct NameResolverTests {
  @Test func aLiteralAddressIsItsOwn() async {
    let names = NameResolver()
    for literal in ["127.0.0.1", "::1"] { #expect(await names.addresses(of: literal) == [literal]) }
  }

  @Test func namesOfTheHostsFile() async {
    let names = NameResolver()
    let found = await withTaskGroup(of: [String].self) { group in
      for _ in 0..<20 { group.addTask { await names.addresses(of: "localhost") } }
      return await group.reduce(into: Set<[String]>()) { $0.insert($1) }
    }
    #expect(found.count == 1 && !Set(["127.0.0.1", "::1"]).isDisjoint(with: found.first ?? []))
    #expect(await names.addresses(of: "name.invalid").isEmpty)
  }
}
