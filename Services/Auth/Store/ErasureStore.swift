import Kernel
import Postgres

/// Destroys what is known of a member. The consents and the trace of changes stay: their values are sealed with the key
/// that goes, and that somebody agreed must be provable.
struct ErasureStore: Sendable {
    func erase(
        _ member: Member.ID, phoneIndex: [UInt8]?, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        _ = try await transaction.pipeline([
            """
            update auth.personal_data
            set wrapped_key = null, full_name = '', phone = null, phone_index = null, birthday = null, email = null,
                email_verified_at = null, identity_index = null, changed_at = \(now), erased_at = \(now)
            where member_id = \(member)
            """,
            """
            update auth.member
            set state = 'erased', reference = null, favourite_store = null, is_spending_locked = false,
                time_zone = default, value_held_until = null
            where member_id = \(member)
            """,
            """
            update auth.card
            set state = 'blocked'
            where member_id = \(member)
            """,
            """
            update auth.session
            set device = ''
            where member_id = \(member)
            """,
            """
            delete from auth.refresh_token t
            using auth.session s
            where s.session_id = t.session_id and s.member_id = \(member)
            """,
            """
            delete from auth.device_token d
            using auth.session s
            where s.session_id = d.session_id and s.member_id = \(member)
            """,
            // Challenges hold the phone under another key than the member's.
            """
            delete from auth.challenge c
            where c.phone_index = \(phoneIndex)
                or c.challenge_id in (
                    select challenge_id from auth.step_up where member_id = \(member)
                    union
                    select challenge_id from auth.phone_change where member_id = \(member)
                )
            """,
            "delete from auth.card_attempt where member_id = \(member)",
            "delete from auth.phone_recovery where member_id = \(member) and approved is null",
            "delete from auth.email_challenge where member_id = \(member)",
            "delete from auth.registration_ticket where phone_index = \(phoneIndex)",
            "delete from auth.registration_draft where phone_index = \(phoneIndex)",
        ])
    }
}
