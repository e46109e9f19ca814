internal import CPostgres
internal import DequeModule

/// A session of libpq: takes requests in order, sends them, waits through the reactor, answers each exactly once.
///
/// Confined to the reactor's thread; that is why it may be captured by closures that are posted there.
final class Wire: ReactorClient, @unchecked Sendable {
    struct Events {
        var notification: (_ channel: String, _ payload: String) -> Void = { _, _ in }
        var closed: (DatabaseError) -> Void = { _ in }
    }

    let loop: ReactorLoop
    let condition = ConnectionCondition()
    /// Nothing heard for so long while an answer is awaited: the connection is lost. Nil: wait for ever.
    private let answerLimit: Duration?
    /// A cancelled statement that has not come to rest by then takes its connection with it.
    private let cancelLimit = Duration.seconds(5)
    var events = Events()
    var cache: StatementCache
    let preparesStatements: Bool
    private(set) var handle: OpaquePointer?
    private(set) var current: Request?
    private var queue = Deque<Request>()
    private var token: UInt64 = 0
    private var waitsForWrite = false
    private(set) var isCopying = false
    private var cancelsInFlight = 0
    /// The server's last words when it ends a session that is idle; libpq passes them on as a notice.
    private var farewell: DatabaseError?
    private var closedBy = DatabaseError(.connectionLost)
    private var silentTicks: Int64 = 0

    init(owning handle: OpaquePointer, loop: ReactorLoop, _ configuration: DatabaseConfiguration) {
        self.handle = handle
        self.loop = loop
        let timeout = configuration.statementTimeout
        self.answerLimit = timeout == .zero ? nil : timeout + configuration.answerGrace
        self.cache = StatementCache(limit: configuration.statementCacheLimit)
        self.preparesStatements = configuration.preparesStatements
        self.token = loop.register(self)
        // The pointer is good for as long as the session: `close` ends it, and an open session is held by the loop.
        PQsetNoticeReceiver(handle, noticeReceived, Unmanaged.passUnretained(self).toOpaque())
        loop.arm(self.token, socket: PQsocket(handle), events: .read)
    }

    // MARK: Requests

    func submit(_ request: Request) {
        precondition(self.loop.isCurrent, "a connection was used outside of the reactor's thread")
        guard self.handle != nil else { return request.answer(.failure(self.closedBy)) }
        guard self.current == nil else {
            self.queue.append(request)
            return
        }
        self.start(request)
    }

    private func start(_ request: Request) {
        guard let handle = self.handle else { return }
        self.current = request
        self.silentTicks = 0
        do {
            try self.send(request, on: handle)
        } catch {
            // When libpq refused it, the session is closed and the request answered.
            guard self.handle != nil else { return }
            request.failure = error as? DatabaseError ?? DatabaseError(.misuse, context: "\(type(of: error))")
            return self.finishCurrent()
        }
        self.loop.startWatching()
        self.flush()
        // What libpq has read already raises no event.
        if self.current === request { self.receive() }
    }

    func endCopy() { self.isCopying = false }

    // MARK: Socket

    func ready(_ events: SocketEvents) {
        guard let handle = self.handle else { return }
        if events.contains(.read) {
            self.silentTicks = 0
            guard PQconsumeInput(handle) == 1 else { return self.lost() }
        }
        if self.waitsForWrite { self.flush() }
        self.receive()
        self.takeNotifications()
    }

    /// Sends what libpq holds; when the socket is full, goes on when it is writable.
    private func flush() {
        guard let handle = self.handle else { return }
        let rest = PQflush(handle)
        guard rest >= 0 else { return self.lost() }
        if self.waitsForWrite != (rest == 1) {
            self.waitsForWrite = rest == 1
            self.loop.arm(self.token, socket: PQsocket(handle), events: rest == 1 ? [.read, .write] : .read)
        }
        if rest == 0, case .copyData = self.current?.kind { self.finishCurrent() }
    }

    private func receive() {
        while let handle = self.handle, let request = self.current, !request.isAtRest {
            if case .copyData = request.kind { return }
            guard PQisBusy(handle) == 0 else { return }
            let result = PQgetResult(handle).map { ResultStorage(owning: $0) }
            if PQstatus(handle) == CONNECTION_BAD {
                return self.lost(result?.error)
            }
            switch self.take(result, for: request) {
            case .more: continue
            case .copying:
                self.isCopying = true
                self.finishCurrent()
            case .done:
                if PQpipelineStatus(handle) != PQ_PIPELINE_OFF { PQexitPipelineMode(handle) }
                self.finishCurrent()
            }
        }
    }

    /// Notifications arrive with any input, so they are taken after each (and this parses what came while idle).
    private func takeNotifications() {
        while let handle = self.handle, let notification = PQnotifies(handle) {
            let channel = String(cString: notification.pointee.relname)
            let payload = String(cString: notification.pointee.extra)
            PQfreemem(notification)
            self.events.notification(channel, payload)
        }
    }

    // MARK: Ends

