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
    -- A batch locks members before their first receipt, later in the batch, is posted.
    if not found or owner.version = 0 then
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
    if take_lots(made_id, p_member, p_points, 3, p_at, p_last => 0) <> p_points then
        raise exception 'the lots of % have less than is available', p_member using errcode = 'data_exception';
    end if;
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

-- Ends an open hold of a member whose row the caller has locked: p_captured points more go to the purpose's account,
-- what is left goes back to the lots it came from. A lot that has expired meanwhile becomes a grace lot. Points are
-- captured in the order of the hold's postings, so what was captured in parts before is their beginning.
-- Money goes with it in the same transaction: p_worth kopecks for the points, p_match that the shop adds.
create function ledger.settle_hold(
    p_hold ledger.hold, p_captured bigint, p_state ledger.hold_state, p_at timestamptz, p_worth bigint default 0,
    p_match bigint default 0
) returns uuid
language plpgsql set search_path = ledger, pg_temp
as $$
#variable_conflict use_column
declare
    owner       member;
    aim         hold_purpose;
    moment      timestamptz;
    settled_id  uuid;
    grace_until timestamptz;
    part        record;
    last        smallint;
    until       timestamptz;
    late        bigint := 0;
    restored    timestamptz;
    till        bigint := p_hold.captured + p_captured;
begin
    select * into aim from hold_purpose where purpose = p_hold.purpose;
    select next_moment(p_at, recorded_at) into moment from member where member_id = p_hold.member_id;
    settled_id := new_id(moment);
    insert into posting (transaction_id, member_id, amount, line, debit, credit)
    select settled_id, p_hold.member_id, burnt, row_number() over (order by line), 3, aim.destination
    from (
        select line, least(before + amount, till) - greatest(before, p_hold.captured) as burnt
        from (
            select p.line, p.amount, sum(p.amount) over (order by p.line) - p.amount as before
            from posting as p
            where p.transaction_id = p_hold.placed_by and p.member_id = p_hold.member_id and p.credit = 3
        ) as reserved
    ) as share
    where burnt > 0;
    get diagnostics last = row_count;
    -- Of what is captured whole, as most holds are, no lot is looked at. The others one by one: a join would read all lots
    -- of the member.
    if till < p_hold.points then
        for part in
            select lot, least(amount, before + amount - till)::bigint as points
            from (
                select p.lot, p.line, p.amount, sum(p.amount) over (order by p.line) - p.amount as before
                from posting as p
                where p.transaction_id = p_hold.placed_by and p.member_id = p_hold.member_id and p.credit = 3
            ) as reserved
            where before + amount > till order by line
        loop
            select l.expires_at into strict until from lot as l
            where l.member_id = p_hold.member_id and l.number = part.lot;
            if until <= p_at then
                late := late + part.points;
                continue;
            end if;
            update lot as l set remaining = l.remaining + part.points
            where l.member_id = p_hold.member_id and l.expires_at = until and l.number = part.lot;
            restored := least(restored, until);
            last := last + 1;
            insert into posting (transaction_id, member_id, amount, lot, line, debit, credit)
            values (settled_id, p_hold.member_id, part.points, part.lot, last, 3, 1);
        end loop;
    end if;
    if late > 0 then
        grace_until := expiry('grace', p_at);
    end if;

    update member
    set available = available + p_hold.points - till, held = held - p_hold.points + p_hold.captured,
        version = version + 1, recorded_at = moment, lots = lots + (late > 0)::integer,
        next_expiry = least(next_expiry, restored, grace_until)
    where member_id = p_hold.member_id returning * into owner;
    if late > 0 then
        insert into lot (member_id, expires_at, number, lot_class, earned_at, source, amount, remaining)
        values (owner.member_id, grace_until, owner.lots, 'grace', p_at, settled_id, late, late);
        perform post(settled_id, owner.member_id, 3, 1, late, owner.lots);
    end if;
    if p_worth > 0 or p_match > 0 or aim.settled is not null then
        perform post_money(p_hold, aim, settled_id, p_captured, p_worth, p_match, p_at);
    end if;
    insert into transaction (
        id, member_id, version, recorded_at, effective_at, available_after, pending_after, held_after, debt_after,
        subject, kind)
    values (
        settled_id, owner.member_id, owner.version, moment, p_at, owner.available, owner.pending, owner.held,
        owner.debt, p_hold.hold_id, case when p_captured > 0 then 'capture' else 'void' end::transaction_kind);
    update hold set state = p_state, captured = till, settled_by = settled_id, settled_at = p_at
    where member_id = p_hold.member_id and hold_id = p_hold.hold_id;
    return settled_id;
end
$$;

-- The money of a capture: the points' worth and what the shop adds, owed to whoever the purpose names. Points on a
-- clearing account become an open item, until they are settled or come back.
create function ledger.post_money(
    p_hold ledger.hold, p_aim ledger.hold_purpose, p_id uuid, p_captured bigint, p_worth bigint, p_match bigint,
    p_at timestamptz
) returns void
language plpgsql set search_path = ledger, pg_temp
as $$
begin
    if p_captured = 0 then
        return;
    end if;
    if (p_worth > 0 and p_aim.funded_by is null) or (p_match > 0 and p_aim.matched_by is null) then
        raise exception 'no money goes with the purpose %', p_aim.purpose using errcode = 'invalid_parameter_value';
    end if;
    perform post(p_id, p_hold.member_id, p_aim.funded_by, p_aim.payable, p_worth);
    perform post(p_id, p_hold.member_id, p_aim.matched_by, p_aim.payable, p_match);
    if p_aim.settled is not null then
        insert into clearing_item (member_id, opened_by, hold_id, points, kopecks, opened_at, purpose)
        values (p_hold.member_id, p_id, p_hold.hold_id, p_captured, p_worth + p_match, p_at, p_aim.purpose);
    end if;
