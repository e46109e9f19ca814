import Kernel
import Postgres

/// What members give.
struct DonationStore: Sendable {
    private static let columns: SQL = """
        donation_id, member_id, campaign_id, fund, points, worth, match, needs_code, confirmed_at, booked_at, batch_id
        """

    func insert(_ new: DonationRecord, at now: Timestamp, in transaction: borrowing Transaction) async throws {
        try await transaction.execute(
            """
            insert into charity.donation (
                member_id, donation_id, campaign_id, fund, points, worth, match, needs_code, created_at
            )
            values (
                \(new.member), \(new.id), \(new.campaign), \(new.fund), \(new.points), \(new.worth), \(new.match),
                \(new.needsCode), \(now)
            )
            """)
    }

    func find(
        _ id: Donation.ID, of member: Member.ID, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> DonationRecord? {
        try await runner.first(
            """
            select \(fragment: Self.columns)
            from charity.donation
            where member_id = \(member) and donation_id = \(id)
            """, as: DonationRecord.self)
    }

    /// The member's, the latest first.
    func list(
        of member: Member.ID, before: Donation.ID?, limit: Int, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> [DonationRecord] {
        try await runner.query(
            """
            select \(fragment: Self.columns)
            from charity.donation
            where member_id = \(member) and (\(before)::uuid is null or donation_id < \(before))
            order by donation_id desc
            limit \(limit)
            """, as: DonationRecord.self)
    }

    /// Points that a member has confirmed without a code since a moment.
    func withoutCode(
        by member: Member.ID, since: Timestamp, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Points {
        try await runner.one(
            """
            select coalesce(sum(points), 0)::bigint
            from charity.donation
            where member_id = \(member) and not needs_code and confirmed_at > \(since)
            """
        ).decode(Points.self)
    }

    /// One donation of a member at a time is confirmed: the sum of the day is then what it is.
    func lockMember(_ member: Member.ID, in transaction: borrowing Transaction) async throws {
        let name = "charity/\(member)"
        try await transaction.execute("select pg_advisory_xact_lock(hashtextextended(\(name), 0))")
    }

    func confirm(
        _ id: Donation.ID, of member: Member.ID, at moment: Timestamp?, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update charity.donation
            set confirmed_at = \(moment)
            where member_id = \(member) and donation_id = \(id)
            """)
    }

    func book(
        _ id: Donation.ID, of member: Member.ID, at moment: Timestamp, in transaction: borrowing Transaction
    ) async throws {
        try await transaction.execute(
            """
            update charity.donation
            set booked_at = \(moment)
            where member_id = \(member) and donation_id = \(id)
            """)
    }

    /// The months of Moscow around a moment: the same one unless the month is about to turn, or has just turned.
    func isMonthTurning(
        at moment: Timestamp, margin: Duration, in runner: borrowing some QueryRunner & ~Copyable
    ) async throws -> Bool {
        try await runner.one(
            """
            select date_trunc('month', \(moment - margin) at time zone 'Europe/Moscow')
                <> date_trunc('month', \(moment + margin) at time zone 'Europe/Moscow')
            """
        ).decode(Bool.self)
    }
}

extension DonationRecord: RowDecodable {
    init(row: Row) throws {
        self.init(
            id: try row.value("donation_id"), member: try row.value("member_id"),
            campaign: try row.value("campaign_id"), fund: try row.value("fund"), points: try row.value("points"),
            worth: try row.value("worth"), match: try row.value("match"), needsCode: try row.value("needs_code"),
            confirmedAt: try row.value("confirmed_at"), bookedAt: try row.value("booked_at"),
            batch: try row.value("batch_id"))
    }
}
