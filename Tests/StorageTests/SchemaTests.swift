import Testing

@testable import Storage

@Suite struct SchemaTests {
  static let second = Schema(
    migrations: Schema.current.migrations + ["ALTER TABLE events ADD COLUMN severity TEXT NOT NULL DEFAULT 'info'"])

  @Test func anOlderFileIsBroughtForward() async throws {
    let scratch = Scratch()
    var store = try await scratch.open()
    store.events.append(.sample("from version 1"))
    await store.close()
    store = try await scratch.open(schema: Self.second)
    #expect(await store.events.newest().map(\.summary) == ["from version 1"])
    await store.close()
    let database = try Database(path: scratch.path, busyTimeoutMs: 0)
    #expect(try database.integer("PRAGMA user_version") == Int64(Self.second.version))
    #expect(try database.rows("SELECT severity FROM events") { $0.text(0) } == ["info"])
  }

  @Test func aStepThatFailsChangesNothing() throws {
    let scratch = Scratch()
    let database = try Database(path: scratch.path, busyTimeoutMs: 0)
    try Schema.current.migrate(database)
    let broken = Schema(migrations: Schema.current.migrations + ["CREATE TABLE half(id); CREATE TABLE half(id)"])
    #expect(throws: SQLiteError.self) { try broken.migrate(database) }
    #expect(try database.integer("PRAGMA user_version") == Int64(Schema.current.version))
    #expect(try database.integer("SELECT count(*) FROM sqlite_master WHERE name = 'half'") == 0)
    try Schema.current.migrate(database)
    #expect(try database.integer("PRAGMA application_id") == 0x5244_4C4E)
  }

  @Test func valuesComeBackAsTheyWereBound() throws {
    let database = try Database(path: ":memory:", busyTimeoutMs: 0)
    let texts = ["", "plain", "nul\0inside", "é🧵", String(repeating: "x", count: 100_000)]
    for text in texts {
      #expect(
        try database.rows("SELECT ?, typeof(?1)", [.text(text)]) { [$0.text(0), $0.text(1)] } == [[text, "text"]])
    }
    let numbers = try database.rows("SELECT ?, ?, ?", [.integer(.min), .real(0.1), .null]) { row in
      #expect(row.isNull(2) && row.optionalText(2) == nil && row.optionalReal(2) == nil)
      #expect(row.real(1) == 0.1)
      return row.integer(0)
    }
    #expect(numbers == [.min])
  }
}
