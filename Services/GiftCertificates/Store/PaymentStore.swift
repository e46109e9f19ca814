import Kernel
import Postgres

/// The payment of certificates, and how much a member gives away in a day.
struct PaymentStore: Sendable {
    /// Notes which redemption pays for a draft.
    func begin(
        _ payment: Certificate.LedgerIssue, of id: GiftCertificate.ID, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update gift_certificates.certificate
            set payment_id = \(payment), changed_at = \(now)
            where certificate_id = \(id) and state = 'draft'
            """)
    }

    /// The payment came to nothing: the draft can be changed, or paid for by another.
    func drop(
        _ payment: Certificate.LedgerIssue, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update gift_certificates.certificate
            set payment_id = null, changed_at = \(now)
            where payment_id = \(payment) and state = 'draft'
            """)
    }

    /// It is paid: from now on there is a code.
    func pay(
        _ certificate: Certificate, _ paid: Paid, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update gift_certificates.certificate
            set state = \(paid.state), holder_id = \(paid.holder), code_index = \(paid.keys.codeIndex),
                code = \(paid.keys.code), link_index = \(paid.keys.linkIndex), link = \(paid.keys.link),
                issued_by = \(paid.issuedBy), deliver_at = \(paid.deliverAt), delivered_at = \(paid.deliveredAt),
                expires_at = \(paid.expiresAt), changed_at = \(now)
            where certificate_id = \(certificate.id) and state = 'draft'
            """)
    }

    /// Counts a certificate into the day of Moscow on which its payment began.
    /// - Returns: false when it would be more than a member may give away in a day.
    func count(
        _ value: Kopecks, of member: Member.ID, on moment: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            insert into gift_certificates.day_total as t (member_id, day, certificates, kopecks)
            values (\(member), (\(moment) at time zone 'Europe/Moscow')::date, 1, \(value))
            on conflict (member_id, day) do update
            set certificates = t.certificates + 1, kopecks = t.kopecks + excluded.kopecks
            where t.certificates < \(DayLimit.certificates) and t.kopecks + excluded.kopecks <= \(DayLimit.kopecks)
            """) == 1
    }

    /// Takes it out again: it was not paid.
    func uncount(
        _ value: Kopecks, of member: Member.ID, on moment: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update gift_certificates.day_total
            set certificates = certificates - 1, kopecks = kopecks - \(value)
            where member_id = \(member) and day = (\(moment) at time zone 'Europe/Moscow')::date
            """)
    }

    /// Whether there is room for another certificate today, as it looks now; ``count(_:of:on:in:)`` decides.
    func hasRoom(
        for value: Kopecks, of member: Member.ID, on moment: Timestamp,
        in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Bool {
        try await runner.one(
            """
            select not exists (
                select
                from gift_certificates.day_total
                where member_id = \(member) and day = (\(moment) at time zone 'Europe/Moscow')::date
                    and (certificates >= \(DayLimit.certificates) or kopecks + \(value) > \(DayLimit.kopecks)))
            """
        ).decode(Bool.self)
    }

    /// Forgets the days before the last week.
    func forget(before moment: Timestamp, in runner: borrowing some QueryRunner & ~Copyable) async throws {
        try await runner.execute(
            """
            delete from gift_certificates.day_total
            where day < (\(moment) at time zone 'Europe/Moscow')::date - 7
            """)
    }
}

/// A certificate as it becomes paid.
struct Paid: Sendable {
    let state: CertificateState
    let holder: Member.ID?
    let keys: SealedKeys
    let issuedBy: LedgerTransaction.ID?
    let deliverAt: Timestamp
    let deliveredAt: Timestamp?
    let expiresAt: Timestamp?
}