    /// Answers the current request, unless a cancel is on its way: that must not hit the next one.
    private func finishCurrent() {
        guard let handle = self.handle, let request = self.current else { return }
        request.isAtRest = true
        guard self.cancelsInFlight == 0 else { return }
        self.condition.set(PQtransactionStatus(handle) == PQTRANS_IDLE ? .idle : .inTransaction)
        if self.mayRepeat(request) {
            request.wasRepeated = true
            request.startOver()
            return self.start(request)
        }
        self.current = nil
        if let failure = request.failure {
            let isCancellation = request.wasCancelled && failure.code == .statementCanceled
            request.answer(.failure(isCancellation ? CancellationError() : failure))
        } else {
            request.answer(.success(request.results))
        }
        if let next = self.queue.popFirst() { self.start(next) }
    }

    /// A statement whose plan was made invalid by a change of the schema is prepared again, once. Inside of a
    /// transaction it cannot be: that has failed by now.
    private func mayRepeat(_ request: Request) -> Bool {
        guard case .statement = request.kind else { return false }
        return request.failure?.code == .planInvalidated && !request.wasRepeated && !request.wasCancelled
            && self.condition.value == .idle
    }

    private func lost(_ reason: DatabaseError? = nil) {
        // What the server said goes before what libpq says of the socket.
        let known = [reason, self.current?.failure, self.farewell].compactMap { $0 }
        let reason = known.first { $0.sqlState != nil } ?? known.first
        let sqlState = reason?.sqlState
        let code: DatabaseError.Code = sqlState == "25P03" ? .idleInTransactionTimeout : .connectionLost
        self.close(DatabaseError(code, sqlState: sqlState, message: reason?.message, detail: reason?.detail))
    }

    fileprivate func noticed(_ notice: DatabaseError) {
        self.farewell = notice
    }

    /// Ends the session; everything that is still asked of it gets the error.
    func close(_ error: DatabaseError) {
        guard let handle = self.handle else { return }
        self.handle = nil
        self.closedBy = error
        self.condition.set(.lost)
        self.loop.unregister(self.token, socket: PQsocket(handle))
        PQfinish(handle)
        let pending = [self.current].compactMap { $0 } + self.queue
        self.current = nil
        self.queue = []
        for request in pending {
            request.answer(.failure(request.wasCancelled ? CancellationError() : error))
        }
        let closed = self.events.closed
        self.events = Events()
        closed(error)
    }

    func watch() -> Bool {
        guard self.handle != nil, let request = self.current else { return false }
        self.silentTicks += 1
        let limit = request.wasCancelled ? self.cancelLimit : self.answerLimit
        if let limit, ReactorLoop.watchInterval * Int(self.silentTicks) > limit {
            self.close(DatabaseError(.connectionLost, context: "no answer in time"))
            return false
        }
        return true
    }

    // MARK: Cancellation

    /// Ends a request that nobody waits for any more: takes it out of the queue, or has the server cancel it.
    func cancel(_ request: Request) {
        precondition(self.loop.isCurrent, "a connection was used outside of the reactor's thread")
        if let position = self.queue.firstIndex(where: { $0 === request }) {
            self.queue.remove(at: position)
            return request.answer(.failure(CancellationError()))
        }
        guard let handle = self.handle, self.current === request, !request.wasCancelled,
            let cancel = PQgetCancel(handle)
        else { return }
        request.wasCancelled = true
        self.silentTicks = 0
        self.cancelsInFlight += 1
        let order = CancelOrder(cancel)
        do {
            // PQcancel opens a connection of its own and blocks until the server has passed the signal on.
            try startThread {
                order.send()
                self.loop.post { self.cancelReturned() }
            }
        } catch {
            self.close(DatabaseError(.connectionLost, context: "a cancel could not be sent"))
        }
    }

    private func cancelReturned() {
        self.cancelsInFlight -= 1
        guard self.cancelsInFlight == 0, let request = self.current else { return }
        // Its results are in already, or come with the next input.
        if request.isAtRest { self.finishCurrent() }
    }
}

/// Notices are not logged, as they may quote data; only the reason why the server ends the session is kept.
private let noticeReceived: @convention(c) (UnsafeMutableRawPointer?, OpaquePointer?) -> Void = { context, notice in
    guard let context, let notice, let severity = PQresultErrorField(notice, Int32(UInt8(ascii: "V"))),
        String(cString: severity) == "FATAL", let state = PQresultErrorField(notice, Int32(UInt8(ascii: "C")))
    else { return }
    let sqlState = String(cString: state)
    Unmanaged<Wire>.fromOpaque(context).takeUnretainedValue()
        .noticed(DatabaseError(DatabaseError.Code(sqlState: sqlState), sqlState: sqlState))
}

/// libpq's order to cancel, made on the reactor's thread and sent from one of its own.
private final class CancelOrder: @unchecked Sendable {
    private let order: OpaquePointer

    init(_ order: OpaquePointer) {
        self.order = order
    }

    func send() {
        var message = [CChar](repeating: 0, count: 256)
        PQcancel(self.order, &message, Int32(message.count))
    }

    deinit {
        PQfreeCancel(self.order)
    }
}
