-- Two cards of one person become one: every lot, everything that waits, the debt and the stickers go over, lot by lot
-- with their expiry. Each member has a transaction of its own; the account between them returns to zero.

-- `source` is merged into `member`. Answers both transactions, or
--   unknown-member   the source has never had anything
--   same-member      there is nothing to merge
--   open-holds       a payment of the source is under way: capture or void it first
--   merged-away      the target has been merged away itself, or the source into somebody else
create function ledger.do_merge(p jsonb, p_at timestamptz) returns jsonb
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    v_from   uuid := (p->>'source')::uuid;
    v_into   uuid := (p->>'member')::uuid;
    giver    member;
    left_by  uuid;
    came_by  uuid;
    left_at  timestamptz;
    came_at  timestamptz;
    moving  smallint := account_of('merge');
    result   member;
begin
    if v_from = v_into then
        return jsonb_build_object('refusal', 'same-member');
    end if;
    -- A batch makes members before their first receipt, later in the batch, is posted.
    if not exists (select from member where member_id = v_from and version > 0) then
        return jsonb_build_object('refusal', 'unknown-member');
    end if;
    perform lock_members(array[v_from, v_into]);
    -- A receipt that came late for the old card can be brought over by another merge, to who it is now.
    if owner_of(v_into) <> v_into or owner_of(v_from) not in (v_from, v_into) then
        return jsonb_build_object('refusal', 'merged-away');
    end if;
    left_at := begin_entry(v_from, p_at);
    came_at := begin_entry(v_into, p_at);
    select * into giver from member where member_id = v_from;
    if giver.held > 0 then
        return jsonb_build_object('refusal', 'open-holds');
    end if;
    left_by := new_id(left_at);
    came_by := new_id(came_at);
    perform move_lots(v_from, v_into, left_by, came_by, p_at);
    perform move_waiting(v_from, v_into, left_by, came_by);
    perform post(left_by, v_from, moving, 4, giver.debt);
    perform post(came_by, v_into, 4, moving, giver.debt);
    perform move_stickers(v_from, v_into, left_by, came_by);
    perform finish_entry(left_by, v_from, left_at, p_at, (p->>'id')::uuid, 'merge');
    result := finish_entry(came_by, v_into, came_at, p_at, (p->>'id')::uuid, 'merge');
    insert into merge (merge_id, source, target, left_by, came_by, merged_at)
    values ((p->>'id')::uuid, v_from, v_into, left_by, came_by, p_at);
    return jsonb_build_object('transaction', came_by, 'left', left_by, 'available', result.available);
end
$$;

-- Every lot with something left becomes a lot of the other member, of the same class, expiry and day of earning.
create function ledger.move_lots(p_from uuid, p_into uuid, p_left_by uuid, p_came_by uuid, p_at timestamptz)
returns void
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    moving smallint := account_of('merge');
    last    integer;
begin
    select lots into last from member where member_id = p_into;
    with moved as materialized (
        select l.*, row_number() over (order by l.expires_at, l.number) as nth
        from lot as l where l.member_id = p_from and l.remaining > 0
    ),
    emptied as (
        update lot as l set remaining = 0 from moved as m
        where l.member_id = p_from and l.expires_at = m.expires_at and l.number = m.number
    ),
    made as (
        insert into lot (member_id, expires_at, number, lot_class, earned_at, source, amount, remaining)
        select p_into, expires_at, last + nth, lot_class, earned_at, p_came_by, remaining, remaining from moved
    ),
    lineage as (
        insert into merged_lot (member_id, number, from_member, from_number)
        select p_into, last + nth, p_from, number from moved
    ),
    postings as (
        insert into posting (transaction_id, member_id, amount, lot, line, debit, credit)
        select p_left_by, p_from, remaining, number, nth, 1, moving from moved
        union all
        select p_came_by, p_into, remaining, last + nth, nth, moving, 1 from moved
    )
    update member as m
    set lots = m.lots + (select count(*) from moved),
        next_expiry = least(m.next_expiry, (select min(expires_at) from moved))
    where m.member_id = p_into;
end
$$;

-- What waits goes on waiting for the same day, with the other member.
create function ledger.move_waiting(p_from uuid, p_into uuid, p_left_by uuid, p_came_by uuid) returns void
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    moving smallint := account_of('merge');
    waiting maturing;
    came_in smallint;
begin
    for waiting in
        select * from maturing where member_id = p_from and remaining > 0 order by matures_at, transaction_id, line
    loop
        perform post(p_left_by, p_from, 2, moving, waiting.remaining);
        came_in := post(p_came_by, p_into, moving, 2, waiting.remaining);
        insert into maturing (
            member_id, transaction_id, matures_at, points, remaining, receipt_id, line, lot_class)
        values (
            p_into, p_came_by, waiting.matures_at, waiting.remaining, waiting.remaining, waiting.receipt_id, came_in,
            waiting.lot_class);
        update maturing set remaining = 0
        where member_id = p_from and transaction_id = waiting.transaction_id and line = waiting.line;
    end loop;
end
$$;

create function ledger.move_stickers(p_from uuid, p_into uuid, p_left_by uuid, p_came_by uuid) returns void
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    pile record;
begin
    for pile in
        select s.campaign, s.balance, c.owned, c.moving from sticker as s join campaign as c using (campaign)
        where s.member_id = p_from and s.balance > 0 order by s.campaign
    loop
        perform post(p_left_by, p_from, pile.owned, pile.moving, pile.balance);
        perform post(p_came_by, p_into, pile.moving, pile.owned, pile.balance);
        update sticker set balance = 0 where member_id = p_from and campaign = pile.campaign;
        insert into sticker as s (member_id, campaign, balance) values (p_into, pile.campaign, pile.balance)
        on conflict (member_id, campaign) do update set balance = s.balance + excluded.balance;
    end loop;
end
$$;
