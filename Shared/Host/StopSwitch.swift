internal import ServiceLifecycle

/// Stops a host from within the program, as SIGTERM does from outside.
public final class StopSwitch: Sendable {
    private let stream: AsyncStream<Never>
    private let continuation: AsyncStream<Never>.Continuation

    /// Not pulled yet.
    public init() {
        (self.stream, self.continuation) = AsyncStream.makeStream()
    }

    /// Asks the host to stop gracefully; pulling again changes nothing.
    public func pull() {
        self.continuation.finish()
    }

    func pulled() async {
        for await _ in self.stream {}
    }
}

/// Ends when the switch is pulled, which ends the group gracefully.
struct StopSwitchService: Service {
    let stopSwitch: StopSwitch

    func run() async {
        await cancelWhenGracefulShutdown { await self.stopSwitch.pulled() }
    }
}
