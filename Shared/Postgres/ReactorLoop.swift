internal import CReactor
internal import Glibc
internal import HeapModule
internal import NIOConcurrencyHelpers

/// What the loop tells the owner of a socket. Called on the reactor's thread only.
protocol ReactorClient: AnyObject {
    /// The socket can be read, written, or has failed.
    func ready(_ events: SocketEvents)

    /// Called every ``ReactorLoop/watchInterval`` while somebody is being watched.
    /// - Returns: whether the client still has something that may take too long.
    func watch() -> Bool
}

struct SocketEvents: OptionSet {
    let rawValue: UInt32
    static let read = SocketEvents(rawValue: EPOLLIN.rawValue)
    static let write = SocketEvents(rawValue: EPOLLOUT.rawValue)
}

/// The body of the reactor's thread: jobs, sockets and timers in turn.
///
/// Safe to share between threads because `post` touches the locked inbox only; everything else says it is confined to
/// the thread, and is reached from work that was posted.
final class ReactorLoop: @unchecked Sendable {
    enum Work {
        case job(UnownedJob, Reactor)
        case call(@Sendable () -> Void)
    }

    private struct Inbox {
        var work: [Work] = []
        var asleep = false
    }

    private struct Timer: Comparable {
        let due: UInt64
        let id: UInt64
        static func < (left: Timer, right: Timer) -> Bool { (left.due, left.id) < (right.due, right.id) }
    }

    /// How coarse the client's own deadlines are; no clock is read for a statement.
    static let watchInterval = Duration.milliseconds(250)

    private static let roundsMax = 8

    private let epoll: Int32
    private let bell: Int32
    private let inbox = NIOLockedValueBox(Inbox())
    private let thread = NIOLockedValueBox<pthread_t?>(nil)

    // Confined to the thread.
    private var work: [Work] = []
    private var clients: [UInt64: any ReactorClient] = [:]
    private var timers = Heap<Timer>()
    private var timerActions: [UInt64: () -> Void] = [:]
    private var lastToken: UInt64 = 0
    private var watching = false

    init() throws {
        self.epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard self.epoll >= 0 else { throw DatabaseError(systemCall: "epoll_create1", errno: errno) }
        self.bell = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard self.bell >= 0 else { throw DatabaseError(systemCall: "eventfd", errno: errno) }
        var event = epoll_event()
        event.events = EPOLLIN.rawValue
        event.data.u64 = 0
        guard epoll_ctl(self.epoll, EPOLL_CTL_ADD, self.bell, &event) == 0 else {
            throw DatabaseError(systemCall: "epoll_ctl", errno: errno)
        }
    }

    // MARK: From any thread

    func post(_ call: @escaping @Sendable () -> Void) {
        self.post(.call(call))
    }

    func post(_ work: Work) {
        let asleep = self.inbox.withLockedValue { inbox in
            inbox.work.append(work)
            defer { inbox.asleep = false }
            return inbox.asleep
        }
        if asleep {
            eventfd_write(self.bell, 1)
        }
    }

    var isCurrent: Bool {
        self.thread.withLockedValue { $0.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
    }

    // MARK: On the reactor's thread

    func run() -> Never {
        self.thread.withLockedValue { $0 = pthread_self() }
        let capacity = 256
        let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: capacity)
        while true {
            self.runWork()
            let timeout = self.runTimers()
            // Asleep is said under the lock that guards the inbox: work posted before is seen here, work posted
            // after rings the bell.
            let mustLook = self.inbox.withLockedValue { inbox in
                inbox.asleep = inbox.work.isEmpty
                return !inbox.work.isEmpty
            }
            let count = epoll_wait(self.epoll, events.baseAddress, Int32(capacity), mustLook ? 0 : timeout)
            self.inbox.withLockedValue { $0.asleep = false }
            for index in 0..<max(0, Int(count)) {
                self.dispatch(events[index])
            }
        }
    }

    /// Work makes more work on this very thread; some rounds of it cost fewer system calls than one round each, and a
    /// limit keeps the sockets served.
    private func runWork() {
        for _ in 0..<Self.roundsMax {
            self.inbox.withLockedValue { swap(&$0.work, &self.work) }
            guard !self.work.isEmpty else { return }
            for item in self.work {
                switch item {
                case .job(let job, let reactor):
                    job.runSynchronously(
                        isolatedTo: reactor.asUnownedSerialExecutor(), taskExecutor: reactor.asUnownedTaskExecutor())
                case .call(let call): call()
                }
            }
            self.work.removeAll(keepingCapacity: true)
        }
    }

    private func dispatch(_ event: epoll_event) {
        let token = event.data.u64
        guard token != 0 else {
            var count: eventfd_t = 0
            eventfd_read(self.bell, &count)
            return
        }
        var events = SocketEvents(rawValue: event.events)
        // A failed socket is reported through the next read or write, which then names the reason.
        if event.events & (EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 {
            events.formUnion([.read, .write])
        }
        self.clients[token]?.ready(events)
    }

    /// A name for a client in `epoll`; never used twice, so that a late event cannot reach a new socket's owner.
    func register(_ client: any ReactorClient) -> UInt64 {
        self.lastToken += 1
        self.clients[self.lastToken] = client
        return self.lastToken
    }

    /// Sets what to wait for. The socket may be new under an old number: libpq opens another one for each host and
    /// each retry, and the kernel forgets a closed one by itself.
    func arm(_ token: UInt64, socket: Int32, events: SocketEvents) {
        var event = epoll_event()
        event.events = events.rawValue
        event.data.u64 = token
        if epoll_ctl(self.epoll, EPOLL_CTL_MOD, socket, &event) != 0 {
            epoll_ctl(self.epoll, EPOLL_CTL_ADD, socket, &event)
        }
    }

    /// Must come before the socket is closed.
    func unregister(_ token: UInt64, socket: Int32) {
        self.clients[token] = nil
        if socket >= 0 {
            epoll_ctl(self.epoll, EPOLL_CTL_DEL, socket, nil)
        }
    }

    /// Sees to it that ``ReactorClient/watch()`` is called while anybody has something that may take too long.
    func startWatching() {
        guard !self.watching else { return }
        self.watching = true
        self.schedule(after: Self.watchInterval) { [self] in
            self.watching = false
            var again = false
            for client in Array(self.clients.values) where client.watch() {
                again = true
            }
            if again {
                self.startWatching()
            }
        }
    }

    /// Runs an action once, not before the delay has passed.
    @discardableResult
    func schedule(after delay: Duration, _ action: @escaping () -> Void) -> UInt64 {
        self.lastToken += 1
        let (seconds, attoseconds) = delay.components
        let nanoseconds = UInt64(max(0, seconds)) * 1_000_000_000 + UInt64(max(0, attoseconds / 1_000_000_000))
        self.timers.insert(Timer(due: monotonicNanoseconds() + nanoseconds, id: self.lastToken))
        self.timerActions[self.lastToken] = action
        return self.lastToken
    }

    func unschedule(_ timer: UInt64) {
        self.timerActions[timer] = nil
    }

    /// Runs what is due and returns the milliseconds until the next timer; -1 for ever.
    private func runTimers() -> Int32 {
        while let next = self.timers.min {
            guard self.timerActions[next.id] != nil else {
                self.timers.removeMin()
                continue
            }
            let now = monotonicNanoseconds()
            guard next.due <= now else {
                return Int32(clamping: (next.due - now) / 1_000_000 + 1)
            }
            self.timers.removeMin()
            self.timerActions.removeValue(forKey: next.id)?()
        }
        return -1
    }
}

private func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