end
$$;

-- Captures a part of an open hold of a member whose row the caller has locked, and leaves the rest reserved. The last
-- part closes the hold.
create function ledger.capture_part(
    p_hold ledger.hold, p_capture uuid, p_points bigint, p_at timestamptz, p_worth bigint, p_match bigint
) returns uuid
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    aim     hold_purpose;
    moment  timestamptz;
    made_id uuid;
begin
    if p_hold.captured + p_points = p_hold.points then
        made_id := settle_hold(p_hold, p_points, 'captured', p_at, p_worth, p_match);
    else
        select * into aim from hold_purpose where purpose = p_hold.purpose;
        moment := begin_entry(p_hold.member_id, p_at);
        made_id := new_id(moment);
        perform post(made_id, p_hold.member_id, 3, aim.destination, p_points);
        perform post_money(p_hold, aim, made_id, p_points, p_worth, p_match, p_at);
        perform finish_entry(made_id, p_hold.member_id, moment, p_at, p_hold.hold_id, 'capture');
        update hold set captured = captured + p_points
        where member_id = p_hold.member_id and hold_id = p_hold.hold_id;
    end if;
    insert into part_capture (capture_id, member_id, hold_id, points, transaction_id)
    values (p_capture, p_hold.member_id, p_hold.hold_id, p_points, made_id);
    return made_id;
end
$$;

-- Captures p_points of a hold (null: all that is left) and gives back the rest; with p_points = 0 it voids the hold.
-- With p_closes = false the rest stays reserved for further parts, and p_capture is the part's natural key.
-- `refusal` is null when that is done, now or before; a repetition gets the answer of the first time:
--   unknown-hold   there is none of this member, or it was refused when it was asked for
--   exceeds-hold   more than is left of it
--   hold-mismatch  captured already, with another amount; or the part's id belongs to another part
--   hold-captured, hold-voided, hold-expired   so it cannot be voided, or captured, any more
-- Voiding a hold whose time was over succeeds: its points are back.
create function ledger.end_hold(
    p_hold uuid, p_member uuid, p_points bigint, p_at timestamptz, p_capture uuid default null,
    p_closes boolean default true, p_worth bigint default 0, p_match bigint default 0
) returns table (refusal text, captured bigint, released bigint, available bigint, transaction_id uuid)
language plpgsql security definer set search_path = ledger, pg_temp set jit = off
as $$
#variable_conflict use_column
declare
    mine    hold;
    known   part_capture;
    parts   bigint := 0;
    wanted  bigint;
    made_id uuid;
    code    text;
begin
    if p_points < 0 or p_worth < 0 or p_match < 0 or (not p_closes and (p_capture is null or p_points <= 0)) then
        raise exception 'a capture cannot be negative, and a part needs an id'
            using errcode = 'invalid_parameter_value';
    end if;
    perform from member where member_id = p_member for no key update;
    -- Read after the lock, in a snapshot of its own: of two captures the second one sees what the first has done.
    select * into mine from hold where member_id = p_member and hold_id = p_hold and state <> 'refused';
    if not found then
        return query select 'unknown-hold', null::bigint, null::bigint, null::bigint, null::uuid;
        return;
    end if;
    if p_capture is not null then
        select * into known from part_capture where capture_id = p_capture;
        if found and (known.member_id, known.hold_id, known.points) is distinct from (p_member, p_hold, p_points) then
            return query select 'hold-mismatch', null::bigint, null::bigint, null::bigint, null::uuid;
            return;
        elsif found then
            return query select null, known.points, 0::bigint, t.available_after, t.id
            from transaction as t where t.id = known.transaction_id and t.member_id = p_member;
            return;
        end if;
    end if;

    if mine.captured > 0 then
        select coalesce(sum(points), 0) into parts from part_capture where member_id = p_member and hold_id = p_hold;
    end if;
    wanted := coalesce(p_points, mine.points - parts);
    if mine.state = 'open' and mine.expires_at <= p_at then
        perform settle_hold(mine, 0, 'expired', p_at);
        mine.state := 'expired';
    end if;
    code := case
        when wanted > mine.points - parts then 'exceeds-hold'
        when mine.state = 'captured' and wanted = 0 then 'hold-captured'
        when mine.state = 'captured' and wanted <> mine.captured - parts then 'hold-mismatch'
        when mine.state = 'captured' and not p_closes then 'hold-captured'
        when mine.state = 'voided' and wanted > 0 then 'hold-voided'
        when mine.state = 'expired' and wanted > 0 then 'hold-expired'
    end;
    if code is not null then
        return query select code, null::bigint, null::bigint, null::bigint, null::uuid;
        return;
    end if;
    if mine.state = 'open' and not p_closes then
        made_id := capture_part(mine, p_capture, wanted, p_at, p_worth, p_match);
        return query select null, wanted, 0::bigint, m.available, made_id from member as m where m.member_id = p_member;
        return;
    end if;
    if mine.state = 'open' then
        made_id := settle_hold(
            mine, wanted, case when wanted > 0 then 'captured' else 'voided' end::hold_state, p_at, p_worth, p_match);
        return query select null, wanted, mine.points - parts - wanted, m.available, made_id
        from member as m where m.member_id = p_member;
        return;
    end if;
    -- Again: the answer of the first time.
    return query
    select null, h.captured - parts, h.points - h.captured, t.available_after, t.id
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
        return query select mine.hold_id, mine.member_id, mine.points - mine.captured,
            settle_hold(mine, 0, 'expired', p_at);
    end loop;
end
$$;
