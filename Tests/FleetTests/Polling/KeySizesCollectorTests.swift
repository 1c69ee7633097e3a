import Testing

@testable import Fleet

@Suite struct KeySizesCollectorTests {
  @Test(
    arguments: [
      ("1=1,2=90,16=5000,256K=1", [1, 1, 0, 0]), ("512=7,1K=2", [2, 0, 0, 0]),
      ("32M=1,1M=2,64K=4,32K=8", [15, 7, 3, 1]),
      ("1G=1,1T=1", [2, 2, 2, 2]), ("0=3", [0, 0, 0, 0]), ("", [0, 0, 0, 0]), ("1024=5,2048=1", [6, 0, 0, 0]),
    ] as [(String, [Double])])
  func binsAreAddedUp(bins: String, counts: [Double]) {
    #expect(KeySizesCollector.counts(Array(bins.utf8)[...]) == counts)
  }

  /// A sum without one of its parts would be too small.
  @Test(arguments: ["1K=1,x=2", "1K=-1", "K=1", "1K=inf", "1K=nan", "1P=1", "=1", "1K="])
  func whatCannotBeReadIsUnknown(bins: String) {
    #expect(KeySizesCollector.counts(Array(bins.utf8)[...]) == nil)
  }
}
