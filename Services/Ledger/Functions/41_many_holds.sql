-- Holds by the hundred: what place_hold and end_hold do, in one statement for many members. Each member occurs once, and
-- the caller has locked them all. What is not plain (repetitions, parts, holds whose time is over, money) goes the way of
-- the single functions, which say what is right; a test lets both tell the same histories.

create function ledger.place_holds(
    p_at timestamptz, p_holds uuid[], p_members uuid[], p_points bigint[], p_purposes text[], p_until timestamptz[]
) returns table (i bigint, refusal text, available bigint, expires_at timestamptz)
language plpgsql set search_path = ledger, pg_temp set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    due      uuid[];
    ordinals bigint[];
    granted  boolean[];
    rests    bigint[];
begin
    if exists (
        select from unnest(p_points, p_until) as x (points, until)
        where points is null or points <= 0 or until is null or until <= p_at)
    then
        raise exception 'a hold needs points and a deadline to come' using errcode = 'invalid_parameter_value';
    end if;
    select array_agg(member_id) into due from member where member_id = any (p_members) and next_expiry <= p_at;
    if due is not null then
        perform expire_locked(due, p_at);
    end if;

    with asked as materialized (
        select r.*, m.available, m.pending, m.held, m.debt, m.version, next_moment(p_at, m.recorded_at) as moment
        from unnest(p_holds, p_members, p_points, p_purposes, p_until)
            with ordinality as r (hold_id, member_id, points, purpose, until, i)
        join member as m using (member_id)
        where m.version > 0
    ),
    taken as (
        insert into hold_key (hold_id, member_id) select hold_id, member_id from asked order by hold_id
        on conflict do nothing
        returning hold_id, member_id
    ),
    fresh as materialized (
        select a.*, new_id(a.moment) as id, a.available >= a.points as is_granted
        from taken join asked as a using (hold_id, member_id)
    ),
    open as (
        select f.id, f.member_id, f.points, l.expires_at, l.number, l.remaining,
            sum(l.remaining) over (partition by f.member_id order by l.expires_at, l.number) - l.remaining as before
        from fresh as f
        -- A lot has at least one point left, so that no more lots than points are looked at.
        cross join lateral (
            select expires_at, number, remaining from lot
            where member_id = f.member_id and expires_at > p_at and remaining > 0
            order by expires_at, number limit f.points
        ) as l
        where f.is_granted
    ),
    share as materialized (
        select id, member_id, expires_at, number, least(remaining, points - before)::bigint as points
        from open where before < points
    ),
    reserved as (
        update lot as l set remaining = l.remaining - s.points
        from share as s
        where l.member_id = s.member_id and l.expires_at = s.expires_at and l.number = s.number
    ),
    made_posting as (
        insert into posting (transaction_id, member_id, amount, lot, line, debit, credit)
        select id, member_id, points, number, row_number() over (partition by id order by expires_at, number), 1, 3
        from share
    ),
    made_balance as (
        update member as m
        set available = m.available - f.points, held = m.held + f.points, version = m.version + 1,
            recorded_at = f.moment
        from fresh as f
        where m.member_id = f.member_id and f.is_granted
    ),
    made_transaction as (
        insert into transaction (
            id, member_id, version, recorded_at, effective_at, available_after, pending_after, held_after, debt_after,
            subject, kind)
        select id, member_id, version + 1, moment, p_at, available - points, pending, held + points, debt, hold_id,
            'hold'
        from fresh where is_granted
    ),
    made_hold as (
        insert into hold (
            member_id, hold_id, points, available, placed_by, placed_at, expires_at, purpose, state)
        select member_id, hold_id, points, available, case when is_granted then id end, p_at, until, purpose,
            case when is_granted then 'open' else 'refused' end::hold_state
        from fresh
    )
    select array_agg(f.i), array_agg(f.is_granted),
        array_agg(f.available - case when f.is_granted then f.points else 0 end)
    into ordinals, granted, rests
    from fresh as f;

    return query select a.i, case when not a.is_granted then 'insufficient-points' end, a.rest,
        case when a.is_granted then p_until[a.i] end
    from unnest(ordinals, granted, rests) as a (i, is_granted, rest);
    if cardinality(ordinals) is distinct from cardinality(p_holds) then
        return query select n, h.* from generate_series(1::bigint, cardinality(p_holds)) as n,
            place_hold(p_holds[n], p_members[n], p_points[n], p_purposes[n], p_until[n], p_at) as h
        where n <> all (coalesce(ordinals, '{}'));
    end if;
end
$$;

