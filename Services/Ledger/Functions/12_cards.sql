-- Cards of one person that were made one, perhaps more than once: who somebody is now, and whose points a lot has been.

-- A card and those that it was merged into, one after the other; the last is who it is now.
create function ledger.cards_of(p_member uuid) returns uuid[]
language plpgsql stable set search_path = ledger, pg_temp
as $$
declare
    cards uuid[] := array[p_member];
    next  uuid;
begin
    -- Merges go from a card to one that is not merged away itself, so this ends; the limit is against a circle. A card
    -- whose late receipts are brought over is merged again, into who it is then: its first merge shows the whole way.
    for i in 1..100 loop
        select target into next from merge where source = cards[i] order by left_by limit 1;
        exit when not found;
        cards := cards || next;
    end loop;
    return cards;
end
$$;

-- Who a member is now.
create function ledger.owner_of(p_member uuid) returns uuid
language plpgsql stable set search_path = ledger, pg_temp
as $$
declare
    cards uuid[] := cards_of(p_member);
begin
    return cards[cardinality(cards)];
end
$$;

-- Locks a card and who it is now, and says who that is. While it waits for the locks the card may be merged, so it
-- looks again.
create function ledger.lock_owner(p_member uuid) returns uuid
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    owner uuid := owner_of(p_member);
    now_  uuid;
begin
    loop
        perform lock_members(array[p_member, owner]);
        now_ := owner_of(p_member);
        exit when now_ = owner;
        owner := now_;
    end loop;
    return owner;
end
$$;

-- The open lots of a member whose points were made by one of the transactions p_sources: here, or on a card that was
-- merged into this one. A merge keeps a lot's expiry.
create function ledger.lots_from(p_member uuid, p_sources uuid[]) returns integer[]
language plpgsql stable set search_path = ledger, pg_temp
as $$
begin
    return array(
        with recursive trace as (
            select l.number, l.expires_at, l.source, l.member_id as was_member, l.number as was_number
            from lot as l where l.member_id = p_member and l.remaining > 0
            union all
            select t.number, t.expires_at, was.source, was.member_id, was.number
            from trace as t
            join merged_lot as g on g.member_id = t.was_member and g.number = t.was_number
            join lot as was
                on was.member_id = g.from_member and was.expires_at = t.expires_at and was.number = g.from_number
        )
        select distinct number from trace where source = any (p_sources) order by number);
end
$$;

-- Of a batch the cards that are not alone, each with one that stands for its group: cards of one person, now or by a
-- merge of this batch. What is done to one card of a group may change another one, so a group's transfers keep their
-- order. Nobody, when nothing in the batch reaches over.
create function ledger.groups_of(p_transfers jsonb[], out cards uuid[], out leaders uuid[])
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    step record;
    gone uuid;
    kept uuid;
begin
    if not exists (select from unnest(p_transfers) as x where reaches_over(x->>'kind')) then
        return;
    end if;
    with merging as (
        select (x->>'source')::uuid as card from unnest(p_transfers) as x where x->>'kind' = 'merge'
        union
        select (x->>'member')::uuid from unnest(p_transfers) as x where x->>'kind' = 'merge'
    ),
    named as (
        select distinct (x->>'member')::uuid as card from unnest(p_transfers) as x
    ),
    known as materialized (
        select c.card, owner_of(c.card) as leader
        from (
            select card from merging
            union
            select n.card from named as n where exists (select from merge as m where m.source = n.card)
        ) as c
    )
    -- Who stands for others is listed as well: a merge of the batch gives it another leader together with them.
    select array_agg(k.card), array_agg(k.leader) into cards, leaders
    from (select card, leader from known union select leader, leader from known) as k;
    for step in
        select (x->>'source')::uuid as source, (x->>'member')::uuid as target
        from unnest(p_transfers) as x where x->>'kind' = 'merge'
    loop
        gone := leaders[array_position(cards, step.source)];
        kept := leaders[array_position(cards, step.target)];
        leaders := array(
            select case leader when gone then kept else leader end
            from unnest(leaders) with ordinality as l (leader, i) order by i);
    end loop;
end
$$;

-- Transfers that may change another card than the one they name.
create function ledger.reaches_over(p_kind text) returns boolean
language plpgsql immutable set search_path = ledger, pg_temp
as $$
begin
    return p_kind in ('merge', 'return', 'reverse', 'decide-adjustment');
end
$$;
