public import InMemoryLogging
public import Logging
public import Testing

/// What a test logs: kept in memory, at every level, and bound as `Logger.current`.
public struct CapturedLogs: TestTrait, SuiteTrait, TestScoping {
    @TaskLocal private static var handler: InMemoryLogHandler?

    /// The entries of the present test so far; empty outside of the trait.
    public static var entries: [InMemoryLogHandler.Entry] { Self.handler?.entries ?? [] }

    /// The logger of the present test, to be handed to the part under test; silent outside of the trait.
    public static var logger: Logger {
        guard let handler else { return Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
        var logger = Logger(label: "test") { _ in handler }
        logger.logLevel = .trace
        return logger
    }

    /// Everything that was logged, message and metadata, as one text: for proving that something is not in it.
    public static var text: String {
        Self.entries.map { "\($0.level) \($0.message) \($0.metadata) \($0.error.map { "\($0)" } ?? "")" }
            .joined(separator: "\n")
    }

    public var isRecursive: Bool { true }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing body: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await Self.$handler.withValue(InMemoryLogHandler()) {
            try await withLogger(Self.logger) { _ in try await body() }
        }
    }
}

extension Trait where Self == CapturedLogs {
    /// Keeps what the test logs; see ``CapturedLogs``.
    public static var capturedLogs: Self { CapturedLogs() }
}
