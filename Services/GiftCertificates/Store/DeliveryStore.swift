import Kernel
import Postgres

/// When gifts are due, and how they fare on their way. What the clocks of a zone say is the database's knowledge.
struct DeliveryStore: Sendable {
    /// The moment of a wish. Without an hour: at once, and at eight in the morning when it is night there.
    func moment(
        of wish: DeliveryWish, at now: Timestamp, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Timestamp {
        if let at = wish.at {
            return try await runner.one("select \(at.text)::text::timestamp at time zone \(wish.zone)")
                .decode(Timestamp.self)
        }
        return try await runner.one(
            """
            select
                case
                    when \(wish.evenAtNight) or extract(hour from here) between 8 and 21 then \(now)
                    when extract(hour from here) >= 22
                        then (date_trunc('day', here) + interval '1 day 8 hours') at time zone \(wish.zone)
                    else (date_trunc('day', here) + interval '8 hours') at time zone \(wish.zone)
                end
            from (select \(now) at time zone \(wish.zone) as here) as clock
            """
        ).decode(Timestamp.self)
    }

    /// Those whose hour has come, locked; what another process has locked it is seeing to.
    func due(
        at now: Timestamp, limit: Int, in transaction: borrowing Transaction
    ) async throws -> [GiftCertificate.ID] {
        try await transaction.query(
            """
            select certificate_id
            from gift_certificates.certificate
            where state = 'scheduled' and deliver_at <= \(now)
            order by deliver_at
            limit \(limit)
            for no key update skip locked
            """
        ).map { try $0.decode(GiftCertificate.ID.self) }
    }

    /// On its way, under a notice.
    func send(
        _ id: GiftCertificate.ID, notice: Notice.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update gift_certificates.certificate
            set state = 'delivering', notice_id = \(notice), sent_at = \(now), undelivered_at = null, changed_at = \(now)
            where certificate_id = \(id) and state = 'scheduled'
            """)
    }

    /// The one that a notice carries, with its lock.
    func carried(
        by notice: Notice.ID, in transaction: borrowing Transaction
    ) async throws -> GiftCertificate.ID? {
        try await transaction.first(
            """
            select certificate_id
            from gift_certificates.certificate
            where notice_id = \(notice)
            for no key update
            """
        )?.decode(GiftCertificate.ID.self)
    }

    func arrive(_ id: GiftCertificate.ID, at moment: Timestamp, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            update gift_certificates.certificate
            set state = case state when 'delivering' then 'delivered' else state end,
                delivered_at = coalesce(delivered_at, \(moment)), changed_at = \(moment)
            where certificate_id = \(id)
            """)
    }

    /// Those that have been on their way since before a moment, of which the giver has not been told, locked.
    func lost(
        since: Timestamp, limit: Int, in transaction: borrowing Transaction
    ) async throws -> [GiftCertificate.ID] {
        try await transaction.query(
            """
            select certificate_id
            from gift_certificates.certificate
            where state = 'delivering' and undelivered_at is null and sent_at <= \(since)
            order by sent_at
            limit \(limit)
            for no key update skip locked
            """
        ).map { try $0.decode(GiftCertificate.ID.self) }
    }

    func markUndelivered(
        _ id: GiftCertificate.ID, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update gift_certificates.certificate
            set undelivered_at = \(now), changed_at = \(now)
            where certificate_id = \(id)
            """)
    }

    /// Sends it elsewhere: with another link and another code, since the old ones may be with a stranger.
    func readdress(
        _ certificate: Certificate, _ order: Readdressed, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update gift_certificates.certificate
            set state = \(order.state), way = \(order.way), recipient = \(order.recipient),
                local_time = \(order.wish.at?.text), zone = \(order.wish.zone), even_at_night = \(order.wish.evenAtNight),
                deliver_at = \(order.deliverAt), holder_id = \(order.holder), code_index = \(order.keys.codeIndex),
                code = \(order.keys.code), link_index = \(order.keys.linkIndex), link = \(order.keys.link),
                notice_id = null, sent_at = null, undelivered_at = null, changed_at = \(now)
            where certificate_id = \(certificate.id)
            """)
    }

    /// Ends those whose time is over and of which no till holds anything; never those that money has bought.
    func expire(at now: Timestamp, in runner: borrowing some QueryRunner & ~Copyable) async throws -> Int {
        try await runner.execute(
            """
            update gift_certificates.certificate
            set state = 'expired', changed_at = \(now)
            where state in ('delivered', 'activated', 'partly-used') and expires_at <= \(now) and held = 0
                and funding = 'points'
            """)
    }
}

/// Another address for a gift, with everything that comes of it.
struct Readdressed: Sendable {
    let state: CertificateState
    let way: GiftRecipient.Way
    /// Sealed.
    let recipient: [UInt8]
    let wish: DeliveryWish
    let deliverAt: Timestamp
    let holder: Member.ID?
    let keys: SealedKeys
}

/// The code and the link of a certificate as they are written.
struct SealedKeys: Sendable {
    let codeIndex: [UInt8]
    let code: [UInt8]
    let linkIndex: [UInt8]
    let link: [UInt8]
}
