import TestSupport
import Testing

@testable import JobQueue

@Suite struct PendingCallsTests {
    private struct Unasked: Error {}

    private func text(_ answer: PendingCalls.Answer) -> String {
        switch answer {
        case .body(let bytes): String(decoding: bytes, as: UTF8.self)
        case .failure(let bytes): "failed: " + String(decoding: bytes, as: UTF8.self)
        }
    }

    @Test func `an answer that is faster than its caller is kept for it`() async throws {
        let calls = PendingCalls()
        let answer = try await calls.ask {
            calls.arrived(.body(Array("fast".utf8)), for: 7)
            return 7
        }
        #expect(self.text(answer) == "fast")
        #expect(calls.isEmpty)
    }

    @Test func `an answer finds its own caller`() async throws {
        let calls = PendingCalls()
        let asked = Signal<Int64>()
        async let one = calls.ask {
            asked.send(1)
            return 1
        }
        async let two = calls.ask {
            asked.send(2)
            return 2
        }
        _ = try await asked.next(2)
        calls.arrived(.body(Array("two".utf8)), for: 2)
        calls.arrived(.failure(Array("one".utf8)), for: 1)
        #expect(try await self.text(one) == "failed: one")
        #expect(try await self.text(two) == "two")
    }

    @Test func `answers to calls that were given up are dropped`() async throws {
        let calls = PendingCalls()
        calls.arrived(.body([]), for: 1)
        #expect(calls.isEmpty)
        await #expect(throws: Unasked.self) {
            _ = try await calls.ask {
                calls.arrived(.body([]), for: 2)
                throw Unasked()
            }
        }
        #expect(calls.isEmpty)
    }

    @Test func `a stop and a cancellation let the callers go`() async throws {
        let calls = PendingCalls()
        let asked = Signal<Void>()
        let stopped = Task {
            try await calls.ask {
                asked.send()
                return 1
            }
        }
        try await asked.next()
        // Until the caller waits there is nobody to be let go.
        try await eventually("the caller is let go") {
            calls.stop(CallError.stopped)
            return calls.isEmpty
        }
        await #expect(throws: CallError.stopped) { _ = try await stopped.value }

        let cancelled = Task {
            try await calls.ask {
                asked.send()
                return 2
            }
        }
        try await asked.next()
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { _ = try await cancelled.value }
        #expect(calls.isEmpty)
    }
}
