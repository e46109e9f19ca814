import Kernel
import Postgres

/// An answer that colleagues give often.
struct CannedAnswer: Hashable, Sendable {
    let code: String
    let title: String
    let text: Reason.Wording
}

/// Canned answers, used puzzles, letters that came, and forgetting.
struct DeskStore: Sendable {
    func cannedAnswers(in runner: borrowing some QueryRunner & ~Copyable) async throws -> [CannedAnswer] {
        try await runner.query("select code, title, russian, english from support.canned_answer order by code").map {
            let (code, title, russian, english) = try $0.decode(String.self, String.self, String.self, String.self)
            return CannedAnswer(code: code, title: title, text: .init(ru: russian, en: english))
        }
    }

    func put(
        _ answer: CannedAnswer, by staff: Staff.ID, at now: Timestamp, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws {
        try await runner.execute(
            """
            insert into support.canned_answer (code, title, russian, english, changed_at, changed_by)
            values (
                \(answer.code), \(answer.title), \(answer.text.ru), \(answer.text.en), \(now), \(staff)
            )
            on conflict (code) do update
            set title = excluded.title, russian = excluded.russian, english = excluded.english,
                changed_at = excluded.changed_at, changed_by = excluded.changed_by
            """)
    }

    /// Uses a solved puzzle up.
    /// - Returns: false when it was used before.
    func use(_ challenge: ProofChallenge, in transaction: borrowing Transaction) async throws -> Bool {
        try await transaction.execute(
            """
            insert into support.used_challenge (nonce, expires_at)
            values (\(challenge.nonce), \(challenge.expiresAt))
            on conflict do nothing
            """) == 1
    }

    /// Writes down that a letter is here.
    /// - Returns: false when it was here before.
    func note(
        letter hash: [UInt8], of ticket: Ticket.ID?, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            insert into support.inbound_letter (letter_hash, ticket_id, received_at)
            values (\(hash), \(ticket), \(now))
            on conflict do nothing
            """) == 1
    }

    /// The ticket that a letter went to.
    func ticket(
        ofLetter hash: [UInt8], in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Ticket.ID? {
        let row = try await runner.first(
            "select ticket_id from support.inbound_letter where letter_hash = \(hash)")
        return try row.flatMap { try $0.decode(Ticket.ID?.self) }
    }

    /// Forgets what is of no use any more.
    func forget(
        challengesBefore now: Timestamp, lettersBefore letters: Timestamp, answersBefore answers: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        _ = try await transaction.pipeline([
            "delete from support.used_challenge where expires_at < \(now)",
            "delete from support.inbound_letter where received_at < \(letters)",
            "delete from support.idempotency_key where created_at < \(answers)",
        ])
    }

    /// Destroys a member's words and photos. The log stays, and it holds nothing personal.
    /// - Parameter principal: whose kept answers go as well, because the texts stand in them.
    func erase(
        _ member: Member.ID, principal: String, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        _ = try await transaction.pipeline([
            // The rows first: whoever writes into one of these tickets waits, and then finds it erased.
            """
            update support.ticket
            set email = null, subject = '', tags = '{}', state = 'closed', first_response_due = null,
                solution_due = null, lease_holder = null, lease_until = null, changed_at = \(now), erased_at = \(now)
            where member_id = \(member) and erased_at is null
            """,
            """
            delete from support.message
            where ticket_id in (select ticket_id from support.ticket where member_id = \(member))
            """,
            """
            delete from support.photo
            where ticket_id in (select ticket_id from support.ticket where member_id = \(member))
            """,
            "update support.correction set reason = '' where member_id = \(member)",
            "delete from support.idempotency_key where principal = \(principal)",
            // What colleagues were answered holds texts of their tickets too.
            """
            delete from support.idempotency_key as kept
            using support.ticket as ticket
            where ticket.member_id = \(member) and kept.principal like 'staff:%'
                and position(convert_to(ticket.ticket_id::text, 'UTF8') in kept.body) > 0
            """,
        ])
    }
}
