import Kernel
import Postgres

/// Tickets and the log of what happened to them.
struct TicketStore: Sendable {
    private static let columns: SQL = """
        ticket_id, number, member_id, email, source, reason, subject, language, store_id, receipt_fn, receipt_fd,
        receipt_fpd, operation_id, state, assignee, team, tags, escalation, created_at, changed_at, first_response_at,
        resolved_at, first_response_due, solution_due, lease_holder, lease_until, satisfaction
        """

    /// Writes a ticket down and gives it its number.
    func insert(_ ticket: SupportTicket, in transaction: borrowing Transaction) async throws -> Int64 {
        let receipt = ticket.links.receipt
        return try await transaction.one(
            """
            insert into support.ticket (
                ticket_id, member_id, email, source, reason, subject, language, store_id, receipt_fn, receipt_fd,
                receipt_fpd, operation_id, state, team, created_at, changed_at
            )
            values (
                \(ticket.id), \(ticket.member), \(ticket.email?.address), \(ticket.source.rawValue),
                \(ticket.reason.code), \(ticket.subject), \(ticket.language.rawValue), \(ticket.links.store),
                \(receipt?.fn), \(receipt?.fd), \(receipt?.fpd), \(ticket.links.operation), \(ticket.state.rawValue),
                \(ticket.team.rawValue), \(ticket.createdAt), \(ticket.changedAt)
            )
            returning number
            """
        ).decode(Int64.self)
    }

    /// The ticket, which nobody else changes until the transaction ends; nil when there is none.
    func lock(_ id: Ticket.ID, in transaction: borrowing Transaction) async throws -> SupportTicket? {
        try await transaction.first(
            "select \(fragment: Self.columns) from support.ticket where ticket_id = \(id) and erased_at is null for update",
            as: SupportTicket.self)
    }

    /// The ticket; nil when there is none, or when its asker was erased.
    func find(_ id: Ticket.ID, in runner: borrowing some QueryRunner & ~Copyable) async throws -> SupportTicket? {
        try await runner.first(
            "select \(fragment: Self.columns) from support.ticket where ticket_id = \(id) and erased_at is null",
            as: SupportTicket.self)
    }

