-- A transaction undone by its mirror, once: the table says so (reversal_once). What can be undone: a capture (an exchange
-- that the partner gives back, the issue of a certificate that is whole), an adjustment, stickers, and money spent from a
-- certificate. Receipts are undone by returns, holds by voids. The mirror is posted for whom the member is now: the old
-- card of two that were merged has nothing, and nobody looks at it.

-- Answers the reversal, or
--   unknown-transaction   this member has none such
--   not-reversible        transactions of this kind are undone otherwise
--   already-reversed      by another request
--   already-returned      some of the captured points came back with returned goods
--   already-settled       the partner or the fund has been settled with
--   insufficient-points, insufficient-stickers   what would have to be taken back is spent
create function ledger.do_reverse(p jsonb, p_at timestamptz) returns jsonb
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    v_member uuid := (p->>'member')::uuid;
    owner    uuid;
    was      transaction;
    moment   timestamptz;
    made_id  uuid;
    refusal  text;
    result   member;
begin
    owner := lock_owner(v_member);
    select * into was from transaction where id = (p->>'reverses')::uuid and member_id = v_member;
    if not found then
        return jsonb_build_object('refusal', 'unknown-transaction');
    end if;
    if exists (select from reversal where reverses = was.id) then
        return jsonb_build_object('refusal', 'already-reversed');
    end if;
    moment := begin_entry(owner, p_at);
    made_id := new_id(moment);
    refusal := case was.kind::text
        when 'capture' then reverse_capture(was, owner, made_id, p_at)
        when 'adjust' then reverse_adjustment(was, owner, made_id, p_at)
        when 'sticker' then reverse_stickers(was, owner, made_id)
        when 'certificate' then reverse_redemption(was, owner, made_id)
        else 'not-reversible'
    end;
    if refusal is not null then
        return jsonb_build_object('refusal', refusal);
    end if;
    result := finish_entry(made_id, owner, moment, p_at, was.id, 'reverse');
    insert into reversal (reversal_id, member_id, reverses, transaction_id, kind)
    values ((p->>'id')::uuid, v_member, was.id, made_id, was.kind);
    return jsonb_build_object('transaction', made_id, 'available', result.available);
end
$$;

-- Points back to their lots, money legs turned round. Of a hold captured in parts only the last capture can be undone,
-- because points are captured and given back in the order of the hold.
create function ledger.reverse_capture(p_was ledger.transaction, p_owner uuid, p_id uuid, p_at timestamptz)
returns text
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    mine    hold;
    aim     hold_purpose;
    settled uuid;
    burnt   bigint;
    money   posting;
begin
    select * into mine from hold where member_id = p_was.member_id and hold_id = p_was.subject;
    if mine.state = 'open' or exists (
        select from part_capture where member_id = p_was.member_id and hold_id = mine.hold_id)
    then
        return 'not-reversible';
    end if;
    if mine.returned > 0 or exists (select from receipt_payment where hold_id = mine.hold_id) then
        return 'already-returned';
    end if;
    -- Locked: a payout of the fund asks for no lock of the member, and would be undone here.
    select settled_by into settled from clearing_item
    where member_id = p_was.member_id and opened_by = p_was.id for no key update;
    if settled is not null then
        return 'already-settled';
    end if;
    -- A certificate is given back whole or not at all: what is spent of it cannot become points again.
    if mine.purpose = 'certificate' then
        update certificate set remaining = 0 where issued_by = p_was.id and remaining = kopecks;
        if not found then
            return 'not-reversible';
        end if;
    end if;
    select * into aim from hold_purpose where purpose = mine.purpose;
    select coalesce(sum(amount), 0) into burnt from posting
    where transaction_id = p_was.id and member_id = p_was.member_id and debit = 3 and credit <> 1;
    perform give_back(p_id, p_owner, mine, burnt, aim.destination, p_at);
    for money in
        select g.* from posting as g join account as a on a.id = g.debit
        where g.transaction_id = p_was.id and g.member_id = p_was.member_id and a.asset = 'RUB' order by g.line
    loop
        perform post(p_id, p_owner, money.credit, money.debit, money.amount);
    end loop;
    update clearing_item set settled_by = p_id, settled_at = p_at, paid_by = p_id
    where member_id = p_was.member_id and opened_by = p_was.id;
    return null;
end
$$;

-- What was given is taken from its own lot first; what was taken comes back as a lot of corrections.
create function ledger.reverse_adjustment(p_was ledger.transaction, p_owner uuid, p_id uuid, p_at timestamptz)
returns text
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    given bigint;
    taken bigint;
    issue smallint;
    has   bigint;
begin
    select coalesce(sum(amount) filter (where credit = 1), 0), coalesce(sum(amount) filter (where debit = 1), 0),
        max(debit) filter (where credit = 1)
    into given, taken, issue
    from posting where transaction_id = p_was.id and member_id = p_was.member_id;
    select available into has from member where member_id = p_owner;
    if given > has then
        return 'insufficient-points';
    end if;
    if given > 0 then
        perform take_lots(p_id, p_owner, given, issue, p_at, lots_from(p_owner, array[p_was.id]));
    end if;
    if taken > 0 then
        perform make_lot(
            p_id, p_owner, 'adjustment', expiry('adjustment', p_at), taken, account_of('adjustment'), p_at);
    end if;
    return null;
end
$$;

create function ledger.reverse_stickers(p_was ledger.transaction, p_owner uuid, p_id uuid) returns text
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    moved posting;
    sheet campaign;
    has   bigint;
    back  bigint;
begin
    select * into strict moved from posting where transaction_id = p_was.id and member_id = p_was.member_id;
    select * into strict sheet from campaign where owned in (moved.debit, moved.credit);
    back := case when moved.debit = sheet.owned then moved.amount else -moved.amount end;
    select coalesce(max(balance), 0) into has from sticker where member_id = p_owner and campaign = sheet.campaign;
    if has + back < 0 then
        return 'insufficient-stickers';
    end if;
    insert into sticker as s (member_id, campaign, balance) values (p_owner, sheet.campaign, greatest(back, 0))
    on conflict (member_id, campaign) do update set balance = s.balance + back;
    perform post(p_id, p_owner, moved.credit, moved.debit, moved.amount);
    return null;
end
$$;

-- Money spent from a certificate goes back to it. The issue of one that money has bought is not undone here; of one that
-- points have bought the capture is.
create function ledger.reverse_redemption(p_was ledger.transaction, p_owner uuid, p_id uuid) returns text
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    left_on  smallint := account_of('rub:certificate');
    redeemed smallint := account_of('rub:certificate:redeemed');
    moved    posting;
begin
    select * into strict moved from posting where transaction_id = p_was.id and member_id = p_was.member_id;
    if moved.credit <> redeemed then
        return 'not-reversible';
    end if;
    update certificate set remaining = remaining + moved.amount where certificate_id = p_was.subject;
    perform post(p_id, p_owner, redeemed, left_on, moved.amount);
    return null;
end
$$;
