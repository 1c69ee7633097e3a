import Runtime
import Testing
import Web

@testable import redline

@Suite(.timeLimit(.minutes(1))) struct ReloadEndpointTests {
  @Test func switchedOffItSaysHowToSwitchItOn() async {
    let answer = await ReloadEndpoint(isEnabled: false).respond {
      Issue.record("reloaded all the same")
      return .text("ok")
    }
    #expect(answer.status == 403)
    #expect(String(decoding: answer.body.bytes, as: UTF8.self).contains("--web.enable-lifecycle"))
  }

  @Test func oneAtATime() async {
    let endpoint = ReloadEndpoint(isEnabled: true)
    let inner = Lock<[Int]>([])
    let outer = await endpoint.respond {
      let second = await endpoint.respond { .text("ok") }
      inner.withLock { $0.append(second.status) }
      return .text("ok")
    }
    #expect(outer.status == 200)
    #expect(inner.withLock { $0 } == [409])
    // It is free again, also after a reload that failed.
    #expect(await endpoint.respond { .text("bad", status: 500) }.status == 500)
    #expect(await endpoint.respond { .text("ok") }.status == 200)
  }
}
