import Kernel
import Postgres

/// Certificates: making, finding, and the steps of their lives. Every step names the state that it begins in.
struct CertificateStore: Sendable {
    private static let columns: SQL = """
        certificate_id, buyer_id, holder_id, state, blocked_from, face_value, remaining, held, funding, template,
        background, accent, way, recipient, words, local_time, zone, even_at_night, deliver_at, code, link, payment_id,
        issued_by, notice_id, sent_at, delivered_at, undelivered_at, expires_at, created_at
        """

    /// Writes a draft.
    func insert(
        _ id: GiftCertificate.ID, of buyer: Member.ID, _ order: GiftOrder, sealed: SealedOrder, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            insert into gift_certificates.certificate (
                certificate_id, buyer_id, state, face_value, remaining, funding, template, background, accent, way,
                recipient, words, local_time, zone, even_at_night, created_at, changed_at
            )
            values (
                \(id), \(buyer), 'draft', \(order.value.kopecks), \(order.value.kopecks), 'points',
                \(order.design.template), \(order.design.background.text), \(order.design.accent.text),
                \(order.recipient.way), \(sealed.recipient), \(sealed.words), \(order.wish.at?.text),
                \(order.wish.zone), \(order.wish.evenAtNight), \(now), \(now)
            )
            """)
    }

    /// Changes a draft that is not being paid for; false when it is not (any more) one.
    func change(
        _ id: GiftCertificate.ID, _ order: GiftOrder, sealed: SealedOrder, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws -> Bool {
        try await transaction.execute(
            """
            update gift_certificates.certificate
            set face_value = \(order.value.kopecks), remaining = \(order.value.kopecks),
                template = \(order.design.template), background = \(order.design.background.text),
                accent = \(order.design.accent.text), way = \(order.recipient.way), recipient = \(sealed.recipient),
                words = \(sealed.words), local_time = \(order.wish.at?.text), zone = \(order.wish.zone),
                even_at_night = \(order.wish.evenAtNight), changed_at = \(now)
            where certificate_id = \(id) and state = 'draft' and payment_id is null
            """) == 1
    }

    func find(
        _ id: GiftCertificate.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Certificate? {
        try await runner.first(
            """
            select \(fragment: Self.columns)
            from gift_certificates.certificate
            where certificate_id = \(id)
            """, as: Certificate.self)
    }

    /// With the lock that every change of the certificate's money and state takes.
    func lock(_ id: GiftCertificate.ID, in transaction: borrowing Transaction) async throws -> Certificate? {
        try await transaction.first(
            """
            select \(fragment: Self.columns)
            from gift_certificates.certificate
            where certificate_id = \(id)
            for no key update
            """, as: Certificate.self)
    }

    func lock(codeIndex: [UInt8], in transaction: borrowing Transaction) async throws -> Certificate? {
        try await transaction.first(
            """
            select \(fragment: Self.columns)
            from gift_certificates.certificate
            where code_index = \(codeIndex)
            for no key update
            """, as: Certificate.self)
    }

    func find(
        codeIndex: [UInt8], in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Certificate? {
        try await runner.first(
            """
            select \(fragment: Self.columns)
            from gift_certificates.certificate
            where code_index = \(codeIndex)
            """, as: Certificate.self)
    }

    func find(
        linkIndex: [UInt8], in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Certificate? {
        try await runner.first(
            """
            select \(fragment: Self.columns)
            from gift_certificates.certificate
            where link_index = \(linkIndex)
            """, as: Certificate.self)
    }

    /// The certificate that a redemption pays for, with its lock.
    func lock(
        payment: Certificate.LedgerIssue, in transaction: borrowing Transaction
    ) async throws -> Certificate? {
        try await transaction.first(
            """
            select \(fragment: Self.columns)
            from gift_certificates.certificate
            where payment_id = \(payment)
            for no key update
            """, as: Certificate.self)
    }

    /// Those that a member has bought or holds, the latest first.
    func list(
        of member: Member.ID, before: GiftCertificate.ID?, limit: Int,
        in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [Certificate] {
        try await runner.query(
            """
            select \(fragment: Self.columns)
            from gift_certificates.certificate
            where (buyer_id = \(member) or holder_id = \(member))
                and (\(before)::uuid is null or certificate_id < \(before))
            order by certificate_id desc
            limit \(limit)
            """, as: Certificate.self)
    }

    /// Takes a step and nothing else; false when the certificate is not where the step begins.
    func step(
        _ id: GiftCertificate.ID, from state: CertificateState, to next: CertificateState, at now: Timestamp,
        in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Bool {
        precondition(state.canBecome(next), "a certificate does not go from \(state) to \(next)")
        return try await runner.execute(
            """
            update gift_certificates.certificate
            set state = \(next), changed_at = \(now)
            where certificate_id = \(id) and state = \(state)
            """) == 1
    }

    /// Blocks one, remembering where it stands.
    func block(_ certificate: Certificate, at now: Timestamp, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update gift_certificates.certificate
            set state = 'blocked', blocked_from = \(certificate.state), changed_at = \(now)
            where certificate_id = \(certificate.id)
            """)
    }

    /// Lets one go on from where it was blocked.
    func unblock(_ certificate: Certificate, at now: Timestamp, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update gift_certificates.certificate
            set state = blocked_from, blocked_from = null, changed_at = \(now)
            where certificate_id = \(certificate.id) and state = 'blocked'
            """)
    }

    /// The points are back: nothing is left of it.
    func refunded(_ certificate: Certificate, at now: Timestamp, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update gift_certificates.certificate
            set state = 'refunded', blocked_from = null, remaining = 0, changed_at = \(now)
            where certificate_id = \(certificate.id) and state = 'blocked'
            """)
    }

    /// Makes it a member's.
    func claim(
        _ id: GiftCertificate.ID, by member: Member.ID, state: CertificateState, at now: Timestamp,
        in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update gift_certificates.certificate
            set holder_id = \(member), state = \(state), delivered_at = coalesce(delivered_at, \(now)),
                changed_at = \(now)
            where certificate_id = \(id) and holder_id is null
            """)
    }

    /// Everything of a member that only a person means is destroyed; what still has to arrive keeps its address until
    /// then.
    func erase(_ member: Member.ID, at now: Timestamp, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            delete from gift_certificates.photo as p
            using gift_certificates.certificate as c
            where c.certificate_id = p.certificate_id and c.buyer_id = \(member)
            """)
        try await transaction.execute(
            """
            update gift_certificates.certificate
            set words = null, changed_at = \(now),
                recipient = case when state in ('paid', 'scheduled', 'delivering') then recipient end
            where buyer_id = \(member)
            """)
    }
}

