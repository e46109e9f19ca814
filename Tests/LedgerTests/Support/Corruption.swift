import Postgres
import Testing

@testable import Ledger

/// A way to falsify the books, and the invariants that must be found broken, at least.
struct Corruption: Sendable, CustomTestStringConvertible {
    let what: String
    let sql: SQL
    let broken: Set<Invariant>

    var testDescription: String { self.what }

    init(_ what: String, breaks broken: Set<Invariant>, _ sql: SQL) {
        (self.what, self.sql, self.broken) = (what, sql, broken)
    }

    static let all = [
        Corruption(
            "a balance raised", breaks: [.balancesFollowPostings, .availableIsLots],
            "update ledger.member set available = available + 1"),
        Corruption(
            "a balance with its lot raised", breaks: [.balancesFollowPostings, .lotsFollowPostings],
            """
            with raised as (update ledger.member set available = available + 1 returning member_id)
            update ledger.lot as l set remaining = remaining - 1 from raised as r
            where l.member_id = r.member_id and remaining > 0
            """),
        Corruption(
            "held points vanished", breaks: [.heldIsOpenHolds, .balancesFollowPostings],
            "update ledger.member set held = 0"),
        Corruption(
            "a debt forgiven", breaks: [.balancesFollowPostings, .liabilityBothWays],
            "update ledger.member set debt = debt + 5"),
        Corruption(
            "a posting changed", breaks: [.balancesFollowPostings, .lotsFollowPostings, .liabilityBothWays],
            "update ledger.posting set amount = amount + 1 where debit = 20"),
        Corruption(
            "a posting deleted", breaks: [.balancesFollowPostings, .heldIsOpenHolds],
            "delete from ledger.posting where credit = 40"),
        Corruption(
            "a posting turned to another asset", breaks: [.postingsBalance],
            """
            with stickers as (
               insert into ledger.account (id, code, asset, holder, meaning)
               values (99, 'stickers', 'STK:test', 'house', 'test') returning id)
            update ledger.posting set credit = (select id from stickers) where credit = 40
            """),
        Corruption(
            "a posting to no account", breaks: [.postingsBalance],
            "update ledger.posting set debit = 77 where debit = 20"),
        Corruption(
            "a transaction deleted", breaks: [.postingsBalance, .balancesFollowPostings],
            "delete from ledger.transaction where kind = 'hold'"),
        Corruption(
            "a receipt's transaction deleted with its postings",
            breaks: [.receiptsHaveOneTransaction, .balancesFollowPostings, .lotsFollowPostings],
            """
            with gone as (delete from ledger.transaction where kind = 'earn' returning id)
            delete from ledger.posting where transaction_id in (select id from gone)
            """),
        Corruption(
            "the newest transaction cut off", breaks: [.balancesFollowPostings],
            "delete from ledger.transaction where version = (select max(version) from ledger.transaction)"),
        Corruption(
            "a balance after it rewritten", breaks: [.balancesFollowPostings],
            "update ledger.transaction set available_after = available_after + 1 where version = 1"),
        Corruption(
            "a transaction moved to another member",
            breaks: [.balancesFollowPostings, .postingsBalance, .receiptsHaveOneTransaction],
            "update ledger.transaction set member_id = gen_random_uuid() where version = 1"),
        Corruption(
            "a member deleted", breaks: [.balancesFollowPostings, .availableIsLots, .heldIsOpenHolds],
            "delete from ledger.member"),
        Corruption(
            "a lot deleted", breaks: [.lotsFollowPostings, .availableIsLots],
            "delete from ledger.lot where lot_class = 'promotional'"),
        Corruption(
            "a lot invented", breaks: [.lotsFollowPostings, .availableIsLots],
            """
            insert into ledger.lot (member_id, expires_at, number, lot_class, earned_at, source, amount, remaining)
            select member_id, expires_at, 1000 + number, lot_class, earned_at, source, amount, remaining from ledger.lot
            """),
        Corruption(
            "a lot made larger", breaks: [.lotsFollowPostings],
            "update ledger.lot set amount = amount + 1"),
        Corruption(
            "a hold deleted", breaks: [.heldIsOpenHolds],
            "delete from ledger.hold where state = 'open'"),
        Corruption(
            "a hold made larger", breaks: [.heldIsOpenHolds],
            "update ledger.hold set points = points + 1 where state = 'captured'"),
        Corruption(
            "a hold reopened", breaks: [.heldIsOpenHolds],
            """
            update ledger.hold set state = 'open', captured = 0, returned = 0, settled_by = null, settled_at = null
            where state = 'captured'
            """),
        Corruption(
            "a receipt deleted", breaks: [.receiptsHaveOneTransaction],
            "delete from ledger.receipt"),
        Corruption(
            "a receipt invented", breaks: [.receiptsHaveOneTransaction],
            """
            insert into ledger.receipt (receipt_id, fn, fd, fpd, total, ruleset, member_id, transaction_id, store)
            select gen_random_uuid(), fn, fd + 1000, fpd, total, ruleset, member_id, transaction_id, store
            from ledger.receipt
            """),
        Corruption(
            "a part of a capture forgotten", breaks: [.heldIsOpenHolds], "delete from ledger.part_capture"),
        Corruption(
            "stickers invented", breaks: [.balancesFollowPostings],
            "update ledger.sticker set balance = balance + 1"),
        Corruption(
            "money on a certificate raised", breaks: [.balancesFollowPostings],
            "update ledger.certificate set remaining = remaining - 1 where remaining > 0"),
        Corruption(
            "an advance payment written off", breaks: [.balancesFollowPostings],
            """
            update ledger.certificate set funding = 'money' where certificate_id in (
                select t.subject from ledger.posting as p
                join ledger.transaction as t on t.id = p.transaction_id and t.member_id = p.member_id
                where p.credit = 105)
            """),
        Corruption(
            "points that wait raised", breaks: [.availableIsLots],
            "update ledger.maturing set points = points + 1, remaining = remaining + 1"),
        Corruption(
            "an open item closed without a posting", breaks: [.liabilityBothWays],
            "update ledger.clearing_item set settled_by = null, settled_at = null, paid_by = null"),
        Corruption(
            "one side of a merge deleted", breaks: [.liabilityBothWays, .balancesFollowPostings],
            "delete from ledger.posting where credit = 72"),
        Corruption(
            "points left lying on a clearing account", breaks: [.clearingReturnsToZero],
            """
            update ledger.clearing_item
            set opened_at = opened_at - interval '41 days', settled_by = null, settled_at = null, paid_by = null
            """),
        Corruption(
            "more paid out of a clearing account than came in", breaks: [.clearingReturnsToZero],
            """
            with clearing as (
                insert into ledger.account (id, code, asset, holder, meaning)
                values (98, 'partner:test:clearing', 'PTS', 'house', 'test') returning id)
            update ledger.posting set debit = (select id from clearing) where debit = 20
            """),
        Corruption(
            "a sealed rule rewritten", breaks: [.sealsRecompute],
            "update ledger.posting set rule = 'another' where rule is not null"),
        Corruption(
            "a lot left past its expiry", breaks: [.nothingOverdue],
            "update ledger.lot set expires_at = '2026-02-01T00:00:00Z'"),
    ]
}
