-- Spending in two steps: a hold reserves lots, a capture burns them, a void gives them back.

-- Reserves points, first-expiring lots first. `refusal` is null when the hold is in place:
--   unknown-member       nothing was ever posted for the member
--   insufficient-points  kept: the same id is refused for ever
--   hold-mismatch        the id belongs to another hold
-- A repetition gets the answer of the first time: `available` is what the hold left or, refused, what there was.
create function ledger.place_hold(
    p_hold uuid, p_member uuid, p_points bigint, p_purpose text, p_expires_at timestamptz, p_at timestamptz
) returns table (refusal text, available bigint, expires_at timestamptz)
language plpgsql security definer set search_path = ledger, pg_temp set jit = off
as $$
#variable_conflict use_column
declare
    owner   member;
    known   hold;
    moment  timestamptz;
    made_id uuid;
begin
    if p_points is null or p_points <= 0 or p_expires_at is null or p_expires_at <= p_at then
        raise exception 'a hold needs points and a deadline to come' using errcode = 'invalid_parameter_value';
    end if;
    select * into owner from member where member_id = p_member for no key update;
    if not found then
        return query select 'unknown-member', null::bigint, null::timestamptz;
        return;
    end if;

    insert into hold_key (hold_id, member_id) values (p_hold, p_member) on conflict do nothing;
    if not found then
        select * into known from hold where member_id = p_member and hold_id = p_hold;
        if not found or (known.points, known.purpose) is distinct from (p_points, p_purpose) then
            return query select 'hold-mismatch', owner.available, null::timestamptz;
        elsif known.state = 'refused' then
            return query select 'insufficient-points', known.available, null::timestamptz;
        else
            return query select null, known.available - known.points, known.expires_at;
        end if;
        return;
    end if;

    if owner.next_expiry <= p_at then
        perform expire_locked(array[p_member], p_at);
        select * into owner from member where member_id = p_member;
    end if;
    if owner.available < p_points then
        insert into hold (member_id, hold_id, points, available, placed_at, expires_at, purpose, state)
        values (p_member, p_hold, p_points, owner.available, p_at, p_expires_at, p_purpose, 'refused');
        return query select 'insufficient-points', owner.available, null::timestamptz;
        return;
    end if;

    moment := next_moment(p_at, owner.recorded_at);
    made_id := new_id(moment);
    with open as (
        select l.expires_at, l.number, l.remaining,
            sum(l.remaining) over (order by l.expires_at, l.number) - l.remaining as before
        from lot as l
        where l.member_id = p_member and l.expires_at > p_at and l.remaining > 0
    ),
    share as materialized (
        select expires_at, number, least(remaining, p_points - before)::bigint as points
        from open where before < p_points
    ),
    reserved as (
        update lot as l set remaining = l.remaining - s.points
        from share as s
        where l.member_id = p_member and l.expires_at = s.expires_at and l.number = s.number
    )
    insert into posting (transaction_id, member_id, amount, lot, line, debit, credit)
    select made_id, p_member, points, number, row_number() over (order by expires_at, number), 1, 3 from share;

    update member
    set available = available - p_points, held = held + p_points, version = version + 1, recorded_at = moment
    where member_id = p_member returning * into owner;
    insert into transaction (
        id, member_id, version, recorded_at, effective_at, available_after, pending_after, held_after, debt_after,
        subject, kind)
    values (
        made_id, p_member, owner.version, moment, p_at, owner.available, owner.pending, owner.held, owner.debt,
        p_hold, 'hold');
    insert into hold (member_id, hold_id, points, available, placed_by, placed_at, expires_at, purpose, state)
    values (p_member, p_hold, p_points, owner.available + p_points, made_id, p_at, p_expires_at, p_purpose, 'open');
    return query select null, owner.available, p_expires_at;
end
$$;

-- Ends an open hold of a member whose row the caller has locked: p_captured points go to the purpose's account, the
-- rest back to the lots they came from. A lot that has expired meanwhile becomes a grace lot.
create function ledger.settle_hold(p_hold ledger.hold, p_captured bigint, p_state ledger.hold_state, p_at timestamptz)
returns uuid
language plpgsql set search_path = ledger, pg_temp set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    owner       member;
    moment      timestamptz;
    settled_id  uuid;
    grace_until timestamptz := expiry('grace', p_at);
    late        bigint;
    restored    timestamptz;