    /// Writes down what may change.
    func update(_ ticket: SupportTicket, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update support.ticket
            set state = \(ticket.state.rawValue), assignee = \(ticket.assignee), team = \(ticket.team.rawValue),
                tags = \(ticket.tags), escalation = \(ticket.escalation), changed_at = \(ticket.changedAt),
                first_response_at = \(ticket.firstResponseAt), resolved_at = \(ticket.resolvedAt),
                first_response_due = \(ticket.firstResponseDue), solution_due = \(ticket.solutionDue),
                lease_holder = \(ticket.lease?.holder), lease_until = \(ticket.lease?.until),
                satisfaction = \(ticket.satisfaction)
            where ticket_id = \(ticket.id)
            """)
    }

    func append(_ event: TicketEvent, to id: Ticket.ID, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            insert into support.ticket_event (ticket_id, kind, state, staff_id, detail, at)
            values (
                \(id), \(event.kind.rawValue), \(event.state.rawValue), \(event.staff), \(event.detail), \(event.at)
            )
            """)
    }

    /// What happened to a ticket, in order.
    func events(
        of id: Ticket.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [TicketEvent] {
        try await runner.query(
            """
            select kind, state, at, staff_id, detail
            from support.ticket_event
            where ticket_id = \(id)
            order by event_id
            """
        ).map { row in
            let (kind, state, at, staff, detail) = try row.decode(
                TicketEvent.Kind.self, TicketState.self, Timestamp.self, Staff.ID?.self, String?.self)
            return TicketEvent(kind: kind, state: state, at: at, staff: staff, detail: detail)
        }
    }

    /// A member's tickets, the newest first.
    func page(
        of member: Member.ID, before last: Ticket.ID?, limit: Int, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [SupportTicket] {
        try await runner.query(
            """
            select \(fragment: Self.columns)
            from support.ticket
            where member_id = \(member) and erased_at is null and (\(last)::uuid is null or ticket_id < \(last))
            order by ticket_id desc
            limit \(Int64(limit))
            """)
    }

    /// How many tickets a member, or an address, has opened since.
    func opened(
        by member: Member.ID?, _ email: EmailAddress?, since: Timestamp,
        in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Int64 {
        try await runner.one(
            """
            select count(*)
            from support.ticket
            where created_at > \(since)
                and (
                    (\(member)::uuid is not null and member_id = \(member))
                    or (\(member)::uuid is null and member_id is null and email = \(email?.address))
                )
            """
        ).decode(Int64.self)
    }

    /// Writes down that a colleague has looked at a ticket.
    func logView(
        by staff: Staff.ID, of ticket: SupportTicket, at now: Timestamp,
        in runner: borrowing some QueryRunner & ~Copyable
    ) async throws {
        try await runner.execute(
            """
            insert into support.personal_view (staff_id, ticket_id, member_id, viewed_at)
            values (\(staff), \(ticket.id), \(ticket.member), \(now))
            """)
    }
}

/// What colleagues look for.
struct QueueFilter: Hashable, Sendable {
    /// Empty: everything that is not over.
    var states: [TicketState] = []
    var team: Reason.Team?
    var assignee: Staff.ID?
    var isUnassigned = false
    var reason: String?
    var tag: String?
    var member: Member.ID?
    var number: Int64?
    /// Those only whose first answer or solution is late.
    var isLate = false
}

extension TicketStore {
    /// Where a page of the queue goes on.
    struct QueuePosition: Codable, Hashable, Sendable {
        let escalation: Int16
        let due: Timestamp
        let id: Ticket.ID

        init(escalation: Int16, due: Timestamp, id: Ticket.ID) {
            (self.escalation, self.due, self.id) = (escalation, due, id)
        }

        /// A cursor is the client's to change: moments that no ticket has are none.
        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            self.escalation = try container.decode(Int16.self, forKey: .escalation)
            self.due = try container.decode(Timestamp.self, forKey: .due)
            self.id = try container.decode(Ticket.ID.self, forKey: .id)
            guard Timestamp(microseconds: 0)...SupportTicket.never ~= self.due, 0...2 ~= self.escalation else {
                throw DecodingError.dataCorruptedError(forKey: .due, in: container, debugDescription: "no position")
            }
        }
    }

    /// The queue: what was escalated first, then what is due first.
    func queue(
        _ filter: QueueFilter, after last: QueuePosition?, limit: Int, now: Timestamp,
        in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [SupportTicket] {
        let never = SupportTicket.never
        return try await runner.query(
            """
            select \(fragment: Self.columns)
            from support.ticket
            where erased_at is null
                and (
                    state = any (\(filter.states.map(\.rawValue)))
                    or (\(filter.states.isEmpty) and state not in ('resolved', 'closed'))
                )
                and (\(filter.team?.rawValue)::text is null or team = \(filter.team?.rawValue))
                and (\(filter.assignee)::uuid is null or assignee = \(filter.assignee))
                and (not \(filter.isUnassigned) or assignee is null)
                and (\(filter.reason)::text is null or reason = \(filter.reason))
                and (\(filter.tag)::text is null or \(filter.tag) = any (tags))
                and (\(filter.member)::uuid is null or member_id = \(filter.member))
                and (\(filter.number)::bigint is null or number = \(filter.number))
                and (not \(filter.isLate) or least(first_response_due, solution_due) < \(now))
                and (
                    \(last?.id)::uuid is null
                    or (-escalation, coalesce(least(first_response_due, solution_due), \(never)), ticket_id)
                        > (\(-(last?.escalation ?? 0)), \(last?.due ?? never), \(last?.id))
                )
            order by -escalation, coalesce(least(first_response_due, solution_due), \(never)), ticket_id
            limit \(Int64(limit))
            """)
    }

    /// Tickets whose clocks have run out and that were not escalated for it.
    func late(
        at now: Timestamp, limit: Int, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Ticket.ID] {
        try await runner.query(
            """
            select ticket_id
            from support.ticket
            where (first_response_due < \(now) and escalation < 1) or (solution_due < \(now) and escalation < 2)
            order by ticket_id
            limit \(Int64(limit))
            """
        ).map { try $0.decode(Ticket.ID.self) }
    }

    /// Tickets that were resolved before that moment and are not closed.
    func resolved(
        before moment: Timestamp, limit: Int, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Ticket.ID] {
        try await runner.query(
            """
            select ticket_id
            from support.ticket
            where state = 'resolved' and resolved_at < \(moment)
            order by resolved_at
            limit \(Int64(limit))
            """
        ).map { try $0.decode(Ticket.ID.self) }
    }
}

extension SupportTicket {
    /// Later than every clock.
    static let never = Timestamp(secondsSince1970: 32_503_680_000)
}

extension SupportTicket: RowDecodable {
    init(row: Row) throws {
        var links = Links(store: try row.value("store_id"), operation: try row.value("operation_id"))
        if let fn = try row.value("receipt_fn", as: String?.self) {
            links.receipt = FiscalID(fn: fn, fd: try row.value("receipt_fd"), fpd: try row.value("receipt_fpd"))
        }
        let code: String = try row.value("reason")
        self.init(
            id: try row.value("ticket_id"), number: try row.value("number"), member: try row.value("member_id"),
            email: try row.value("email", as: String?.self).flatMap { EmailAddress($0) },
            source: try row.value("source"), reason: ReasonTree.reason(code) ?? ReasonTree.letter,
            subject: try row.value("subject"), language: try row.value("language"), links: links,
            state: try row.value("state"), assignee: try row.value("assignee"), team: try row.value("team"),
            tags: try row.value("tags"), escalation: try row.value("escalation"),
            createdAt: try row.value("created_at"),
            changedAt: try row.value("changed_at"), firstResponseAt: try row.value("first_response_at"),
            resolvedAt: try row.value("resolved_at"), firstResponseDue: try row.value("first_response_due"),
            solutionDue: try row.value("solution_due"), satisfaction: try row.value("satisfaction"))
        if let holder = try row.value("lease_holder", as: Staff.ID?.self) {
            self.lease = Lease(holder: holder, until: try row.value("lease_until"))
        }
    }
}

extension TicketState: PostgresWrapper {}
extension TicketEvent.Kind: PostgresWrapper {}
extension SupportTicket.Source: PostgresWrapper {}
extension Language: PostgresWrapper {}
extension Reason.Team: PostgresWrapper {}
