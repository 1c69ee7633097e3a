import Runtime
import Testing

/// The secrets of a process are those of all tests, so each has its own.
@Suite struct KnownSecretsTests {
  @Test(arguments: [
    ("plain-Xq7 w/\"", "ERR plain-Xq7 w/\" and plain-Xq7 w/\"", "ERR <secret> and <secret>"),
    ("url-Xq7 w/\"", "a url-Xq7%20w%2F%22 b url-Xq7%20w%2f%22", "a <secret> b <secret>"),
    ("esc-Xq7\"", #"'esc-Xq7\"'"#, "'<secret>'"),
    ("cut-Xq7-long-secret", "args beginning with: 'cut-Xq7-long'", "args beginning with: '<secret>'"),
    ("cut-Xq8-long-secret", "cut-Xq8-longer is another word", "cut-Xq8-longer is another word"),
    ("short-Xq", "it ends in sho", "it ends in sho"),
    ("abc", "abc is too short to be hidden", "abc is too short to be hidden"),
    ("s-Xq9", "s-Xq9 's-Xq9' as-Xq9 s-Xq9-b", "<secret> '<secret>' as-Xq9 s-Xq9-b"),
    ("quagga", "'quagga' is no quaggas", "'<secret>' is no quaggas"),
    ("ünï-Xq7", "bytes ünï-Xq7.", "bytes <secret>."),
  ]) func secretsAreMasked(secret: String, text: String, shown: String) {
    KnownSecrets.add(secret)
    #expect(KnownSecrets.masked(text) == shown)
    #expect(Array(KnownSecrets.masked(Array(text.utf8)[...])) == Array(shown.utf8))
  }

  @Test func aWordStaysWhereTheTextIsOurs() {
    for secret in ["tapir", "okapi7"] { KnownSecrets.add(secret) }
    #expect(KnownSecrets.masked("tapir okapi7", sparesWords: true) == "tapir <secret>")
    #expect(KnownSecrets.masked("tapir okapi7") == "<secret> <secret>")
  }

  @Test func theLongestOfSecretsIsHidden() {
    for secret in ["nest-Xq7", "nest-Xq7-and-more"] { KnownSecrets.add(secret) }
    #expect(KnownSecrets.masked("nest-Xq7-and-more nest-Xq7") == "<secret> <secret>")
  }

  @Test(arguments: ["\u{202E}", "\u{2028}", "\u{9B}", "\u{1B}", "\u{7F}", "\u{FEFF}", "\u{E0041}", "\n"])
  func whatIsNotSeenIsReplaced(text: String) {
    #expect(oneLine("a\(text)b") == "a\u{FFFD}b")
  }
}
