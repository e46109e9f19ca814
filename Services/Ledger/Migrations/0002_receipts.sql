-- 0002: receipts become points: expiry days, and the function that posts a batch of receipts in a few statements.

-- When points of a class that are credited at p_at expire: the midnight in Moscow that ends their last day.
create function ledger.expiry(p_class text, p_at timestamptz) returns timestamptz
language sql stable set search_path = ledger, pg_temp
as $$
    select (case policy.lasts_to_end_of
            when 'month' then date_trunc('month', lived) + interval '1 month'
            else date_trunc('day', lived) + interval '1 day'
        end) at time zone 'Europe/Moscow'
    from (
        select * from lot_policy where lot_class = p_class and in_force_from <= p_at order by in_force_from desc limit 1
    ) as policy,
    lateral (
        select (p_at at time zone 'Europe/Moscow') + make_interval(months => policy.months, days => policy.days) as lived
    ) as life
$$;

-- Takes the row locks that every change of a balance needs, always in ascending order of ids, so that operations
-- which touch several members cannot deadlock. Members appear here on their first receipt.
create function ledger.lock_members(p_members uuid[]) returns void
language plpgsql set search_path = ledger, pg_temp
as $$
begin
    insert into member (member_id)
    select distinct member_id from unnest(p_members) as wanted (member_id) order by member_id
    on conflict do nothing;
    perform from member where member_id = any (p_members) order by member_id for no key update;
end
$$;

-- Posts a batch of receipts, each of them at most once. One answer per receipt, in the order given:
--   posted    its transaction was made now: `credited` points for the balance, `repaid` points for the debt
--   replayed  it had been posted before, with the same content; `transaction_id` is the standing one
--   refused   its id or its fiscal triple belongs to a receipt with other content; the refusal is kept
-- The accruals come flat: p_accrual_receipts says which receipt (from 1) each one belongs to.
create function ledger.post_receipts(
    p_at timestamptz,
    p_receipts uuid[], p_members uuid[], p_fn bigint[], p_fd bigint[], p_fpd bigint[], p_stores text[],
    p_totals bigint[], p_effective_at timestamptz[], p_rulesets bigint[],
    p_accrual_receipts integer[], p_accrual_classes text[], p_accrual_points bigint[], p_accrual_rules text[]
) returns table (ordinal bigint, outcome text, transaction_id uuid, credited bigint, repaid bigint)
language plpgsql security definer set search_path = ledger, pg_temp set jit = off
-- A generic plan takes the arrays for short and joins them in loops: half the throughput.
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    ids    uuid[];
    hashes bytea[];
    posted bigint;
