internal import Glibc

/// The one thread on which everything of libpq happens.
///
/// It waits in `epoll` for the sockets of all connections and is the serial executor of every ``Connection``, so that a
/// conversation with the server (send, wait, read) costs one hop and no lock. libpq is only ever called in its
/// non-blocking manner from here; nothing that blocks may run on this thread.
///
/// It is a task executor, too: a task that mostly talks to the database and computes little may prefer it
/// (`withTaskExecutorPreference(reactor)`), and then changes no thread for a statement. What such a task computes
/// delays everybody's statements; by default tasks stay on the common pool.
///
/// A process needs one reactor. Its thread lives as long as the process.
public final class Reactor: SerialExecutor, TaskExecutor, Sendable {
    let loop: ReactorLoop

    /// Starts the thread.
    /// - Throws: `DatabaseError` (`system-call-failed`) when the system refuses a descriptor or a thread.
    public init() throws {
        let loop = try ReactorLoop()
        self.loop = loop
        try startThread { loop.run() }
    }

    public func enqueue(_ job: consuming ExecutorJob) {
        self.loop.post(.job(UnownedJob(job), self))
    }

    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    public func asUnownedTaskExecutor() -> UnownedTaskExecutor {
        UnownedTaskExecutor(ordinary: self)
    }

    public func checkIsolated() {
        precondition(self.loop.isCurrent, "called outside of the reactor's thread")
    }

    public func isIsolatingCurrentContext() -> Bool? {
        self.loop.isCurrent
    }
}

/// Starts a detached thread: for the reactor itself and for the few calls of libpq and of the resolver that block.
func startThread(_ body: @escaping @Sendable () -> Void) throws {
    final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    let start: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
        guard let context else { return nil }
        Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
        return nil
    }
    let context = Unmanaged.passRetained(Body(body))
    var thread = pthread_t()
    let status = pthread_create(&thread, nil, start, context.toOpaque())
    guard status == 0 else {
        context.release()
        throw DatabaseError(systemCall: "pthread_create", errno: status)
    }
    pthread_detach(thread)
}
