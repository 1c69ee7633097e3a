import Testing
import Transport

@Suite struct TLSContextsTests {
  @Test func whatCannotBeReadIsNamed() async {
    for path in [\TLSClientSettings.caFile, \.certificateFile, \.keyFile]
      as [WritableKeyPath<TLSClientSettings, String?>]
    {
      var settings = TLSClientSettings()
      settings[keyPath: path] = "/nowhere/file.pem"
      let problem = await #expect(throws: TLSFileError.self) { _ = try await TLSContexts().context(for: settings) }
      #expect(problem?.message.contains("/nowhere/file.pem cannot be read") == true)
    }
  }
}
