internal import NIOConcurrencyHelpers
internal import Postgres

/// The calls of this process that wait for their answers. An answer may arrive before its caller has begun to wait:
/// it is kept for the callers that are known to be on their way.
final class PendingCalls: Sendable {
    enum Answer: Sendable {
        case body([UInt8])
        case failure([UInt8])
    }

    private enum Entry {
        case arrived(Answer)
        case waiting(CheckedContinuation<Answer, any Error>)
    }

    private struct State {
        var entries: [Int64: Entry] = [:]
        /// Callers between asking and waiting, whose number is not known yet.
        var asking = 0

        /// One caller fewer on its way. Answers that are left when there is none belong to calls that were given up.
        mutating func asked() {
            self.asking -= 1
            guard self.asking == 0 else { return }
            self.entries = self.entries.filter { if case .waiting = $0.value { true } else { false } }
        }
    }

    private let state = NIOLockedValueBox(State())

    var isEmpty: Bool { self.state.withLockedValue { $0.entries.isEmpty && $0.asking == 0 } }

    /// Asks and waits. The answer is kept however fast it comes.
    /// - Throws: what asking throws, `CancellationError`, or what ``stop(_:)`` was given.
    func ask(_ body: () async throws -> Int64) async throws -> Answer {
        self.state.withLockedValue { $0.asking += 1 }
        let id: Int64
        do {
            id = try await body()
        } catch {
            self.state.withLockedValue { $0.asked() }
            throw error
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer = self.state.withLockedValue { state -> Result<Answer, any Error>? in
                    defer { state.asked() }
                    if case .arrived(let answer) = state.entries.removeValue(forKey: id) { return .success(answer) }
                    guard !Task.isCancelled else { return .failure(CancellationError()) }
                    state.entries[id] = .waiting(continuation)
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let entry = self.state.withLockedValue { $0.entries.removeValue(forKey: id) }
            if case .waiting(let continuation) = entry { continuation.resume(throwing: CancellationError()) }
        }
    }

    /// An answer has come; one that nobody waits for any more is dropped.
    func arrived(_ answer: Answer, for id: Int64) {
        let entry = self.state.withLockedValue { state -> Entry? in
            if let entry = state.entries.removeValue(forKey: id) { return entry }
            if state.asking > 0 { state.entries[id] = .arrived(answer) }
            return nil
        }
        if case .waiting(let continuation) = entry { continuation.resume(returning: answer) }
    }

    /// Lets all go that wait.
    func stop(_ error: any Error) {
        let entries = self.state.withLockedValue { state in
            defer { state.entries = [:] }
            return state.entries.values.map { $0 }
        }
        for case .waiting(let continuation) in entries { continuation.resume(throwing: error) }
    }
}
