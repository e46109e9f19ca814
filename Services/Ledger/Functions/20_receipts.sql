-- Receipts become points: expiry days, and the function that posts a batch of receipts in a few statements.

-- When points of a class that are credited at p_at expire: the midnight in Moscow that ends their last day.
create function ledger.expiry(p_class text, p_at timestamptz) returns timestamptz
language plpgsql stable set search_path = ledger, pg_temp
as $$
declare
    rule  lot_policy;
    lived timestamp;
begin
    select * into rule from lot_policy
    where lot_class = p_class and in_force_from <= p_at order by in_force_from desc limit 1;
    lived := (p_at at time zone 'Europe/Moscow') + make_interval(months => rule.months, days => rule.days);
    if rule.lasts_to_end_of = 'month' then
        return (date_trunc('month', lived) + interval '1 month') at time zone 'Europe/Moscow';
    end if;
    return (date_trunc('day', lived) + interval '1 day') at time zone 'Europe/Moscow';
end
$$;

-- Members appear here on their first receipt. Nearly all of them are here already, and to ask costs less than to try.
create function ledger.make_members(p_members uuid[]) returns void
language plpgsql set search_path = ledger, pg_temp
as $$
begin
    insert into member (member_id)
    select distinct member_id from unnest(p_members) as wanted (member_id)
    where not exists (select from member as m where m.member_id = wanted.member_id) order by member_id
    on conflict do nothing;
end
$$;

-- Takes the row locks that every change of a balance needs, always in ascending order of ids, so that operations
-- which touch several members cannot deadlock.
create function ledger.lock_members(p_members uuid[]) returns void
language plpgsql set search_path = ledger, pg_temp
as $$
begin
    perform make_members(p_members);
    perform from member where member_id = any (p_members) order by member_id for no key update;
end
$$;

-- Of the receipts that were not new (all but p_new) tells repetitions from impostors, by what stands in the books: the
-- account that issued the points tells the class of an accrual. Run after the posting, in a snapshot of its own, since
-- the standing receipt may have been committed a moment ago. Keeps what it refuses.
create function ledger.judge_repeated_receipts(
    p_at timestamptz,
    p_receipts uuid[], p_members uuid[], p_fn bigint[], p_fd bigint[], p_fpd bigint[], p_stores text[],
    p_totals bigint[], p_effective_at timestamptz[], p_rulesets bigint[],
    p_accrual_receipts integer[], p_accrual_classes text[], p_accrual_points bigint[], p_accrual_rules text[],
    p_accrual_matures timestamptz[], p_new bigint[]
) returns table (
    ordinal bigint, outcome text, transaction_id uuid, recorded_at timestamptz, credited bigint, repaid bigint)
