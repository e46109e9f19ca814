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
    static func send<M: Message>(
        _ queue: Int16, _ payload: Payload<M>, _ options: SendOptions, _ envelope: Envelope, id: JobID?
    ) -> SQL {
        guard id == nil else { return Self.call(queue, payload, options, envelope, id: id) }
        let call = Self.invocation(queue, payload, options, envelope, id: nil)
        return "select \(fragment: call), first_number, now_ms from queue.lease_numbers()"
    }

    /// A job whose id the server makes.
    static func sendAlone<M: Message>(
        _ queue: Int16, _ payload: Payload<M>, _ options: SendOptions, _ envelope: Envelope
    ) -> SQL {
        if let unique = options.unique { return Self.send(queue, payload, options, envelope, unique: unique) }
        return Self.call(queue, payload, options, envelope, id: nil)
    }

    /// What is sent most runs often enough for the putting together of its text to show in a profile.
    private static func call<M: Message>(
        _ queue: Int16, _ payload: Payload<M>, _ options: SendOptions, _ envelope: Envelope, id: JobID?
    ) -> SQL {
        guard case .atOnce = options.start else {
            return "select \(fragment: Self.invocation(queue, payload, options, envelope, id: id))"
        }
        return Self.sendAtOnce.binding(10) { values in
            values.bind(queue)
            values.bind(M.name)
            values.bind(Self.version(M.self))
            values.bind(payload)
            values.bind(payload.message.orderingKey)
            values.bind(options.priority.rawValue)
            values.bind(envelope.headers)
            values.bind(envelope.cause)
            values.bind(id?.raw)
            values.bind(options.deadline)
        }
    }

    private static func invocation<M: Message>(
        _ queue: Int16, _ payload: Payload<M>, _ options: SendOptions, _ envelope: Envelope, id: JobID?
    ) -> SQL {
        """
        queue.send(
            \(queue), \(M.name), \(Self.version(M.self)), \(payload), \(payload.message.orderingKey),
            \(options.priority.rawValue), \(fragment: Self.moment(options.start)), \(envelope.headers),
            \(envelope.cause), \(id?.raw), \(options.deadline))
        """
    }

    /// Of a job that may be there already.
    static func resend<M: Message>(
        _ queue: Int16, _ payload: Payload<M>, _ options: SendOptions, _ envelope: Envelope, id: JobID
    ) -> SQL {
        """
        select queue.resend(
            \(queue), \(M.name), \(Self.version(M.self)), \(payload), \(payload.message.orderingKey),
            \(options.priority.rawValue), \(fragment: Self.moment(options.start)), \(envelope.headers),
            \(envelope.cause), \(id.raw), \(options.deadline))
        """
    }

    static func leaseNumbers() -> SQL {
        "select first_number, now_ms from queue.lease_numbers()"
    }

    static func send<M: Message>(
        _ queue: Int16, contentsOf messages: [M], _ arguments: [RawJSON], _ options: SendOptions, _ envelope: Envelope
    ) -> SQL {
        """
        select queue.send_many(
            \(queue), \(M.name), \(Self.version(M.self)), \(arguments),
            \(Self.keys(messages)), \(options.priority.rawValue), \(fragment: Self.moment(options.start)),
            \(envelope.headers), \(envelope.cause), \(options.deadline))
        """
    }

    static func send<M: Message>(
        _ queue: Int16, _ payload: Payload<M>, _ options: SendOptions, _ envelope: Envelope, unique: Uniqueness
    ) -> SQL {
        """
        select id
        from queue.send_unique(
            \(queue), \(M.name), \(Self.version(M.self)), \(payload), \(payload.message.orderingKey),
            \(options.priority.rawValue), \(fragment: Self.moment(options.start)), \(envelope.headers),
            \(envelope.cause), \(options.deadline), \(unique.key), \(unique.window?.wholeMilliseconds),
            \(unique.policy.rawValue))
        """
    }

    /// - Parameter leavesOut: whether only queues that are not encrypted get them; the others are answered as left out.
    static func publish<E: Event>(
        _ events: [E], _ arguments: [RawJSON], leavesOut: Bool, _ envelope: Envelope
    ) -> SQL {
        """
        select queue_id, name, is_left_out
        from queue.publish(
            \(E.name), \(Self.version(E.self)), \(arguments), \(Self.keys(events)), \(envelope.headers),
            \(envelope.cause), p_leaves_out => \(leavesOut))
        """
    }

    /// To the queues that were left out.
    static func publish<E: Event>(
        _ events: [E], sealed arguments: [RawJSON], to queues: [Int16], _ envelope: Envelope
    ) -> SQL {
        """
        select from queue.publish(
            \(E.name), \(Self.version(E.self)), \(arguments), \(Self.keys(events)), \(envelope.headers),
            \(envelope.cause), p_queues => \(queues))
        """
    }

    static func call<C: Call>(
        _ queue: Int16, _ payload: Payload<C>, replyTo worker: Int32, patience: Duration, _ envelope: Envelope
    ) -> SQL {
        let replyClass: Int16 = C.durability == .durable ? 1 : 2
        return """
            select queue.call(
                \(queue), \(C.name), \(Self.version(C.self)), \(payload), \(payload.message.orderingKey), \(worker),
                \(replyClass), \(Int32(clamping: patience.wholeMilliseconds)), \(envelope.headers), \(envelope.cause))
            """
    }

    static func resolve(_ names: [QueueName]) -> SQL {
        "select name, id, is_encrypted from queue.resolve(\(names.map(\.text)))"
    }

    private static func version<M: Message>(_ type: M.Type) -> Int16 { Int16(clamping: M.version) }

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

/// A queue that is subscribed to an event.
struct Subscriber: RowDecodable {
    let entry: QueueEntry
    /// It is encrypted, and has got nothing yet.
    let isLeftOut: Bool

    init(row: Row) throws {
        self.isLeftOut = try row.value("is_left_out")
        self.entry = QueueEntry(
            name: try row.value("name"), number: try row.value("queue_id"), isEncrypted: self.isLeftOut)
    }
}
