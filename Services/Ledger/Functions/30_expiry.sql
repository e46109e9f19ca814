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

-- The sweep: one chunk of members after p_after, in the order of their ids. Returns the last member looked at and the
-- transactions made, or no row when none are left; interrupted, it is simply begun again.
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