begin
    select next_moment(p_at, recorded_at) into moment from member where member_id = p_hold.member_id;
    settled_id := new_id(moment);
    with reserved as (
        select p.lot, p.line, p.amount, l.expires_at,
            sum(p.amount) over (order by p.line) - p.amount as before
        from posting as p
        join lot as l on l.member_id = p.member_id and l.number = p.lot
        where p.transaction_id = p_hold.placed_by and p.member_id = p_hold.member_id and p.credit = 3
    ),
    share as materialized (
        select *, least(amount, greatest(0, p_captured - before))::bigint as burnt from reserved
    ),
    returned as (
        update lot as l set remaining = l.remaining + s.amount - s.burnt
        from share as s
        where l.member_id = p_hold.member_id and l.expires_at = s.expires_at and l.number = s.lot
            and s.amount > s.burnt and s.expires_at > p_at
        returning l.expires_at
    ),
    made_posting as (
        insert into posting (transaction_id, member_id, amount, lot, line, debit, credit)
        select settled_id, p_hold.member_id, part.amount, part.lot,
            row_number() over (order by part.credit desc, s.line), 3, part.credit
        from share as s
        cross join lateral (values
            (s.burnt, null, (select destination from hold_purpose where purpose = p_hold.purpose)),
            (case when s.expires_at > p_at then s.amount - s.burnt else 0 end, s.lot, 1::smallint)
        ) as part (amount, lot, credit)
        where part.amount > 0
    )
    select coalesce(sum(amount - burnt) filter (where expires_at <= p_at), 0), (select min(expires_at) from returned)
    into late, restored
    from share;

    update member
    set available = available + p_hold.points - p_captured, held = held - p_hold.points, version = version + 1,
        recorded_at = moment, lots = lots + (late > 0)::integer,
        next_expiry = least(next_expiry, restored, case when late > 0 then grace_until end)
    where member_id = p_hold.member_id returning * into owner;
    if late > 0 then
        insert into lot (member_id, expires_at, number, lot_class, earned_at, source, amount, remaining)
        values (owner.member_id, grace_until, owner.lots, 'grace', p_at, settled_id, late, late);
        insert into posting (transaction_id, member_id, amount, lot, line, debit, credit)
        select settled_id, owner.member_id, late, owner.lots, coalesce(max(line), 0) + 1, 3, 1
        from posting where transaction_id = settled_id and member_id = owner.member_id;
    end if;
    insert into transaction (
        id, member_id, version, recorded_at, effective_at, available_after, pending_after, held_after, debt_after,
        subject, kind)
    values (
        settled_id, owner.member_id, owner.version, moment, p_at, owner.available, owner.pending, owner.held,
        owner.debt, p_hold.hold_id, case when p_captured > 0 then 'capture' else 'void' end::transaction_kind);
    update hold set state = p_state, captured = p_captured, settled_by = settled_id, settled_at = p_at
    where member_id = p_hold.member_id and hold_id = p_hold.hold_id;
    return settled_id;
end
$$;

-- Captures p_points of a hold (null: all of it) and gives back the rest; with p_points = 0 it voids the hold.
-- `refusal` is null when that is done, now or before; a repetition gets the answer of the first time:
--   unknown-hold   there is none of this member, or it was refused when it was asked for
--   exceeds-hold   more than is held
--   hold-mismatch  captured already, with another amount
--   hold-captured, hold-voided, hold-expired   so it cannot be voided, or captured, any more
-- Voiding a hold whose time was over succeeds: its points are back.
create function ledger.end_hold(p_hold uuid, p_member uuid, p_points bigint, p_at timestamptz)
returns table (refusal text, captured bigint, released bigint, available bigint, transaction_id uuid)
language plpgsql security definer set search_path = ledger, pg_temp set jit = off
as $$
#variable_conflict use_column
declare
    mine   hold;
    wanted bigint;
    code   text;
begin
    if p_points < 0 then
        raise exception 'a capture cannot be negative' using errcode = 'invalid_parameter_value';
    end if;
    perform from member where member_id = p_member for no key update;
    -- Read after the lock, in a snapshot of its own: of two captures the second one sees what the first has done.
    select * into mine from hold where member_id = p_member and hold_id = p_hold and state <> 'refused';
    if not found then
        return query select 'unknown-hold', null::bigint, null::bigint, null::bigint, null::uuid;
        return;
    end if;

    wanted := coalesce(p_points, mine.points);
    if mine.state = 'open' and mine.expires_at <= p_at then
        perform settle_hold(mine, 0, 'expired', p_at);
        mine.state := 'expired';
    end if;
    code := case
        when wanted > mine.points then 'exceeds-hold'
        when mine.state = 'captured' and wanted = 0 then 'hold-captured'
        when mine.state = 'captured' and wanted <> mine.captured then 'hold-mismatch'
        when mine.state = 'voided' and wanted > 0 then 'hold-voided'
        when mine.state = 'expired' and wanted > 0 then 'hold-expired'
    end;
    if code is not null then
        return query select code, null::bigint, null::bigint, null::bigint, null::uuid;
        return;
    end if;
    if mine.state = 'open' then
        perform settle_hold(mine, wanted, case when wanted > 0 then 'captured' else 'voided' end::hold_state, p_at);
    end if;
    return query
    select null, h.captured, h.points - h.captured, t.available_after, t.id
    from hold as h join transaction as t on t.id = h.settled_by and t.member_id = h.member_id
    where h.member_id = p_member and h.hold_id = p_hold;
end
$$;

-- The sweep: voids up to p_limit holds whose time is over, members in ascending order as everywhere.
create function ledger.void_expired_holds(p_at timestamptz, p_limit integer)
returns table (hold_id uuid, member_id uuid, points bigint, transaction_id uuid)
language plpgsql security definer set search_path = ledger, pg_temp set jit = off
as $$
#variable_conflict use_column
declare
    late hold[];
    mine hold;
begin
    select array_agg(h order by h.member_id, h.hold_id) into late
    from (select * from hold where state = 'open' and expires_at <= p_at order by expires_at limit p_limit) as h;
    if late is null then
        return;
    end if;
    perform lock_members((select array_agg(distinct (h).member_id) from unnest(late) as h));
    -- Again after the locks: some may have been captured or voided while we waited.
    for mine in
        select h.* from hold as h join unnest(late) as l on h.member_id = l.member_id and h.hold_id = l.hold_id
        where h.state = 'open' order by h.member_id, h.hold_id
    loop
        return query select mine.hold_id, mine.member_id, mine.points, settle_hold(mine, 0, 'expired', p_at);
    end loop;
end
$$;