language sql volatile set search_path = ledger, pg_temp
as $$
    with again as materialized (
        select r.*, standing.receipt_id as standing, standing.transaction_id, t.recorded_at,
            standing.member_id as standing_member,
            (standing.receipt_id, standing.member_id, standing.fn, standing.fd, standing.fpd, standing.store,
                standing.total, standing.ruleset, t.effective_at)
            is not distinct from
            (r.receipt_id, r.member_id, r.fn, r.fd, r.fpd, r.store, r.total, r.ruleset, r.effective_at) as alike
        from unnest(p_receipts, p_members, p_fn, p_fd, p_fpd, p_stores, p_totals, p_effective_at, p_rulesets)
            with ordinality as r (receipt_id, member_id, fn, fd, fpd, store, total, effective_at, ruleset, i)
        cross join lateral (
            select * from receipt as k where k.receipt_id = r.receipt_id
            union all
            select * from receipt as k where (k.fn, k.fd, k.fpd) = (r.fn, r.fd, r.fpd)
            limit 1
        ) as standing
        join transaction as t on t.member_id = standing.member_id and t.id = standing.transaction_id
        where r.i <> all (p_new)
    ),
    said as materialized (
        select x.receipt as i, policy.issued_by, x.rule, coalesce(x.matures_at, '-infinity') as matures_at,
            sum(x.points) as points
        from unnest(p_accrual_receipts, p_accrual_classes, p_accrual_points, p_accrual_rules, p_accrual_matures)
            as x (receipt, lot_class, points, rule, matures_at)
        join (
            select distinct on (lot_class) lot_class, issued_by from lot_policy order by lot_class, in_force_from desc
        ) as policy using (lot_class)
        where x.points > 0 and x.receipt in (select i from again)
        group by x.receipt, policy.issued_by, x.rule, x.matures_at
    ),
    booked as materialized (
        select a.i, p.debit as issued_by, p.rule, coalesce(w.matures_at, '-infinity') as matures_at,
            sum(p.amount) as points
        from again as a
        join posting as p on p.transaction_id = a.transaction_id and p.member_id = a.standing_member
        left join maturing as w
            on w.member_id = p.member_id and w.transaction_id = p.transaction_id and w.line = p.line
        group by a.i, p.debit, p.rule, w.matures_at
    ),
    judged as materialized (
        select a.*, a.alike and a.i not in (
                select i from said full join booked using (i, issued_by, rule, matures_at)
                where said.points is distinct from booked.points
            ) as same
        from again as a
    ),
    kept as (
        insert into refused_receipt (receipt_id, member_id, standing, refused_at, said)
        select receipt_id, member_id, standing, p_at, jsonb_build_object(
            'fn', fn, 'fd', fd, 'fpd', fpd, 'store', store, 'total', total, 'effective_at', effective_at,
            'ruleset', ruleset,
            'accruals', (
                select jsonb_agg(jsonb_build_object('issued_by', s.issued_by, 'rule', s.rule, 'points', s.points))
                from said as s where s.i = judged.i))
        from judged
        where not same
    )
    select i, case when same then 'replayed' else 'refused' end, transaction_id, recorded_at, 0::bigint, 0::bigint
    from judged
$$;

-- Posts a batch of receipts, each of them at most once. One answer per receipt, in the order given:
--   posted    its transaction was made now: `credited` points for the balance, `repaid` points for the debt
--   replayed  it had been posted before, with the same content; `transaction_id` is the standing one
--   refused   its id or its fiscal triple belongs to a receipt with other content; the refusal is kept
-- The accruals come flat: p_accrual_receipts says which receipt (from 1) each one belongs to. One with a moment in
-- p_accrual_matures waits for it: its points are pending, and repay no debt before they mature.
create function ledger.post_receipts(
    p_at timestamptz,
    p_receipts uuid[], p_members uuid[], p_fn bigint[], p_fd bigint[], p_fpd bigint[], p_stores text[],
    p_totals bigint[], p_effective_at timestamptz[], p_rulesets bigint[],
    p_accrual_receipts integer[], p_accrual_classes text[], p_accrual_points bigint[], p_accrual_rules text[],
    p_accrual_matures timestamptz[] default null
) returns table (
    ordinal bigint, outcome text, transaction_id uuid, recorded_at timestamptz, credited bigint, repaid bigint,
    waiting bigint)
language plpgsql security definer set search_path = ledger, pg_temp set jit = off
as $$
declare
    made   record;
    posted bigint[] := '{}';
begin
    -- A batch is planned for its size each time, which pays from about this many receipts on.
    if cardinality(p_receipts) not between 1 and 8 then
        return query select * from post_batch(
            p_at, p_receipts, p_members, p_fn, p_fd, p_fpd, p_stores, p_totals, p_effective_at, p_rulesets,
            p_accrual_receipts, p_accrual_classes, p_accrual_points, p_accrual_rules, p_accrual_matures);
        return;
    end if;
    if exists (select from unnest(p_accrual_receipts) as r where r not between 1 and cardinality(p_receipts)) then
        raise exception 'an accrual is of no receipt' using errcode = 'invalid_parameter_value';
    end if;
    if cardinality(p_receipts) > 1 then
        perform lock_members(p_members);
    end if;
    for n in 1..cardinality(p_receipts) loop
        select a.* into made
        from (
            select array_agg(lot_class order by i) as classes, array_agg(x.points order by i) as points,
                array_agg(rule order by i) as rules, array_agg(matures_at order by i) as matures
            from unnest(
                p_accrual_receipts, p_accrual_classes, p_accrual_points, p_accrual_rules, p_accrual_matures
            ) with ordinality as x (receipt, lot_class, points, rule, matures_at, i)
            where x.receipt = n
        ) as mine
        cross join lateral post_alone(
            p_at, p_receipts[n], p_members[n], p_fn[n], p_fd[n], p_fpd[n], p_stores[n], p_totals[n],
            p_effective_at[n], p_rulesets[n], mine.classes, mine.points, mine.rules, mine.matures) as a;
        continue when not found;
        posted := posted || n::bigint;
        return query select n::bigint, 'posted', made.transaction_id, made.recorded_at, made.credited, made.repaid,
            made.waiting;
    end loop;
    if cardinality(posted) < cardinality(p_receipts) then
        return query select *, 0::bigint from judge_repeated_receipts(
            p_at, p_receipts, p_members, p_fn, p_fd, p_fpd, p_stores, p_totals, p_effective_at, p_rulesets,
            p_accrual_receipts, p_accrual_classes, p_accrual_points, p_accrual_rules, p_accrual_matures, posted);
    end if;