-- Captures (p_points; null: all) and voids (0) open holds that are whole and whose purpose needs no money. Answers those
-- that it has ended and leaves the others to end_hold.
create function ledger.end_holds(p_at timestamptz, p_holds uuid[], p_members uuid[], p_points bigint[])
returns table (i bigint, captured bigint, released bigint, available bigint, transaction_id uuid)
language plpgsql set search_path = ledger, pg_temp set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    grace_until timestamptz := expiry('grace', p_at);
begin
    -- Statistics of the past make the planner expect a single open hold, and then every join of two parts of this
    -- statement is a loop in a loop. So a part carries everything that the next one needs, and none is joined twice.
    return query
    with ended as materialized (
        select r.i, r.member_id, r.hold_id, h.points, h.placed_by, coalesce(r.points, h.points) as wanted,
            aim.destination, m.available, m.pending, m.held, m.debt, m.version, m.lots,
            next_moment(p_at, m.recorded_at) as moment, new_id(next_moment(p_at, m.recorded_at)) as id
        from unnest(p_holds, p_members, p_points) with ordinality as r (hold_id, member_id, points, i)
        join hold as h on h.member_id = r.member_id and h.hold_id = r.hold_id
        join member as m on m.member_id = r.member_id
        join hold_purpose as aim on aim.purpose = h.purpose
        where h.state = 'open' and h.expires_at > p_at and h.captured = 0 and aim.settled is null
            and coalesce(r.points, h.points) between 0 and h.points
    ),
    reserved as (
        select e.*, p.lot, p.line, p.amount, sum(p.amount) over (partition by e.i order by p.line) - p.amount as before
        from ended as e
        join posting as p on p.transaction_id = e.placed_by and p.member_id = e.member_id and p.credit = 3
    ),
    split as (
        select *, least(amount, greatest(0, wanted - before))::bigint as burnt,
            (amount - least(amount, greatest(0, wanted - before)))::bigint as left_over
        from reserved
    ),
    -- Of what is captured whole no lot is looked at.
    share as materialized (
        select *, case when left_over > 0 then (
                select l.expires_at from lot as l where l.member_id = split.member_id and l.number = split.lot
            ) end as expires_at
        from split
    ),
    returned as (
        update lot as l set remaining = l.remaining + s.left_over
        from share as s
        where l.member_id = s.member_id and l.expires_at = s.expires_at and l.number = s.lot and s.left_over > 0
            and s.expires_at > p_at
    ),
    total as materialized (
        select i, id, member_id, hold_id, points, wanted, available, pending, held, debt, version, lots, moment,
            coalesce(sum(left_over) filter (where expires_at <= p_at), 0)::bigint as late,
            min(expires_at) filter (where expires_at > p_at and left_over > 0) as restored
        from share
        group by i, id, member_id, hold_id, points, wanted, available, pending, held, debt, version, lots, moment
    ),
    made_grace as (
        insert into lot (member_id, expires_at, number, lot_class, earned_at, source, amount, remaining)
        select member_id, grace_until, lots + 1, 'grace', p_at, id, late, late from total where late > 0
    ),
    leg as (
        select s.id, s.member_id, s.line, part.amount, part.lot, part.credit
        from share as s
        cross join lateral (values
            (s.burnt, null, s.destination),
            (case when s.expires_at > p_at then s.left_over else 0 end, s.lot, 1::smallint)
        ) as part (amount, lot, credit)
        where part.amount > 0
        union all
        select id, member_id, 32767, late, lots + 1, 1 from total where late > 0
    ),
    made_posting as (
        insert into posting (transaction_id, member_id, amount, lot, line, debit, credit)
        select id, member_id, amount, lot, row_number() over (partition by id order by credit desc, line), 3, credit
        from leg
    ),
    made_balance as (
        update member as m
        set available = m.available + t.points - t.wanted, held = m.held - t.points, version = m.version + 1,
            recorded_at = t.moment, lots = m.lots + (t.late > 0)::integer,
            next_expiry = least(m.next_expiry, t.restored, case when t.late > 0 then grace_until end)
        from total as t
        where m.member_id = t.member_id
    ),
    made_transaction as (
        insert into transaction (
            id, member_id, version, recorded_at, effective_at, available_after, pending_after, held_after, debt_after,
            subject, kind)
        select id, member_id, version + 1, moment, p_at, available + points - wanted, pending, held - points, debt,
            hold_id, case when wanted > 0 then 'capture' else 'void' end::transaction_kind
        from total
    ),
    settled as (
        update hold as h
        set state = case when t.wanted > 0 then 'captured' else 'voided' end::hold_state, captured = t.wanted,
            settled_by = t.id, settled_at = p_at
        from total as t
        where h.member_id = t.member_id and h.hold_id = t.hold_id
    )
    select i, wanted, points - wanted, available + points - wanted, id from total;
end
$$;
