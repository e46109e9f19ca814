import Kernel
import Postgres

/// What else than the profile auth knows of a member, for the export of all of it.
struct ExportStore: Sendable {
    struct Card: Sendable {
        let number: CardNumber
        let kind: String
        let state: String
        let issuedAt: Timestamp
    }

    func cards(of member: Member.ID, on database: Database) async throws -> [Card] {
        try await database.query(
            """
            select card, kind, state, issued_at
            from auth.card
            where member_id = \(member)
            order by issued_at, card
            """
        ).map { row in
            let (number, kind, state, issuedAt) = try row.decode(
                CardNumber.self, String.self, String.self, Timestamp.self)
            return Card(number: number, kind: kind, state: state, issuedAt: issuedAt)
        }
    }

    struct PastSession: Sendable {
        let session: Session.ID
        let device: String
        let createdAt: Timestamp
        let usedAt: Timestamp
        let endedAt: Timestamp?
    }

    func sessions(of member: Member.ID, on database: Database) async throws -> [PastSession] {
        try await database.query(
            """
            select session_id, device, created_at, used_at, revoked_at
            from auth.session
            where member_id = \(member)
            order by created_at, session_id
            """
        ).map { row in
            let (session, device, created, used, ended) = try row.decode(
                Session.ID.self, String.self, Timestamp.self, Timestamp.self, Timestamp?.self)
            return PastSession(session: session, device: device, createdAt: created, usedAt: used, endedAt: ended)
        }
    }

    struct Consent: Sendable {
        let purpose: String
        let channel: String
        let granted: Bool
        let textVersion: String
        let source: String
        let recordedAt: Timestamp
    }

    /// Every choice that was ever made, the oldest first.
    func consents(of member: Member.ID, on database: Database) async throws -> [Consent] {
        try await database.query(
            """
            select purpose, channel, granted, text_version, source, recorded_at
            from auth.consent
            where member_id = \(member)
            order by consent_id
            """
        ).map { row in
            let (purpose, channel, granted, version, source, recordedAt) = try row.decode(
                String.self, String.self, Bool.self, String.self, String.self, Timestamp.self)
            return Consent(
                purpose: purpose, channel: channel, granted: granted, textVersion: version, source: source,
                recordedAt: recordedAt)
        }
    }
}
