-- Points expire: available → breakage, one transaction per member and expiry day, the day's lots to zero.

-- Writes off what has expired by p_at for members whose rows the caller has locked. Set-based: the sweep gives it
-- hundreds of members, a hold gives it one. Returns the number of transactions.
create function ledger.expire_locked(p_members uuid[], p_at timestamptz) returns integer
language plpgsql set search_path = ledger, pg_temp set plan_cache_mode = force_custom_plan
as $$
#variable_conflict use_column
declare
    made integer;
begin
    with due as materialized (
        select l.member_id, l.expires_at, l.number, l.remaining, next_moment(p_at, m.recorded_at) as moment,
            (select p.breakage from lot_policy as p
             where p.lot_class = l.lot_class and p.in_force_from <= p_at order by p.in_force_from desc limit 1
            ) as breakage
        from member as m
        join lot as l on l.member_id = m.member_id
            and l.expires_at >= m.next_expiry and l.expires_at <= p_at and l.remaining > 0
        where m.member_id = any (p_members)
    ),
    day as materialized (
        select d.member_id, d.expires_at, sum(d.remaining) as points,
            row_number() over (partition by d.member_id order by d.expires_at) as nth,
            sum(sum(d.remaining)) over (partition by d.member_id order by d.expires_at) as points_so_far,
            new_id(d.moment, row_number() over (partition by d.member_id order by d.expires_at)) as transaction_id,
            d.moment
        from due as d
        group by d.member_id, d.expires_at, d.moment
    ),
    made_transaction as (
        insert into transaction (
            id, member_id, version, recorded_at, effective_at, available_after, pending_after, held_after, debt_after,
            kind)
        select d.transaction_id, d.member_id, m.version + d.nth, d.moment, d.expires_at, m.available - d.points_so_far,
            m.pending, m.held, m.debt, 'expire'
        from day as d join member as m using (member_id)
        returning id
    ),
    made_posting as (
        insert into posting (transaction_id, member_id, amount, lot, line, debit, credit)
        select d.transaction_id, due.member_id, due.remaining, due.number,
            row_number() over (partition by d.transaction_id order by due.number), 1, due.breakage
        from due join day as d using (member_id, expires_at)
    ),
    emptied as (
        update lot as l set remaining = 0
        from due
        where l.member_id = due.member_id and l.expires_at = due.expires_at and l.number = due.number
    ),
    made_balance as (
        update member as m
        set available = m.available - coalesce(total.points, 0), version = m.version + coalesce(total.days, 0),
            recorded_at = coalesce(total.moment, m.recorded_at),
            next_expiry = coalesce((
                select min(l.expires_at) from lot as l
                where l.member_id = m.member_id and l.expires_at > p_at and l.remaining > 0), 'infinity')
        from unnest(p_members) as wanted (member_id)
        left join (
            select member_id, sum(points) as points, count(*) as days, max(moment) as moment from day group by member_id
        ) as total using (member_id)
        where m.member_id = wanted.member_id and m.next_expiry <= p_at
    )
    select count(*) into made from made_transaction;
    return made;
end
$$;

-- The sweep: one chunk of members who have something to expire, those who have it longest first. Whoever is locked by
-- somebody else is left for the next round, so that several sweeps and those who are served do not wait for each other.
-- Returns the members looked at, the transactions made, and the last member in the order of the sweep: the next chunk
-- begins after it, so that it does not walk over the dead entries of those before. A sweep that is broken off begins anew:
-- what is done is not due.
create function ledger.expire_chunk(
    p_at timestamptz, p_limit integer, p_after_expiry timestamptz default '-infinity',
    p_after uuid default '00000000-0000-0000-0000-000000000000'
) returns table (members integer, transactions integer, last_expiry timestamptz, last_member uuid)
language plpgsql security definer set search_path = ledger, pg_temp set jit = off
as $$
declare
    due      uuid[];
    expiries timestamptz[];
begin
    select array_agg(m.member_id order by m.next_expiry, m.member_id),
        array_agg(m.next_expiry order by m.next_expiry, m.member_id)
    into due, expiries
    from (
        select member_id, next_expiry from member
        where next_expiry <= p_at and (next_expiry, member_id) > (p_after_expiry, p_after)
        order by next_expiry, member_id limit p_limit
        for no key update skip locked
    ) as m;
    if due is not null then
        return query select cardinality(due), expire_locked(due, p_at), expiries[cardinality(due)],
            due[cardinality(due)];
    end if;
end
$$;

-- How many members have something to expire, for whoever watches the sweep.
create function ledger.expiry_due(p_at timestamptz) returns bigint
language plpgsql stable security definer set search_path = ledger, pg_temp
as $$
begin
    return (select count(*) from member where next_expiry <= p_at);
end
$$;

-- As the release before swept: a chunk of members after p_after, in the order of their ids, and the last one looked at.
create function ledger.expire_points(p_at timestamptz, p_after uuid, p_limit integer)
returns table (last_member uuid, transactions integer)
language plpgsql security definer set search_path = ledger, pg_temp set jit = off
as $$
declare
    due uuid[];
begin
    select array_agg(m.member_id order by m.member_id) into due
    from (
        select member_id from member
        where next_expiry <= p_at and (p_after is null or member_id > p_after)
        order by member_id limit p_limit
    ) as m;
    if due is null then
        return;
    end if;
    perform lock_members(due);
    return query select due[cardinality(due)], expire_locked(due, p_at);
end
$$;

-- The sweep of stickers: of campaigns that are over, a chunk of members.
create function ledger.expire_stickers(p_at timestamptz, p_limit integer) returns integer
language plpgsql security definer set search_path = ledger, pg_temp set jit = off
as $$
declare
    owner   record;
    moment  timestamptz;
    made_id uuid;
    swept   integer := 0;
begin
    for owner in
        with due as materialized (
            select s.member_id, s.campaign, s.balance, c.owned, c.breakage, c.ends_at
            from campaign as c join sticker as s using (campaign)
            where c.ends_at <= p_at and s.balance > 0
            order by s.campaign, s.member_id limit p_limit
        ),
        locked as materialized (
            select member_id from member where member_id in (select member_id from due)
            order by member_id for no key update skip locked
        )
        select d.* from due as d join locked using (member_id) order by d.member_id, d.campaign
    loop
        moment := begin_entry(owner.member_id, p_at);
        made_id := new_id(moment);
        -- Read again under the lock: somebody may have spent some while we looked.
        update sticker as s set balance = 0
        from sticker as was
        where s.member_id = owner.member_id and s.campaign = owner.campaign and s.balance > 0
            and was.member_id = s.member_id and was.campaign = s.campaign
        returning was.balance into owner.balance;
        continue when not found;
        perform post(made_id, owner.member_id, owner.owned, owner.breakage, owner.balance);
        perform finish_entry(made_id, owner.member_id, moment, owner.ends_at, null, 'expire');
        swept := swept + 1;
    end loop;
    return swept;
end
$$;