begin
    if exists (
        select from unnest(p_accrual_receipts, p_accrual_classes, p_accrual_points) as a (receipt, lot_class, points)
        where a.points is null or a.points < 0 or a.receipt not between 1 and cardinality(p_receipts)
            or not exists (
                select from lot_policy as p where p.lot_class = a.lot_class and p.issued_by is not null)
    ) then
        raise exception 'an accrual is negative, of no receipt, or of an unknown class'
            using errcode = 'invalid_parameter_value';
    end if;

    select array_agg(new_id(p_at, r.i) order by r.i), array_agg(substr(sha256(convert_to(row(
            r.receipt_id, r.member_id, r.fn, r.fd, r.fpd, r.store, r.total,
            extract(epoch from r.effective_at), r.ruleset, a.said)::text, 'UTF8')), 1, 16) order by r.i)
    into ids, hashes
    from unnest(p_receipts, p_members, p_fn, p_fd, p_fpd, p_stores, p_totals, p_effective_at, p_rulesets)
        with ordinality as r (receipt_id, member_id, fn, fd, fpd, store, total, effective_at, ruleset, i)
    left join (
        select receipt, string_agg(row(lot_class, rule, points)::text, ',' order by lot_class, rule, points) as said
        from unnest(p_accrual_receipts, p_accrual_classes, p_accrual_points, p_accrual_rules)
            as x (receipt, lot_class, points, rule)
        group by receipt
    ) as a on a.receipt = r.i;

    perform lock_members(p_members);

    return query
    with request as materialized (
        select *
        from unnest(
            ids, p_receipts, p_members, p_fn, p_fd, p_fpd, p_stores, p_totals, p_effective_at, p_rulesets, hashes
        ) with ordinality as r (
            transaction_id, receipt_id, member_id, fn, fd, fpd, store, total, effective_at, ruleset, hash, i)
    ),
    taken as (
        insert into receipt (
            receipt_id, fn, fd, fpd, total, member_id, transaction_id, request_hash, store, ruleset)
        select receipt_id, fn, fd, fpd, total, member_id, transaction_id, hash, store, ruleset
        from request
        order by i
        on conflict do nothing
        returning transaction_id
    ),
    fresh as materialized (
        select r.i, r.transaction_id, r.member_id, r.receipt_id, r.effective_at,
            m.available, m.pending, m.held, m.debt, m.version, m.lots
        from taken join request as r using (transaction_id) join member as m using (member_id)
    ),
    policy as materialized (
        select lot_class, expiry(lot_class, p_at) as expires_at, issued_by
        from (
            select distinct on (lot_class) lot_class, issued_by
            from lot_policy where in_force_from <= p_at order by lot_class, in_force_from desc
        ) as in_force
    ),
    -- each accrual with what it repays of the debt that the accruals before it have left
    share as materialized (
        select f.i, f.transaction_id, f.member_id, f.lots, x.n, x.lot_class, x.points, x.rule,
            least(x.points, greatest(0, f.debt
                - (sum(x.points) over (partition by f.member_id order by f.i, x.n) - x.points)))::bigint as repaid
        from fresh as f
        join unnest(p_accrual_receipts, p_accrual_classes, p_accrual_points, p_accrual_rules)
            with ordinality as x (receipt, lot_class, points, rule, n) on x.receipt = f.i
        where x.points > 0
    ),
    -- one lot per receipt and class, numbered on from the member's last
    parcel as materialized (
        select i, transaction_id, member_id, lot_class, sum(points - repaid)::bigint as amount,
            (max(lots) + row_number() over (partition by member_id order by i, lot_class))::integer as number
        from share
        where points > repaid
        group by i, transaction_id, member_id, lot_class
    ),
    made_lot as (
        insert into lot (member_id, expires_at, number, lot_class, earned_at, source, amount, remaining)
        select p.member_id, policy.expires_at, p.number, p.lot_class, p_at, p.transaction_id, p.amount, p.amount
        from parcel as p join policy using (lot_class)
        order by p.i, p.number
    ),
    made_posting as (
        insert into posting (transaction_id, member_id, amount, lot, line, debit, credit, rule)
        select s.transaction_id, s.member_id, part.amount, part.lot,
            row_number() over (partition by s.i order by s.n, part.credit), policy.issued_by, part.credit, s.rule
        from share as s
        join policy using (lot_class)
        left join parcel as p on p.i = s.i and p.lot_class = s.lot_class
        cross join lateral (
            values (s.points - s.repaid, 1::smallint, p.number), (s.repaid, 4::smallint, null)
        ) as part (amount, credit, lot)
        where part.amount > 0
        order by s.i
    ),
    gain as (
        select i, sum(points - repaid)::bigint as credited, sum(repaid)::bigint as repaid from share group by i
    ),
    answer as materialized (
        select f.*, coalesce(g.credited, 0) as credited, coalesce(g.repaid, 0) as repaid,
            row_number() over mine as nth,
            coalesce(sum(g.credited) over mine, 0)::bigint as credited_so_far,
            coalesce(sum(g.repaid) over mine, 0)::bigint as repaid_so_far
        from fresh as f left join gain as g using (i)
        window mine as (partition by f.member_id order by f.i)
    ),
    made_transaction as (
        insert into transaction (
            id, member_id, version, recorded_at, effective_at, available_after, pending_after, held_after, debt_after,
            subject, kind)
        select transaction_id, member_id, version + nth, p_at, effective_at, available + credited_so_far, pending,
            held, debt - repaid_so_far, receipt_id, 'earn'
        from answer
        order by i
    ),
    made_balance as (
        update member as m
        set available = m.available + a.credited, debt = m.debt - a.repaid, version = m.version + a.transactions,
            lots = m.lots + coalesce(p.lots, 0), next_expiry = least(m.next_expiry, p.expires_at)
        from (
            select member_id, sum(credited) as credited, sum(repaid) as repaid, count(*) as transactions
            from answer group by member_id
        ) as a
        left join (
            select member_id, count(*) as lots, min(expires_at) as expires_at
            from parcel join policy using (lot_class) group by member_id
        ) as p using (member_id)
        where m.member_id = a.member_id
    )
    select i, 'posted', transaction_id, credited, repaid from answer order by i;

    get diagnostics posted = row_count;
    if posted = cardinality(ids) then
        return;
    end if;

    -- What was not new is looked up in a snapshot of its own: it may have been committed a moment ago.
    return query
    with again as (
        select r.i, r.receipt_id, r.member_id, r.hash, standing.transaction_id,
            standing.request_hash = r.hash as same, standing.receipt_id as standing
        from unnest(ids, p_receipts, p_members, p_fn, p_fd, p_fpd, hashes)
            with ordinality as r (id, receipt_id, member_id, fn, fd, fpd, hash, i)
        cross join lateral (
            select * from receipt as k where k.receipt_id = r.receipt_id
            union all
            select * from receipt as k where (k.fn, k.fd, k.fpd) = (r.fn, r.fd, r.fpd)
            limit 1
        ) as standing
        where standing.transaction_id <> r.id
    ),
    kept as (
        insert into refused_receipt (receipt_id, request_hash, member_id, standing, refused_at)
        select receipt_id, hash, member_id, standing, p_at from again where not same
        on conflict do nothing
    )
    select i, case when same then 'replayed' else 'refused' end, transaction_id, 0::bigint, 0::bigint
    from again
    order by i;
end
$$;
