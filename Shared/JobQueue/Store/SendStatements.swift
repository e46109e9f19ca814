internal import Kernel
internal import Postgres

/// What goes with a message: who sends it, in which trace, because of which job.
struct Envelope: Sendable {
    let headers: RawJSON?
    let cause: Int64?

    /// Of the present task.
    static var current: Envelope {
        let traceparent = TraceContext.current?.traceparent ?? JobContext.current?.traceparent
        return Envelope(
            // A traceparent is made of hexadecimal digits and hyphens: nothing in it needs quoting.
            headers: traceparent.map { RawJSON(#"{"traceparent":"\#($0)"}"#) }, cause: JobContext.current?.id.raw)
    }
}

/// The statements of senders. Each is one call of a function of the schema, which checks the rights.
enum SendStatements {
    private static let sendAtOnce = SQL.Template(
        "select queue.send($1, $2, $3, $4, $5, $6, null, $7, $8, $9, $10)")

    /// - Parameter id: made by the sender; without one the server makes it, and lends numbers for the next ones.
    static func send(
        _ queue: Int16, _ message: some Message, _ options: SendOptions, _ envelope: Envelope, id: JobID?
    ) -> SQL {
        guard id == nil else { return Self.call(queue, message, options, envelope, id: id) }
        let call = Self.invocation(queue, message, options, envelope, id: nil)
        return "select \(fragment: call), first_number, now_ms from queue.lease_numbers()"
    }

    /// A job whose id the server makes.
    static func sendAlone(
        _ queue: Int16, _ message: some Message, _ options: SendOptions, _ envelope: Envelope
    ) -> SQL {
        if let unique = options.unique { return Self.send(queue, message, options, envelope, unique: unique) }
        return Self.call(queue, message, options, envelope, id: nil)
    }

    /// What is sent most runs often enough for the putting together of its text to show in a profile.
    private static func call(
        _ queue: Int16, _ message: some Message, _ options: SendOptions, _ envelope: Envelope, id: JobID?
    ) -> SQL {
        guard case .atOnce = options.start else {
            return "select \(fragment: Self.invocation(queue, message, options, envelope, id: id))"
        }
        return Self.sendAtOnce.binding(10) { values in
            values.bind(queue)
            values.bind(Self.name(message))
            values.bind(Self.version(message))
            values.bind(JSONB(message))
            values.bind(message.orderingKey)
            values.bind(options.priority.rawValue)
            values.bind(envelope.headers)
            values.bind(envelope.cause)
            values.bind(id?.raw)
            values.bind(options.deadline)
        }
    }

    private static func invocation(
        _ queue: Int16, _ message: some Message, _ options: SendOptions, _ envelope: Envelope, id: JobID?
    ) -> SQL {
        """
        queue.send(
            \(queue), \(Self.name(message)), \(Self.version(message)), \(JSONB(message)),
            \(message.orderingKey), \(options.priority.rawValue), \(fragment: Self.moment(options.start)),
            \(envelope.headers), \(envelope.cause), \(id?.raw), \(options.deadline))
        """
    }

    static func send<M: Message>(
        _ queue: Int16, contentsOf messages: [M], _ options: SendOptions, _ envelope: Envelope
    ) throws -> SQL {
        """
        select queue.send_many(
            \(queue), \(M.name), \(Int16(clamping: M.version)), \(try Self.arguments(messages)),
            \(Self.keys(messages)), \(options.priority.rawValue), \(fragment: Self.moment(options.start)),
            \(envelope.headers), \(envelope.cause), \(options.deadline))
        """
    }

    static func send(
        _ queue: Int16, _ message: some Message, _ options: SendOptions, _ envelope: Envelope, unique: Uniqueness
    ) -> SQL {
        """
        select id
        from queue.send_unique(
            \(queue), \(Self.name(message)), \(Self.version(message)), \(JSONB(message)), \(message.orderingKey),
            \(options.priority.rawValue), \(fragment: Self.moment(options.start)), \(envelope.headers),
            \(envelope.cause), \(options.deadline), \(unique.key), \(unique.window?.wholeMilliseconds),
            \(unique.policy.rawValue))
        """
    }

    static func publish<E: Event>(_ events: [E], _ envelope: Envelope) throws -> SQL {
        """
        select queue_id, owner_service
        from queue.publish(
            \(E.name), \(Int16(clamping: E.version)), \(try Self.arguments(events)), \(Self.keys(events)),
            \(envelope.headers), \(envelope.cause))
        """
    }

    static func call<C: Call>(
        _ queue: Int16, _ call: C, replyTo worker: Int32, patience: Duration, _ envelope: Envelope
    ) -> SQL {
        let replyClass: Int16 = C.durability == .durable ? 1 : 2
        return """
            select queue.call(
                \(queue), \(C.name), \(Int16(clamping: C.version)), \(JSONB(call)), \(call.orderingKey), \(worker),
                \(replyClass), \(Int32(clamping: patience.wholeMilliseconds)), \(envelope.headers), \(envelope.cause))
            """
    }

    static func resolve(_ names: [QueueName]) -> SQL {
        "select name, id from queue.resolve(\(names.map(\.text)))"
    }

    private static func name<M: Message>(_ message: M) -> String { M.name }

    private static func version<M: Message>(_ message: M) -> Int16 { Int16(clamping: M.version) }

    private static func arguments(_ messages: [some Message]) throws -> [RawJSON] {
        try messages.map { RawJSON(try MessageCoder.text($0)) }
    }

    /// nil when no message has a key, which spares an array of nulls.
    private static func keys(_ messages: [some Message]) -> [String?]? {
        let keys = messages.map(\.orderingKey)
        return keys.allSatisfy { $0 == nil } ? nil : keys
    }

    /// Delays count from the server's clock, so that the clocks of two machines do not matter.
    private static func moment(_ start: SendOptions.Start) -> SQL {
        switch start {
        case .atOnce: "null"
        case .after(let delay): "clock_timestamp() + \(delay)"
        case .at(let moment): "\(moment)"
        }
    }
}
