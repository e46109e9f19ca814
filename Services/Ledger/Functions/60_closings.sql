-- Closing a month: what every member had at its end, by the time of recording. Whoever calls waits until nothing that
-- began in the month can still run; verification compares the closings with the books.

-- The midnight in Moscow with which a month begins.
create function ledger.month_start(p_month date) returns timestamptz
language sql stable
as $$
    select p_month::timestamp at time zone 'Europe/Moscow'
$$;

-- Closes the month for up to p_limit members after p_after, in the order of their ids: those of whom something was
-- recorded in it. Returns the last one looked at, or null when none are left or the month is closed. Interrupted, it is
-- begun again: who is closed stays.
create function ledger.close_members(p_month date, p_after uuid, p_limit integer) returns uuid
language plpgsql security definer set search_path = ledger, pg_temp set jit = off
as $$
declare
    v_begin timestamptz := month_start(p_month);
    v_end   timestamptz := month_start((p_month + interval '1 month')::date);
    v_last  uuid;
begin
    if exists (select from month as m where m.month = p_month) then
        return null;
    end if;
    with due as materialized (
        select m.member_id
        from member as m
        where p_after is null or m.member_id > p_after
        order by m.member_id
        limit p_limit
    ),
    last as (
        select d.member_id, t.version, t.available_after, t.pending_after, t.held_after, t.debt_after
        from due as d
        cross join lateral (
            select *
            from transaction as t
            where t.member_id = d.member_id and t.id >= id_floor(v_begin) and t.id < id_floor(v_end)
            order by t.id desc
            limit 1
        ) as t
    ),
    made as (
        insert into month_balance (member_id, month, version, available, pending, held, debt)
        select member_id, p_month, version, available_after, pending_after, held_after, debt_after from last
        on conflict do nothing
    )
    select member_id into v_last from due order by member_id desc limit 1;
    return v_last;
end
$$;

-- The month is closed when all members are: writes its sums down. False when it was closed before.
create function ledger.close_month(p_month date, p_at timestamptz) returns boolean
language plpgsql security definer set search_path = ledger, pg_temp set jit = off
as $$
begin
    if p_at < month_start((p_month + interval '1 month')::date) then
        raise exception 'the month % is not over', p_month using errcode = 'object_not_in_prerequisite_state';
    end if;
    insert into month (month, closed_at, members, available, pending, held, debt)
    select p_month, p_at, count(*), coalesce(sum(available), 0), coalesce(sum(pending), 0), coalesce(sum(held), 0),
        coalesce(sum(debt), 0)
    from (
        select distinct on (member_id) available, pending, held, debt
        from month_balance
        where month_balance.month <= p_month
        order by member_id, month_balance.month desc
    ) as closing
    on conflict do nothing;
    return found;
end
$$;
