import Kernel
import Postgres

/// The end of advertising by SMS, as the consent ledger has it.
struct AdvertisingStore: Sendable {
    /// Appends a withdrawal for whoever has the phone, unless the newest choice is one already.
    /// - Returns: whether there was something to withdraw.
    func withdrawSMS(phoneIndex: [UInt8], at now: Timestamp, on database: Database) async throws -> Bool {
        try await database.execute(
            """
            insert into auth.consent (member_id, purpose, channel, text_version, granted, source, recorded_at)
            select newest.member_id, 'marketing', 'sms', newest.text_version, false, 'reply', \(now)
            from auth.personal_data p
            cross join lateral (
                select c.member_id, c.text_version, c.granted
                from auth.consent c
                where c.member_id = p.member_id and c.purpose = 'marketing' and c.channel = 'sms'
                order by c.consent_id desc
                limit 1
            ) newest
            where p.phone_index = \(phoneIndex) and newest.granted
            """) == 1
    }
}
