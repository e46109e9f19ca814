internal import Kernel
internal import Metrics
internal import NIOConcurrencyHelpers
internal import Postgres

/// Completes leased jobs together: one statement and one commit for many.
///
/// The first completion after a quiet time starts the clock: what comes within the next two milliseconds, or until there
/// are 500, goes out with it. Each handler waits until its completion is in the database, so a worker's slots are its
/// bound, and nothing is lost that a handler believes done. A crash in between runs the jobs again.
final class CompletionBuffer: Sendable {
    static let delay = Duration.milliseconds(2)
    static let size = 500

    private struct Entry {
        let job: ClaimedJob
        let statements: RunStatements
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var entries: [Entry] = []
        var isOver = false
    }

    private let database: Database
    private let state = NIOLockedValueBox(State())
    private let alarm = Alarm()

    init(_ database: Database) {
        self.database = database
    }

    /// Returns when the job is completed.
    /// - Throws: `LostLease` when it had been given to somebody else; `DatabaseError`.
    func complete(_ job: ClaimedJob, _ statements: RunStatements) async throws {
        try await withCheckedThrowingContinuation { continuation in
            let entry = Entry(job: job, statements: statements, continuation: continuation)
            let isOver = self.state.withLockedValue { state in
                if !state.isOver { state.entries.append(entry) }
                return state.isOver
            }
            guard !isOver else { return continuation.resume(throwing: CancellationError()) }
            self.alarm.ring(.change)
        }
    }

    /// Writes completions down until the task is cancelled, and what is left then.
    func run() async {
        while !Task.isCancelled {
            _ = await self.alarm.wait(upTo: nil, isIdle: true)
            try? await ContinuousClock().sleep(for: Self.delay)
            await self.flush()
        }
        self.state.withLockedValue { $0.isOver = true }
        await self.flush()
    }

    private func flush() async {
        while true {
            let entries = self.state.withLockedValue { state in
                let next = Array(state.entries.prefix(Self.size))
                state.entries.removeFirst(next.count)
                return next
            }
            guard !entries.isEmpty else { return }
            // A process that was declared dead meanwhile has two numbers for a moment.
            for (_, group) in Dictionary(grouping: entries, by: \.statements.worker) { await self.write(group) }
        }
    }

    private func write(_ entries: [Entry]) async {
        guard let statements = entries.first?.statements else { return }
        do {
            // Unowned: what is left when the task is cancelled must be written down all the same.
            let row = try await Task { [database] in
                try await database.one(statements.complete(entries.map(\.job)))
            }.value
            let done = Set(try row.value(at: 0, as: [Int64].self))
            for entry in entries {
                if done.contains(entry.job.id.raw) {
                    entry.continuation.resume()
                } else {
                    entry.continuation.resume(throwing: LostLease())
                }
            }
        } catch {
            for entry in entries { entry.continuation.resume(throwing: error) }
        }
    }
}

/// The job was given to somebody else before it was completed.
struct LostLease: Error {}
