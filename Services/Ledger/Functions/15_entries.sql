-- Parts of the recipes that are not set-based: an entry is one transaction of one member. It begins with the lock,
-- gets its postings, and ends with the balances, which are summed from the postings and from nothing else.

-- The moment of a member's next transaction, with the row locked and everything due written off.
create function ledger.begin_entry(p_member uuid, p_at timestamptz) returns timestamptz
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    owner member;
begin
    select * into owner from member where member_id = p_member for no key update;
    if not found then
        perform lock_members(array[p_member]);
        select * into owner from member where member_id = p_member;
    end if;
    if owner.next_expiry <= p_at then
        perform expire_locked(array[p_member], p_at);
        select * into owner from member where member_id = p_member;
    end if;
    return next_moment(p_at, owner.recorded_at);
end
$$;

-- The number of an account. 1 to 4, what every member has, are the same everywhere and stand as numbers: available,
-- pending, held, debt.
create function ledger.account_of(p_code text) returns smallint
language plpgsql stable set search_path = ledger, pg_temp
as $$
declare
    v_id smallint;
begin
    select id into strict v_id from account where code = p_code;
    return v_id;
end
$$;

-- One posting more of a transaction; none of nothing. Returns its line.
create function ledger.post(
    p_id uuid, p_member uuid, p_debit integer, p_credit integer, p_amount bigint, p_lot integer default null,
    p_rule text default null
) returns smallint
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    made smallint;
begin
    if p_amount > 0 then
        insert into posting (transaction_id, member_id, amount, lot, line, debit, credit, rule)
        select p_id, p_member, p_amount, p_lot, coalesce(max(line), 0) + 1, p_debit, p_credit, p_rule
        from posting where transaction_id = p_id and member_id = p_member
        returning line into made;
    end if;
    return made;
end
$$;

-- Sums the postings into the member's row and writes the transaction.
create function ledger.finish_entry(
    p_id uuid, p_member uuid, p_moment timestamptz, p_effective_at timestamptz, p_subject uuid, p_kind text
) returns ledger.member
language plpgsql set search_path = ledger, pg_temp
-- With the id's value a month is chosen when the sum is planned: that looks cheaper, and planning it anew each time takes
-- three times as long as the sum.
set plan_cache_mode = force_generic_plan
as $$
declare
    owner member;
begin
    update member as m
    set available = m.available + d.available, pending = m.pending + d.pending, held = m.held + d.held,
        debt = m.debt + d.debt, version = m.version + 1, recorded_at = p_moment
    from (
        select coalesce(sum(amount * ((credit = 1)::int - (debit = 1)::int)), 0) as available,
            coalesce(sum(amount * ((credit = 2)::int - (debit = 2)::int)), 0) as pending,
            coalesce(sum(amount * ((credit = 3)::int - (debit = 3)::int)), 0) as held,
            coalesce(sum(amount * ((debit = 4)::int - (credit = 4)::int)), 0) as debt
        from posting where transaction_id = p_id and member_id = p_member
    ) as d
    where m.member_id = p_member
    returning m.* into owner;
    insert into transaction (
        id, member_id, version, recorded_at, effective_at, available_after, pending_after, held_after, debt_after,
        subject, kind)
    values (
        p_id, p_member, owner.version, p_moment, p_effective_at, owner.available, owner.pending, owner.held,
        owner.debt, p_subject, p_kind::transaction_kind);
    return owner;
end
$$;

-- Puts points into a lot of their own. Returns its number.
create function ledger.make_lot(
    p_id uuid, p_member uuid, p_class text, p_expires_at timestamptz, p_points bigint, p_debit integer,
    p_at timestamptz, p_rule text default null
) returns integer
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    made integer;
begin
    update member set lots = lots + 1, next_expiry = least(next_expiry, p_expires_at)
    where member_id = p_member returning lots into made;
    insert into lot (member_id, expires_at, number, lot_class, earned_at, source, amount, remaining)
    values (p_member, p_expires_at, made, p_class, p_at, p_id, p_points, p_points);
    perform post(p_id, p_member, p_debit, 1, p_points, made, p_rule);
    return made;
end
$$;