/// What is sealed of an order before it is written.
struct SealedOrder: Sendable {
    let recipient: [UInt8]
    let words: [UInt8]?
}

extension CertificateState: PostgresWrapper {}
extension Funding: PostgresWrapper {}
extension GiftDesign.Template: PostgresWrapper {}
extension GiftRecipient.Way: PostgresWrapper {}
extension RussianZone: PostgresWrapper {}

extension Colour: PostgresWrapper {
    var stored: String { self.text }
    init?(stored: String) { self.init(stored) }
}

extension Certificate: RowDecodable {
    init(row: Row) throws {
        let wish = DeliveryWish(
            at: (try row.value("local_time", as: String?.self)).flatMap { LocalMoment($0) },
            zone: try row.value("zone"), evenAtNight: try row.value("even_at_night"))
        self.init(
            id: try row.value("certificate_id"), buyer: try row.value("buyer_id"), holder: try row.value("holder_id"),
            state: try row.value("state"), blockedFrom: try row.value("blocked_from"),
            faceValue: try row.value("face_value"), remaining: try row.value("remaining"), held: try row.value("held"),
            funding: try row.value("funding"),
            design: GiftDesign(
                template: try row.value("template"), background: try row.value("background"),
                accent: try row.value("accent")),
            way: try row.value("way"), recipient: try row.value("recipient"), words: try row.value("words"),
            wish: wish, deliverAt: try row.value("deliver_at"), code: try row.value("code"),
            link: try row.value("link"), payment: try row.value("payment_id"), issuedBy: try row.value("issued_by"),
            notice: try row.value("notice_id"), sentAt: try row.value("sent_at"),
            deliveredAt: try row.value("delivered_at"), undeliveredAt: try row.value("undelivered_at"),
            expiresAt: try row.value("expires_at"), createdAt: try row.value("created_at"))
    }
}
