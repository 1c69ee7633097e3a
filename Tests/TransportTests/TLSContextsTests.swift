import Testing
import Transport

@Suite struct TLSContextsTests {
  @Test func whatCannotBeReadIsNamed() {
    for path in [\TLSClientSettings.caFile, \.certificateFile, \.keyFile]
      as [WritableKeyPath<TLSClientSettings, String?>]
    {
      var settings = TLSClientSettings()
      settings[keyPath: path] = "/nowhere/file.pem"
      let problem = #expect(throws: TLSFileError.self) { _ = try TLSContexts().context(for: settings) }
      #expect(problem?.message.contains("/nowhere/file.pem cannot be read") == true)
    }
  }
}
