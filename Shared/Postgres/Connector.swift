internal import CPostgres

/// One attempt to connect, from looking names up to a session that is ready, without blocking the reactor.
///
/// libpq tries the hosts one after the other and checks `target_session_attrs` itself, but leaves the time limit to the
/// caller: when a host does not answer in time, the attempt starts again with the hosts behind it.
///
/// Confined to the reactor's thread, which is why it may be captured by `@Sendable` closures posted there.
final class Connector: ReactorClient, @unchecked Sendable {
    typealias Completion = (Result<OpaquePointer, DatabaseError>) -> Void

    private let loop: ReactorLoop
    private var settings: ConnectionString
    private var completion: Completion?
    private var handle: OpaquePointer?
    private var token: UInt64 = 0
    private var timer: UInt64 = 0
    private var socket: Int32 = -1

    private init(_ settings: ConnectionString, _ loop: ReactorLoop, _ completion: @escaping Completion) {
        self.settings = settings
        self.loop = loop
        self.completion = completion
    }

    /// Calls back on the reactor's thread. To be called there.
    static func connect(_ settings: ConnectionString, on loop: ReactorLoop, completion: @escaping Completion) {
        let connector = Connector(settings, loop, completion)
        guard settings.hosts.contains(where: \.needsLookup) else { return connector.start() }
        do {
            try startThread {
                let resolved = settings.resolved()
                loop.post {
                    connector.settings = resolved
                    connector.start()
                }
            }
        } catch {
            connector.finish(.failure(DatabaseError(.cannotConnect, context: "\(error)")))
        }
    }

    private func start() {
        guard let handle = self.settings.start() else {
            return self.finish(.failure(DatabaseError(.cannotConnect, context: "out of memory")))
        }
        self.handle = handle
        guard PQstatus(handle) != CONNECTION_BAD else { return self.fail() }
        // A refusal is then reported by its SQLSTATE and no names.
        PQsetErrorVerbosity(handle, PQERRORS_SQLSTATE)
        PQsetNoticeReceiver(handle, { _, _ in }, nil)
        self.token = self.loop.register(self)
        self.wait(for: .write)
        self.restartTimer()
    }

    private func restartTimer() {
        self.loop.unschedule(self.timer)
        self.timer = self.loop.schedule(after: self.settings.connectTimeout) { [weak self] in self?.timedOut() }
    }

    private func wait(for events: SocketEvents) {
        let socket = PQsocket(self.handle)
        if socket != self.socket {
            // libpq went on to the next host.
            self.restartTimer()
            self.socket = socket
        }
        self.loop.arm(self.token, socket: socket, events: events)
    }

    func ready(_ events: SocketEvents) {
        guard let handle = self.handle else { return }
        switch PQconnectPoll(handle) {
        case PGRES_POLLING_READING: self.wait(for: .read)
        case PGRES_POLLING_WRITING: self.wait(for: .write)
        case PGRES_POLLING_OK:
            guard PQsetnonblocking(handle, 1) == 0 else { return self.fail() }
            self.handle = nil
            self.loop.unregister(self.token, socket: PQsocket(handle))
            self.finish(.success(handle))
        default: self.fail()
        }
    }

    func watch() -> Bool { false }

    private func timedOut() {
        guard let handle = self.handle else { return }
        let current = PQhost(handle).map { String(cString: $0) } ?? ""
        let address = PQhostaddr(handle).map { String(cString: $0) } ?? ""
        let hosts = self.settings.hosts
        let position = hosts.firstIndex { $0.name == current && ($0.address.isEmpty || $0.address == address) }
        let rest = hosts.dropFirst((position ?? hosts.count - 1) + 1)
        self.drop()
        guard !rest.isEmpty else {
            return self.finish(.failure(DatabaseError(.cannotConnect, context: "no answer in time")))
        }
        self.settings = self.settings.with(hosts: Array(rest))
        self.start()
    }

    private func fail() {
        let message = PQerrorMessage(self.handle).map { String(cString: $0) } ?? ""
        self.drop()
        let sqlState = Self.sqlState(in: message)
        let code = sqlState.map(DatabaseError.Code.init(sqlState:)) ?? .cannotConnect
        let specific: Set<DatabaseError.Code> = [.authenticationFailed, .tooManyConnections, .cannotConnectNow]
        self.finish(
            .failure(
                DatabaseError(
                    specific.contains(code) ? code : .cannotConnect,
                    context: sqlState == nil ? TLSAdvice.sentence(for: message) ?? Self.line(message) : nil,
                    sqlState: sqlState, message: message)))
    }

    /// `FATAL:  28P01` of the last host that was tried.
    private static func sqlState(in message: String) -> String? {
        guard let word = message.split(whereSeparator: \.isWhitespace).last, word.utf8.count == 5,
            word.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) }),
            message.contains(":  ")
        else { return nil }
        return String(word)
    }

    private static func line(_ message: String) -> String {
        String(message.split(separator: "\n").first ?? "no reason given")
    }

    private func drop() {
        guard let handle = self.handle else { return }
        self.handle = nil
        self.socket = -1
        self.loop.unregister(self.token, socket: PQsocket(handle))
        PQfinish(handle)
    }

    private func finish(_ result: Result<OpaquePointer, DatabaseError>) {
        self.loop.unschedule(self.timer)
        self.drop()
        let completion = self.completion
        self.completion = nil
        completion?(result)
    }
}