-- Takes up to p_points out of the lots for the account p_credit: the preferred lots first, then as always the first to
-- expire first. Returns how many there were. Somebody may have thousands of lots, so it looks at no more than it needs,
-- one by one: a join would read all of them. p_last is the last line of the transaction, where the caller knows it.
create function ledger.take_lots(
    p_id uuid, p_member uuid, p_points bigint, p_credit integer, p_at timestamptz, p_preferred integer[] default '{}',
    p_last integer default null
) returns bigint
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    free lot;
    last integer := p_last;
    rest bigint := greatest(p_points, 0);
begin
    if last is null then
        select coalesce(max(line), 0) into last from posting where transaction_id = p_id and member_id = p_member;
    end if;
    if cardinality(p_preferred) > 0 then
        for free in
            select * from lot
            where member_id = p_member and expires_at > p_at and remaining > 0 and number = any (p_preferred)
            order by expires_at, number
        loop
            exit when rest = 0;
            last := last + 1;
            rest := rest - take_lot(free, p_id, rest, p_credit, last);
        end loop;
    end if;
    -- A lot has at least one point left. The limit makes the planner walk along the index instead of sorting.
    for free in
        select * from lot
        where rest > 0 and member_id = p_member and expires_at > p_at and remaining > 0
            and number <> all (p_preferred)
        order by expires_at, number limit rest
    loop
        exit when rest = 0;
        last := last + 1;
        rest := rest - take_lot(free, p_id, rest, p_credit, last);
    end loop;
    return p_points - rest;
end
$$;

-- Takes up to p_points out of one lot. Returns how many there were.
create function ledger.take_lot(p_lot ledger.lot, p_id uuid, p_points bigint, p_credit integer, p_line integer)
returns bigint
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    part bigint := least(p_lot.remaining, p_points);
begin
    update lot set remaining = remaining - part
    where member_id = p_lot.member_id and expires_at = p_lot.expires_at and number = p_lot.number;
    insert into posting (transaction_id, member_id, amount, lot, line, debit, credit)
    values (p_id, p_lot.member_id, part, p_lot.number, p_line, 1, p_credit);
    return part;
end
$$;

-- Gives p_points of what was captured of a hold back to the lots they came from, the last to expire first; out of the
-- account p_debit. What has expired meanwhile becomes a grace lot. A member that was merged into another (p_member is
-- then the other) gets lots of the same class and expiry. Returns how many went into grace.
create function ledger.give_back(
    p_id uuid, p_member uuid, p_hold ledger.hold, p_points bigint, p_debit integer, p_at timestamptz
) returns bigint
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    part record;
    late bigint := 0;
    last bigint := p_hold.captured - p_hold.returned;
begin
    for part in
        select r.lot, l.expires_at, l.lot_class,
            (least(r.before + r.amount, last) - greatest(r.before, last - p_points))::bigint as points
        from (
            select p.lot, p.line, p.amount, sum(p.amount) over (order by p.line) - p.amount as before
            from posting as p
            where p.transaction_id = p_hold.placed_by and p.member_id = p_hold.member_id and p.credit = 3
        ) as r
        join lot as l on l.member_id = p_hold.member_id and l.number = r.lot
        where least(r.before + r.amount, last) > greatest(r.before, last - p_points)
        order by r.line
    loop
        if part.expires_at <= p_at then
            late := late + part.points;
        elsif p_member = p_hold.member_id then
            update lot set remaining = remaining + part.points
            where member_id = p_member and expires_at = part.expires_at and number = part.lot;
            update member set next_expiry = part.expires_at
            where member_id = p_member and next_expiry > part.expires_at;
            perform post(p_id, p_member, p_debit, 1, part.points, part.lot);
        else
            perform make_lot(p_id, p_member, part.lot_class, part.expires_at, part.points, p_debit, p_at);
        end if;
    end loop;
    if late > 0 then
        perform make_lot(p_id, p_member, 'grace', expiry('grace', p_at), late, p_debit, p_at);
    end if;
    update hold set returned = returned + p_points
    where member_id = p_hold.member_id and hold_id = p_hold.hold_id and p_points > 0;
    return late;
end
$$;
