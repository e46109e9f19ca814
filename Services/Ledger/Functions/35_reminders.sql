-- Telling members of points that will expire: once per member, day of expiry and number of days before.

-- A chunk of members after p_after, in the order of their ids, whose points' last day is p_days_before days after the
-- present one in Moscow. Writes down that they are told, and answers whom and of how many points; last_member says where
-- to go on. No row: none are left.
create function ledger.remind(p_at timestamptz, p_days_before integer, p_after uuid, p_limit integer)
returns table (member_id uuid, points bigint, expires_at timestamptz, last_member uuid)
language plpgsql security definer set search_path = ledger, pg_temp set jit = off
as $$
#variable_conflict use_column
declare
    v_midnight timestamptz := (date_trunc('day', p_at at time zone 'Europe/Moscow')
        + make_interval(days => p_days_before + 1)) at time zone 'Europe/Moscow';
    v_chunk    uuid[];
begin
    select array_agg(c.member_id order by c.member_id) into v_chunk
    from (
        select m.member_id from member as m
        where m.next_expiry <= v_midnight and (p_after is null or m.member_id > p_after)
        order by m.member_id limit p_limit
    ) as c;
    if v_chunk is null then
        return;
    end if;
    return query
    with told as (
        insert into reminder (member_id, expires_at, days_before, points)
        select l.member_id, v_midnight, p_days_before, sum(l.remaining)
        from lot as l
        where l.member_id = any (v_chunk) and l.expires_at = v_midnight and l.remaining > 0
        group by l.member_id
        on conflict do nothing
        returning member_id, points
    )
    select t.member_id, t.points, v_midnight, v_chunk[cardinality(v_chunk)] from told as t
    union all
    select null, null, null, v_chunk[cardinality(v_chunk)] where not exists (select from told);
end
$$;
