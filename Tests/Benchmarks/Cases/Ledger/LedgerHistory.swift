import Postgres

/// Two years of a ledger in a few statements: an opening lot of a million points for each member, and for regulars
/// receipts of 100 points whose lots expire one after the other, so that five or six are open. Member n is md5(n).
struct LedgerHistory: Sendable {
    let members: Int
    let regulars: Int
    /// Postings of each regular.
    let each: Int

    var statements: [SQL] {
        [self.months, self.history] + self.withoutKeys
            + [self.receipts, self.lots, self.transactions, self.postings, self.owners] + self.keys
            + ["drop table bench_history"]
    }

    /// What the service would do about the past as soon as it runs counts as done: the months are closed, an audit has been
    /// made, and the history is sealed, as a block whose tree nobody recomputes here. The filling is one database
    /// transaction, and what one transaction has booked is sealed in one block: millions in one would be read into memory.
    static let settled: [SQL] = [
        "insert into ledger.seal_key (key_id, public_key, added_at) values ('bench-history---', sha256('key'), now())",
        """
        insert into ledger.seal_block (
            number, xid_from, xid_to, sealed_at, transactions, key_id, previous, root, hash, signature, leaves)
        select 1, '0', pg_snapshot_xmin(pg_current_snapshot()), now(), 1, 'bench-history---', sha256('previous'),
            sha256('root'), sha256('hash'), sha512('signature'), sha256('leaf')
        """,
        """
        insert into ledger.month (month, closed_at, members, available, pending, held, debt)
        select (date_trunc('month', now() at time zone 'Europe/Moscow') - make_interval(months => n))::date, now(),
            0, 0, 0, 0, 0
        from generate_series(1, 25) as n
        """,
        "select ledger.record_audit(now(), now(), '[]')",
    ]

    private var months: SQL {
        "select ledger.make_partitions(now() - interval '24 months', 30)"
    }

    /// Step 0 is the opening. Of the steps after the fifth, the even ones earn and the odd ones expire the lot of
    /// receipt (step - 5) / 2; receipt r is in lot r + 1.
    private var history: SQL {
        """
        create unlogged table bench_history as
        select member_id, step, at, is_earn, receipt + 1 as lot, 2 * receipt + 5 <= steps and receipt > 0 as is_closed,
            (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '70008'
                || substr(md5(member_id::text || step), 1, 15))::uuid as id,
            case when step = 0 then 0 when step <= 5 then step else 5 + (step % 2 = 0)::integer end * 100 + 1000000
                as balance,
            step = steps as is_last
        from (
            select member_id, step, steps, step <= 5 or step % 2 = 0 as is_earn,
                case when step <= 5 then step when step % 2 = 0 then 5 + (step - 4) / 2 else (step - 5) / 2 end
                    as receipt,
                date_trunc('milliseconds', now() - interval '23 months'
                    + interval '22 months' * ((step + 0.9 * n / \(Int32(self.members))) / (steps + 1))) as at
            from (
                select n, md5(n::text)::uuid as member_id,
                    case when n <= \(Int32(self.regulars)) then \(Int32(self.each)) else 0 end as steps
                from generate_series(1, \(Int32(self.members))) as n
            ) as owner
            cross join lateral generate_series(0, steps) as step
        ) as deed
        """
    }

    /// Large tables are filled faster without their keys.
    private var withoutKeys: [SQL] {
        [
            "alter table ledger.lot drop constraint lot_pkey",
            "alter table ledger.receipt drop constraint receipt_pkey, drop constraint receipt_fiscal_triple",
            "alter table ledger.transaction drop constraint transaction_pkey",
            "drop index ledger.transaction_xid",
        ]
    }

    private var keys: [SQL] {
        [
            "alter table ledger.lot add primary key (member_id, expires_at, number)",
            """
            alter table ledger.receipt add primary key (receipt_id),
                add constraint receipt_fiscal_triple unique (fn, fd, fpd)
            """,
            "alter table ledger.transaction add primary key (member_id, id)",
            "create index transaction_xid on ledger.transaction (xid)",
        ]
    }

    private var receipts: SQL {
        """
        insert into ledger.receipt (receipt_id, fn, fd, fpd, total, ruleset, member_id, transaction_id, store)
        select id, 9999999999999999, row_number() over (), 7, 123400, 1, member_id, id, 'bench'
        from bench_history where is_earn
        """
    }

    /// What is open lasts for one to six months more.
    private var lots: SQL {
        """
        insert into ledger.lot (
            member_id, expires_at, number, lot_class, earned_at, source, amount, remaining)
        select h.member_id,
            case when h.is_closed then h.at + interval '1 day'
                else date_trunc('month', now()) + make_interval(months => 1 + h.lot % 6) end,
            h.lot, 'regular', h.at, h.id, case when h.step = 0 then 1000000 else 100 end,
            case when h.step = 0 then 1000000 when h.is_closed then 0 else 100 end
        from bench_history as h where h.is_earn
        """
    }

    private var transactions: SQL {
        """
        insert into ledger.transaction (
            id, member_id, version, recorded_at, effective_at, available_after, pending_after, held_after, debt_after,
            subject, kind)
        select id, member_id, step + 1, at, at, balance, 0, 0, 0, case when is_earn then id end,
            case when is_earn then 'earn' else 'expire' end::ledger.transaction_kind
        from bench_history order by at
        """
    }

    private var postings: SQL {
        """
        insert into ledger.posting (transaction_id, member_id, amount, lot, line, debit, credit, rule)
        select id, member_id, case when step = 0 then 1000000 else 100 end, lot, 1,
            case when is_earn then 20 else 1 end, case when is_earn then 1 else 60 end,
            case when is_earn then 'base' end
        from bench_history order by at
        """
    }

    private var owners: SQL {
        """
        insert into ledger.member (member_id, available, version, lots, next_expiry, recorded_at)
        select h.member_id, h.balance, h.step + 1,
            case when h.step <= 5 then h.step else 5 + (h.step - 4) / 2 end + 1,
            date_trunc('month', now()) + interval '1 month', h.at
        from bench_history as h where h.is_last
        """
    }
}
