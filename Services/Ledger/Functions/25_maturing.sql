-- Points that were earned and have waited become available: pending → debt first, the rest → available. The lot is made
-- now, and its life counts from now.

-- Everything of one member and one receipt that is due, in one transaction. The caller has locked the member.
create function ledger.mature_receipt(p_member uuid, p_receipt uuid, p_at timestamptz) returns uuid
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    moment  timestamptz := begin_entry(p_member, p_at);
    made_id uuid := new_id(moment);
    owed    bigint;
    repaid  bigint;
    since   timestamptz;
    part    record;
begin
    select debt into owed from member where member_id = p_member;
    for part in
        select lot_class, sum(remaining)::bigint as points, max(matures_at) as matures_at
        from maturing
        where member_id = p_member and receipt_id = p_receipt and remaining > 0 and matures_at <= p_at
        group by lot_class order by lot_class
    loop
        since := greatest(since, part.matures_at);
        repaid := least(owed, part.points);
        owed := owed - repaid;
        perform post(made_id, p_member, 2, 4, repaid);
        if part.points > repaid then
            perform make_lot(
                made_id, p_member, part.lot_class, expiry(part.lot_class, p_at), part.points - repaid, 2, p_at);
        end if;
    end loop;
    if since is null then
        return null;
    end if;
    update maturing set remaining = 0, matured_by = made_id
    where member_id = p_member and receipt_id = p_receipt and remaining > 0 and matures_at <= p_at;
    perform finish_entry(made_id, p_member, moment, since, p_receipt, 'mature');
    return made_id;
end
$$;

-- The sweep: what is due of up to p_limit receipts. Who is locked by somebody else is left for the next round. Returns
-- how many receipts were looked at; fewer than p_limit: there were no more.
create function ledger.mature_points(p_at timestamptz, p_limit integer) returns integer
language plpgsql security definer set search_path = ledger, pg_temp set jit = off
as $$
declare
    found_due record;
    looked_at integer := 0;
begin
    for found_due in
        with due as materialized (
            select distinct member_id, receipt_id from (
                select member_id, receipt_id from maturing
                where remaining > 0 and matures_at <= p_at order by matures_at, member_id limit p_limit
            ) as first
        ),
        locked as materialized (
            select member_id from member where member_id in (select member_id from due)
            order by member_id for no key update skip locked
        )
        select d.* from due as d join locked using (member_id) order by d.member_id, d.receipt_id
    loop
        perform mature_receipt(found_due.member_id, found_due.receipt_id, p_at);
        looked_at := looked_at + 1;
    end loop;
    return looked_at;
end
$$;
