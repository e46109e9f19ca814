public import Logging
internal import NIOConcurrencyHelpers

/// LISTEN on a connection of its own, which opens no transaction and comes back by itself.
///
/// A notification says only that there is something to look at. What is sent while the connection is away is lost:
/// after each ``Bell/reconnected`` a consumer must look at the tables once.
public final class Listener: Sendable {
    private let core: ListenerCore
    private let loop: ReactorLoop

    /// Connects when somebody listens.
    public init(_ configuration: DatabaseConfiguration, reactor: Reactor, logger: Logger) {
        self.loop = reactor.loop
        self.core = ListenerCore(configuration, reactor, logger)
    }

    /// Listens on channels until the sequence is let go. The first bell is ``Bell/reconnected``, when the connection
    /// listens.
    public func notifications(_ channels: [String]) -> Bells {
        let core = self.core
        let id = core.makeID()
        let mailbox = Mailbox(onEnd: { [loop = self.loop] in loop.post { core.unsubscribe(id) } })
        self.loop.post { [weak mailbox] in
            if let mailbox { core.subscribe(id, channels, mailbox) }
        }
        return Bells(mailbox: mailbox)
    }

    /// Whether the connection listens now.
    public var isConnected: Bool { self.core.isConnected.withLockedValue { $0 } }

    /// Ends all sequences and closes the connection.
    public func shutdown() async {
        await withCheckedContinuation { continuation in
            self.loop.post {
                self.core.shutdown()
                continuation.resume()
            }
        }
    }
}

/// The listener's part on the reactor's thread; confined to it but for the locked boxes.
private final class ListenerCore: @unchecked Sendable {
    private struct Subscription {
        let channels: [String]
        weak var mailbox: Mailbox?
    }

    /// An empty statement so often shows whether a silent connection is alive behind a proxy, too.
    private static let heartbeat = Duration.seconds(30)

    let isConnected = NIOLockedValueBox(false)
    private let lastID = NIOLockedValueBox<UInt64>(0)
    private let configuration: DatabaseConfiguration
    private let reactor: Reactor
    private let logger: Logger
    private var state = ListenerState()
    private var subscriptions: [UInt64: Subscription] = [:]
    private var wire: Wire?
    private var heartbeatTimer: UInt64 = 0

    init(_ configuration: DatabaseConfiguration, _ reactor: Reactor, _ logger: Logger) {
        self.configuration = configuration
        self.reactor = reactor
        self.logger = logger
    }

    func makeID() -> UInt64 {
        self.lastID.withLockedValue { last in
            last += 1
            return last
        }
    }

    func subscribe(_ id: UInt64, _ channels: [String], _ mailbox: Mailbox) {
        self.subscriptions[id] = Subscription(channels: channels, mailbox: mailbox)
        if let wire = self.wire, self.state.isConnected {
            self.listen(wire, channels) { mailbox.ring(.reconnected) }
        } else {
            self.perform(self.state.wanted())
        }
    }

    func unsubscribe(_ id: UInt64) {
        guard let subscription = self.subscriptions.removeValue(forKey: id) else { return }
        guard !self.subscriptions.isEmpty else { return self.perform(self.state.unwanted()) }
        let others = Set(self.subscriptions.values.flatMap(\.channels))
        let unused = subscription.channels.filter { !others.contains($0) }
        guard let wire = self.wire, self.state.isConnected, !unused.isEmpty else { return }
        wire.submit(Request(.script(Self.text("unlisten", unused)), callback: { _ in }))
    }

    func shutdown() {
        self.perform(self.state.stop())
        for subscription in self.subscriptions.values { subscription.mailbox?.finish() }
        self.subscriptions = [:]
    }

    private func perform(_ action: ListenerState.Action) {
        switch action {
        case .connect: self.connect()
        case .wait(let pause):
            self.reactor.loop.schedule(after: pause) { [self] in self.perform(self.state.pauseOver()) }
        case .disconnect: self.wire?.close(DatabaseError(.connectionLost, context: "closed"))
        case .none: break
        }
    }

    private func connect() {
        do {
            let settings = try ConnectionString(self.configuration)
            Connector.connect(settings, on: self.reactor.loop) { [self] result in
                switch result {
                case .success(let handle):
                    self.opened(Wire(owning: handle, loop: self.reactor.loop, self.configuration))
                case .failure(let error): self.failed(error)
                }
            }
        } catch {
            self.failed(error as? DatabaseError ?? DatabaseError(.invalidConfiguration))
        }
    }

    private func opened(_ wire: Wire) {
        self.wire = wire
        wire.events.notification = { [weak self] in self?.ring(channel: $0, payload: $1) }
        wire.events.closed = { [self] error in
            self.wire = nil
            self.isConnected.withLockedValue { $0 = false }
            self.reactor.loop.unschedule(self.heartbeatTimer)
            self.failed(error)
        }
        let channels = Array(Set(self.subscriptions.values.flatMap(\.channels))).sorted()
        self.listen(wire, channels) { [self] in
            guard self.state.connected() == .none else {
                return wire.close(DatabaseError(.connectionLost, context: "closed"))
            }
            self.isConnected.withLockedValue { $0 = true }
            // Whoever came while the connection was being made has channels of its own.
            let late = Set(self.subscriptions.values.flatMap(\.channels)).subtracting(channels)
            self.listen(wire, late.sorted()) { [self] in
                for subscription in self.subscriptions.values { subscription.mailbox?.ring(.reconnected) }
            }
            self.beat(wire)
        }
    }

    private func listen(_ wire: Wire, _ channels: [String], then: @escaping () -> Void) {
        guard !channels.isEmpty else { return then() }
        let request = Request(.script(Self.text("listen", channels))) { answer in
            switch answer {
            case .success: then()
            // Without its channels the connection is of no use; closing it starts again.
            case .failure: wire.close(DatabaseError(.connectionLost, context: "cannot listen"))
            }
        }
        wire.submit(request)
    }

    private func ring(channel: String, payload: String) {
        for subscription in self.subscriptions.values where subscription.channels.contains(channel) {
            subscription.mailbox?.ring(.notification(channel: channel, payload: payload))
        }
    }

    private func failed(_ error: DatabaseError) {
        let action = self.state.failed(jitter: Double.random(in: 0...1))
        if case .wait = action {
            self.logger.info("The listener reconnects", metadata: ["error": "\(error)"])
        }
        self.perform(action)
    }

    private func beat(_ wire: Wire) {
        self.heartbeatTimer = self.reactor.loop.schedule(after: Self.heartbeat) { [weak self, weak wire] in
            guard let self, let wire, self.wire === wire else { return }
            wire.submit(Request(.script(""), callback: { _ in }))
            self.beat(wire)
        }
    }

    private static func text(_ verb: String, _ channels: [String]) -> String {
        channels.map { "\(verb) \(quotedIdentifier($0));" }.joined(separator: " ")
    }
}