end
$$;

-- Several receipts, or none, set by set.
create function ledger.post_batch(
    p_at timestamptz,
    p_receipts uuid[], p_members uuid[], p_fn bigint[], p_fd bigint[], p_fpd bigint[], p_stores text[],
    p_totals bigint[], p_effective_at timestamptz[], p_rulesets bigint[],
    p_accrual_receipts integer[], p_accrual_classes text[], p_accrual_points bigint[], p_accrual_rules text[],
    p_accrual_matures timestamptz[] default null
) returns table (
    ordinal bigint, outcome text, transaction_id uuid, recorded_at timestamptz, credited bigint, repaid bigint,
    waiting bigint)
language plpgsql set search_path = ledger, pg_temp
-- A generic plan takes the arrays for short and joins them in loops: half the throughput.
set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    ordinals bigint[];
    ids      uuid[];
    moments  timestamptz[];
    credits  bigint[];
    repaids  bigint[];
    waits    bigint[];
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

    perform make_members(p_members);

    with locked as materialized (
        select * from member where member_id = any (p_members) order by member_id for no key update
    ),
    numbered as (
        select r.*, m.available, m.pending, m.held, m.debt, m.version, m.lots,
            next_moment(p_at, m.recorded_at) as moment, row_number() over (partition by r.member_id order by r.i) as nth
        from unnest(p_receipts, p_members, p_fn, p_fd, p_fpd, p_stores, p_totals, p_effective_at, p_rulesets)
            with ordinality as r (receipt_id, member_id, fn, fd, fpd, store, total, effective_at, ruleset, i)
        join locked as m using (member_id)
    ),
    request as materialized (
        select *, new_id(moment, nth) as id from numbered
    ),
    taken as (
        insert into receipt (receipt_id, fn, fd, fpd, total, ruleset, member_id, transaction_id, store)
        select receipt_id, fn, fd, fpd, total, ruleset, member_id, id, store from request order by fn, fd, fpd, i
        on conflict do nothing
        returning transaction_id as id
    ),
    fresh as materialized (
        select r.* from taken join request as r using (id)
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
        select f.i, f.id, f.member_id, f.receipt_id, f.lots, x.n, x.lot_class, x.points, x.rule, x.matures_at,
            case when x.matures_at is null then least(x.points, greatest(0, f.debt
                - (sum(x.points) filter (where x.matures_at is null) over (partition by f.member_id order by f.i, x.n)
                    - x.points)))::bigint else 0 end as repaid
        from fresh as f
        join unnest(
            p_accrual_receipts, p_accrual_classes, p_accrual_points, p_accrual_rules, p_accrual_matures
        ) with ordinality as x (receipt, lot_class, points, rule, matures_at, n) on x.receipt = f.i
        where x.points > 0
    ),
    -- one lot per receipt and class, numbered on from the member's last
    parcel as materialized (
        select i, id, member_id, lot_class, sum(points - repaid)::bigint as amount,
            (max(lots) + row_number() over (partition by member_id order by i, lot_class))::integer as number
        from share
        where points > repaid and matures_at is null
        group by i, id, member_id, lot_class
    ),
    made_lot as (
        insert into lot (member_id, expires_at, number, lot_class, earned_at, source, amount, remaining)
        select p.member_id, policy.expires_at, p.number, p.lot_class, p_at, p.id, p.amount, p.amount
        from parcel as p join policy using (lot_class)
    ),
    leg as materialized (
        select s.id, s.member_id, s.receipt_id, s.lot_class, s.matures_at, part.amount, part.lot,
            row_number() over (partition by s.i order by s.n, part.credit) as line, policy.issued_by, part.credit,
            s.rule
        from share as s
        join policy using (lot_class)
        left join parcel as p on p.i = s.i and p.lot_class = s.lot_class and s.matures_at is null
        cross join lateral (values
            (s.points - s.repaid, case when s.matures_at is null then 1 else 2 end::smallint, p.number),
            (s.repaid, 4::smallint, null)
        ) as part (amount, credit, lot)
        where part.amount > 0
    ),
    made_posting as (
        insert into posting (transaction_id, member_id, amount, lot, line, debit, credit, rule)
        select id, member_id, amount, lot, line, issued_by, credit, rule from leg
    ),
    made_maturing as (
        insert into maturing (
            member_id, transaction_id, matures_at, points, remaining, receipt_id, line, lot_class)
        select member_id, id, matures_at, amount, amount, receipt_id, line, lot_class
        from leg where matures_at is not null
    ),
    answer as materialized (
        select f.i, f.id, f.receipt_id, f.member_id, f.effective_at, f.moment, f.available, f.pending, f.held, f.debt,
            coalesce(g.credited, 0) as credited, coalesce(g.repaid, 0) as repaid, coalesce(g.waiting, 0) as waiting,
            f.version + row_number() over mine as version,
            coalesce(sum(g.credited) over mine, 0)::bigint as credited_so_far,
            coalesce(sum(g.repaid) over mine, 0)::bigint as repaid_so_far,
            coalesce(sum(g.waiting) over mine, 0)::bigint as waiting_so_far
        from fresh as f
        left join (
            select i, coalesce(sum(points - repaid) filter (where matures_at is null), 0)::bigint as credited,
                sum(repaid)::bigint as repaid,
                coalesce(sum(points) filter (where matures_at is not null), 0)::bigint as waiting
            from share group by i
        ) as g using (i)
        window mine as (partition by f.member_id order by f.i)
    ),
    made_transaction as (
        insert into transaction (
            id, member_id, version, recorded_at, effective_at, available_after, pending_after, held_after, debt_after,
            subject, kind)
        select id, member_id, version, moment, effective_at, available + credited_so_far, pending + waiting_so_far,
            held, debt - repaid_so_far, receipt_id, 'earn'
        from answer
    ),
    made_balance as (
        update member as m
        set available = m.available + a.credited, pending = m.pending + a.waiting, debt = m.debt - a.repaid,
            version = m.version + a.transactions, lots = m.lots + coalesce(p.lots, 0),
            next_expiry = least(m.next_expiry, p.expires_at), recorded_at = a.moment
        from (
            select member_id, sum(credited) as credited, sum(repaid) as repaid, sum(waiting) as waiting,
                count(*) as transactions, max(moment) as moment
            from answer group by member_id
        ) as a
        left join (
            select member_id, count(*) as lots, min(expires_at) as expires_at
            from parcel join policy using (lot_class) group by member_id
        ) as p using (member_id)
        where m.member_id = a.member_id
    )
    select array_agg(i), array_agg(id), array_agg(moment), array_agg(credited), array_agg(repaid), array_agg(waiting)
    into ordinals, ids, moments, credits, repaids, waits
    from answer;

    return query select i, 'posted', id, moment, credited, repaid, waiting
    from unnest(ordinals, ids, moments, credits, repaids, waits) as a (i, id, moment, credited, repaid, waiting);
    if cardinality(ordinals) = cardinality(p_receipts) then
        return;
    end if;

    return query select *, 0::bigint from judge_repeated_receipts(
        p_at, p_receipts, p_members, p_fn, p_fd, p_fpd, p_stores, p_totals, p_effective_at, p_rulesets,
        p_accrual_receipts, p_accrual_classes, p_accrual_points, p_accrual_rules, p_accrual_matures,
        coalesce(ordinals, '{}'));
end
$$;
