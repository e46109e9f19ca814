import TestSupport
import Testing

@testable import JobQueue

@Suite struct AlarmTests {
    @Test func `a ring before the wait is not lost, and several are one`() async {
        let alarm = Alarm()
        alarm.ring(.change)
        alarm.ring(.bell)
        #expect(await alarm.wait(upTo: nil, isIdle: true) == [.change, .bell])
    }

    @Test func `who rings at an idle waiter knows that it will look at once`() async throws {
        let alarm = Alarm()
        let waiting = Task {
            while !Task.isCancelled { _ = await alarm.wait(upTo: nil, isIdle: true) }
        }
        try await eventually("the waiter is idle") { alarm.ring(.neighbour) }
        waiting.cancel()
        await waiting.value
        #expect(!alarm.ring(.neighbour))
    }

    @Test func `a busy waiter does not count as idle`() async throws {
        let alarm = Alarm()
        let woken = Signal<Alarm.Reasons>()
        let waiting = Task {
            while !Task.isCancelled { woken.send(await alarm.wait(upTo: nil, isIdle: false)) }
        }
        for _ in 1...20 {
            #expect(!alarm.ring(.neighbour))
            #expect(try await woken.next() == .neighbour)
        }
        waiting.cancel()
        await waiting.value
    }

    @Test func `a wait ends with its limit and with its task`() async {
        let alarm = Alarm()
        #expect(await alarm.wait(upTo: .zero, isIdle: true) == [])
        let waiting = Task { await alarm.wait(upTo: nil, isIdle: true) }
        waiting.cancel()
        #expect(await waiting.value == [])
        // What was waited for in vain does not make the next ring an idle one.
        #expect(!alarm.ring(.bell))
    }
}
