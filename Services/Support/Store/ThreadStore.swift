import Kernel
import Postgres

/// Messages, photos and what was told of them.
struct ThreadStore: Sendable {
    func insert(_ message: ThreadMessage, to ticket: Ticket.ID, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            insert into support.message (
                message_id, ticket_id, author, is_note, staff_id, body, evidence, letter_id, created_at
            )
            values (
                \(message.id), \(ticket), \(message.author.rawValue), \(message.isNote), \(message.staff),
                \(message.body), \(message.evidence.map { JSONB($0) }), \(message.letter), \(message.createdAt)
            )
            """)
    }

    /// The thread in the order of writing.
    func messages(
        of ticket: Ticket.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [ThreadMessage] {
        try await runner.query(
            """
            select message_id, author, is_note, staff_id, body, evidence, letter_id, created_at
            from support.message
            where ticket_id = \(ticket)
            order by message_id
            """
        ).map { row in
            ThreadMessage(
                id: try row.value("message_id"), author: try row.value("author"), isNote: try row.value("is_note"),
                staff: try row.value("staff_id"), body: try row.value("body"),
                evidence: try row.value("evidence", as: JSONB<ReceiptEvidence>?.self)?.value,
                letter: try row.value("letter_id"), createdAt: try row.value("created_at"))
        }
    }

    /// The name of the thread's latest letter, which the next one answers.
    func latestLetter(of ticket: Ticket.ID, in transaction: borrowing Transaction) async throws -> String? {
        try await transaction.first(
            """
            select letter_id
            from support.message
            where ticket_id = \(ticket) and letter_id is not null
            order by message_id desc
            limit 1
            """
        )?.decode(String.self)
    }

    /// Keeps a photo. The ticket's row is locked, so that the count holds.
    /// - Returns: false when the ticket has as many as it may have.
    func insert(
        _ photo: PhotoRecord, _ content: [UInt8], to ticket: Ticket.ID, atMost limit: Int,
        in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            insert into support.photo (photo_id, ticket_id, content_type, width, height, content, created_at)
            select
                \(photo.id), \(ticket), \(photo.contentType), \(photo.width), \(photo.height), \(content),
                \(photo.createdAt)
            where (select count(*) from support.photo where ticket_id = \(ticket)) < \(Int64(limit))
            """) == 1
    }

    func photos(
        of ticket: Ticket.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [PhotoRecord] {
        try await runner.query(
            """
            select photo_id, content_type, width, height, created_at
            from support.photo
            where ticket_id = \(ticket)
            order by photo_id
            """
        ).map { row in
            let (id, type, width, height, createdAt) = try row.decode(
                Photo.ID.self, String.self, Int32.self, Int32.self, Timestamp.self)
            return PhotoRecord(id: id, contentType: type, width: width, height: height, createdAt: createdAt)
        }
    }

    /// A photo's kind and bytes; nil when there is none any more.
    func photo(
        _ id: Photo.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> (contentType: String, content: [UInt8])? {
        guard
            let row = try await runner.first(
                "select content_type, content from support.photo where photo_id = \(id)")
        else { return nil }
        let (type, content) = try row.decode(String.self, [UInt8].self)
        return (type, content)
    }

    func insertNotice(
        _ id: Notice.ID, of message: ThreadMessage.ID, in ticket: Ticket.ID, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            insert into support.notice (notice_id, ticket_id, message_id, changed_at)
            values (\(id), \(ticket), \(message), \(now))
            """)
    }

    /// Writes down how a notice stands. Reports come twice and out of order: states only go forward.
    func moveNotice(
        _ id: Notice.ID, to state: String, channel: String?, at moment: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update support.notice
            set state = \(state), channel = coalesce(\(channel), channel), changed_at = \(moment)
            where notice_id = \(id)
                and array_position(array['sending', 'sent', 'undelivered', 'suppressed', 'delivered'], state)
                    < array_position(array['sending', 'sent', 'undelivered', 'suppressed', 'delivered'], \(state))
            """)
    }

    /// How each message's notice stands.
    func notices(
        of ticket: Ticket.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [ThreadMessage.ID: String] {
        let rows = try await runner.query(
            "select message_id, state from support.notice where ticket_id = \(ticket) order by notice_id")
        return Dictionary(
            try rows.map { try $0.decode(ThreadMessage.ID.self, String.self) }, uniquingKeysWith: { $1 })
    }
}

extension ThreadMessage.Author: PostgresWrapper {}
