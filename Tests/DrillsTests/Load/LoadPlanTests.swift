import Redis
import Runtime
import Testing

@testable import Drills

@Suite struct LoadPlanTests {
  private let plan = LoadPlan(
    mix: ["get": 900, "set": 90, "eval": 10, "ping": 500, "config|get": 7], valueBytes: [10, 300, 20], factor: 3)

  @Test func whatIsAboutMonitoringIsLeftOut() {
    #expect(plan.callsPerSecond == 1000)
    #expect(plan.mix.keys.sorted() == ["eval", "get", "set"])
  }

  @Test func argumentsMakeTheMix() {
    #expect(
      plan.memtierArguments == [
        "--threads=1", "--clients=50", "--rate-limiting=60", "--data-size=20", "--command='GET __key__'",
        "--command-ratio=10",
        "--command='SET __key__ __data__'", "--command-ratio=1",
      ])
    #expect(
      plan.benchmarkArguments == [
        ["-t", "get", "-c", "45", "-n", "1000000000", "-r", "1000000", "-q", "-d", "20"],
        ["-t", "set", "-c", "5", "-n", "1000000000", "-r", "1000000", "-q", "-d", "20"],
      ])
  }

  @Test func whatTheyCannotMakeIsTold() {
    #expect(plan.leftOutShare == 0.01)
    #expect(plan.text.contains("does not make EVAL 1 %"))
    #expect(!plan.text.contains("is unknown"))
    let other = LoadPlan(mix: ["get": 80, "eval": 20], valueBytes: [], factor: 1)
    #expect(other.leftOutShare == 0.2 && other.text.contains("20 % of calls are made by none of them"))
    #expect(other.text.contains("+randomkey") && !other.memtierArguments.contains { $0.hasPrefix("--data-size") })
    #expect(LoadPlan(mix: [:], valueBytes: [], factor: 1).memtierArguments == [])
  }

  @Test func ratesAreDifferences() {
    func mix(_ text: String, at seconds: Double) -> CommandMix {
      CommandMix(InfoText(bytes: Array(text.utf8)), at: Monotonic(seconds: seconds))
    }
    let old = mix("# Commandstats\r\ncmdstat_get:calls=100,usec=5\r\ncmdstat_set:calls=7,usec=1\r\n", at: 10)
    let new = mix(
      "# Commandstats\r\ncmdstat_get:calls=300,usec=9\r\ncmdstat_set:calls=7,usec=1\r\ncmdstat_client|list:calls=5,usec=1\r\n",
      at: 20)
    #expect(new.rates(since: old) == ["get": 20, "client|list": 0.5])
    #expect(old.rates(since: new) == [:])
  }
}
