public import Kernel
public import Postgres

/// Code that does the jobs of one kind.
///
/// Handlers throw: any error means another attempt after a pause, ``JobFailure`` says something else. A job's effects
/// happen exactly once where they are written through the transaction that the handler gets: effects, completion,
/// reply and follow-up jobs commit together or not at all.
public struct Handler: Sendable {
    /// What the worker has in its hands: a job whose message has not been read yet.
    struct Delivery: Sendable {
        let context: JobContext
        let arguments: [UInt8]
        /// Reads arguments that were sealed.
        let open: @Sendable ([UInt8]) throws -> [UInt8]
    }

    enum Body: Sendable {
        case transactional(@Sendable (Delivery, borrowing Transaction) async throws -> Void)
        case batch(limit: Int, @Sendable ([Delivery], borrowing Transaction) async throws -> Void)
        case leased(Completion, @Sendable (Delivery) async throws -> Void)
        case reply(@Sendable (Delivery, borrowing Transaction) async throws -> RawJSON)
    }

    /// When a leased handler's job is written down as completed.
    public enum Completion: Sendable {
        /// At once, by itself.
        case single
        /// Together with others, a few milliseconds later: for short handlers of many jobs, whose deeds may be done twice.
        case batched
    }

    let kind: String
    /// The newest version of the message that this code reads.
    let version: Int
    let queue: QueueName
    let isSubscription: Bool
    let body: Body

    /// One job, one transaction.
    public static func transactional<C: Command>(
        _ type: C.Type, _ body: @escaping @Sendable (C, JobContext, borrowing Transaction) async throws -> Void
    ) -> Handler {
        Handler(
            kind: C.name, version: C.version, queue: C.queue, isSubscription: false,
            body: .transactional { delivery, transaction in
                try await body(try delivery.message(), delivery.context, transaction)
            })
    }

    /// One event, one transaction. Subscribes the queue to the event.
    public static func transactional<E: Event>(
        _ type: E.Type, on queue: QueueName,
        _ body: @escaping @Sendable (E, JobContext, borrowing Transaction) async throws -> Void
    ) -> Handler {
        Handler(
            kind: E.name, version: E.version, queue: queue, isSubscription: true,
            body: .transactional { delivery, transaction in
                try await body(try delivery.message(), delivery.context, transaction)
            })
    }

    /// Up to `limit` jobs in one transaction, in the order of sending. When it fails, each of them is tried alone, so
    /// that one bad job does not hold up the others. All handlers of a queue are batched or none is.
    public static func batch<C: Command>(
        _ type: C.Type, limit: Int = 500,
        _ body: @escaping @Sendable ([Job<C>], borrowing Transaction) async throws -> Void
    ) -> Handler {
        Handler(
            kind: C.name, version: C.version, queue: C.queue, isSubscription: false,
            body: .batch(limit: limit) { deliveries, transaction in
                try await body(try deliveries.map { try $0.job() }, transaction)
            })
    }

    /// Up to `limit` events in one transaction; see the other `batch`. Subscribes the queue to the event.
    public static func batch<E: Event>(
        _ type: E.Type, on queue: QueueName, limit: Int = 500,
        _ body: @escaping @Sendable ([Job<E>], borrowing Transaction) async throws -> Void
    ) -> Handler {
        Handler(
            kind: E.name, version: E.version, queue: queue, isSubscription: true,
            body: .batch(limit: limit) { deliveries, transaction in
                try await body(try deliveries.map { try $0.job() }, transaction)
            })
    }

    /// For what talks to the outside world: no transaction is open while it runs. It can run twice (its worker may die
    /// after the deed), so the deed needs the other side's idempotency key: ``JobContext/id`` serves well.
    public static func leased<C: Command>(
        _ type: C.Type, completion: Completion = .single,
        _ body: @escaping @Sendable (C, JobContext) async throws -> Void
    ) -> Handler {
        Handler(
            kind: C.name, version: C.version, queue: C.queue, isSubscription: false,
            body: .leased(completion) { delivery in try await body(try delivery.message(), delivery.context) })
    }

    /// The same for an event. Subscribes the queue to it.
    public static func leased<E: Event>(
        _ type: E.Type, on queue: QueueName, completion: Completion = .single,
        _ body: @escaping @Sendable (E, JobContext) async throws -> Void
    ) -> Handler {
        Handler(
            kind: E.name, version: E.version, queue: queue, isSubscription: true,
            body: .leased(completion) { delivery in try await body(try delivery.message(), delivery.context) })
    }

    /// Answers calls. The answer is committed with the handler's effects.
    public static func reply<C: Call>(
        _ type: C.Type, _ body: @escaping @Sendable (C, JobContext, borrowing Transaction) async throws -> C.Reply
    ) -> Handler {
        Handler(
            kind: C.name, version: C.version, queue: C.queue, isSubscription: false,
            body: .reply { delivery, transaction in
                RawJSON(try MessageCoder.text(try await body(try delivery.message(), delivery.context, transaction)))
            })
    }

    var isBatched: Bool {
        if case .batch = self.body { true } else { false }
    }

    var batchLimit: Int {
        if case .batch(let limit, _) = self.body { limit } else { 1 }
    }

    var isLeased: Bool {
        if case .leased = self.body { true } else { false }
    }
}

extension Handler.Delivery {
    func message<M: Message>() throws -> M {
        try MessageCoder.decode(M.self, try self.open(self.arguments))
    }

    func job<M: Message>() throws -> Job<M> {
        Job(message: try self.message(), context: self.context)
    }
}
