-- Roubles beside points: partners, funds and gift certificates. A capture posts the money that goes with it (post_money);
-- here are the accounts, what happens afterwards, and certificates. Points and money are postings of one transaction,
-- and each of them is between two accounts of one asset.

-- The books have a member of their own for what belongs to no person: payouts to funds and partners.
create function ledger.house() returns uuid
language sql immutable parallel safe
as $$
    select '00000000-0000-7000-8000-000000000000'::uuid
$$;

-- Opens the accounts of a partner: points → clearing → settled, money owed and paid. Again: nothing. Returns the purpose
-- of its holds.
create function ledger.open_partner(p_partner text) returns text
language plpgsql security definer set search_path = ledger, pg_temp
as $$
declare
    code text := 'partner:' || p_partner;
begin
    perform pg_advisory_xact_lock(hashtext('ledger.open'));
    if not exists (select from hold_purpose where purpose = code) then
        insert into hold_purpose (purpose, destination, settled, funded_by, payable, paid)
        values (
            code,
            open_account(code || ':clearing', 'PTS', 'house', 'exchanges under way; returns to zero'),
            open_account(code || ':settled', 'PTS', 'house', 'exchanged points'), 100,
            open_account('rub:' || code || ':payable', 'RUB', 'house', 'owed for exchanged points'),
            open_account('rub:' || code || ':paid', 'RUB', 'house', 'paid for exchanged points'));
    end if;
    return code;
end
$$;

-- The same for a charity fund, whose donations the shop matches.
create function ledger.open_fund(p_fund text) returns text
language plpgsql security definer set search_path = ledger, pg_temp
as $$
declare
    code text := 'charity:' || p_fund;
begin
    perform pg_advisory_xact_lock(hashtext('ledger.open'));
    if not exists (select from hold_purpose where purpose = code) then
        insert into hold_purpose (purpose, destination, settled, funded_by, matched_by, payable, paid)
        values (
            code,
            open_account(code || ':clearing', 'PTS', 'house', 'donated, not yet paid out; returns to zero'),
            open_account(code || ':settled', 'PTS', 'house', 'donated and paid out'), 100, 101,
            open_account('rub:' || code || ':payable', 'RUB', 'house', 'owed to the fund'),
            open_account('rub:' || code || ':paid', 'RUB', 'house', 'paid to the fund'));
    end if;
    return code;
end
$$;

-- An exchange is done: what the hold brought to the clearing account goes to the settled one. Answers, or
--   unknown-hold      nothing of it is on a clearing account
--   already-settled   it is settled, or came back
create function ledger.do_settle(p jsonb, p_at timestamptz) returns jsonb
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    v_member uuid := (p->>'member')::uuid;
    v_hold   uuid := (p->>'hold')::uuid;
    moment   timestamptz;
    made_id  uuid;
    aim      hold_purpose;
    total    bigint;
begin
    perform lock_members(array[v_member]);
    select h.* into aim from clearing_item as i join hold_purpose as h using (purpose)
    where i.member_id = v_member and i.hold_id = v_hold limit 1;
    if not found then
        return jsonb_build_object('refusal', 'unknown-hold');
    end if;
    -- Locked: a fund's items are settled by being paid, which asks for no lock of the member.
    select sum(open.points)::bigint into total
    from (
        select i.points from clearing_item as i
        where i.member_id = v_member and i.hold_id = v_hold and i.settled_by is null
        order by i.opened_by for no key update
    ) as open;
    if total is null then
        return jsonb_build_object('refusal', 'already-settled');
    end if;
    moment := begin_entry(v_member, p_at);
    made_id := new_id(moment);
    update clearing_item as i set settled_by = made_id, settled_at = p_at
    where i.member_id = v_member and i.hold_id = v_hold and i.settled_by is null;
    perform post(made_id, v_member, aim.destination, aim.settled, total);
    perform finish_entry(made_id, v_member, moment, p_at, v_hold, 'settle');
    return jsonb_build_object('transaction', made_id, 'points', total);
end
$$;

-- Pays a partner or a fund what was opened before `until`: payable → paid. A partner is paid for settled exchanges; a
-- fund's donations are settled by being paid, so its clearing account returns to zero. Answers points, kopecks and how
-- many items, or
--   unknown-purpose
--   nothing-owed
create function ledger.do_pay_out(p jsonb, p_at timestamptz) returns jsonb
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    aim      hold_purpose;
    moment   timestamptz;
    made_id  uuid;
    owners   uuid[];
    openings uuid[];
    fresh    bigint;
    owed     bigint;
begin
    select * into aim from hold_purpose where purpose = p->>'purpose' and paid is not null;
    if not found then
        return jsonb_build_object('refusal', 'unknown-purpose');
    end if;
    perform lock_members(array[house()]);
    select array_agg(member_id), array_agg(opened_by),
        coalesce(sum(points) filter (where settled_by is null), 0)::bigint, sum(kopecks)::bigint
    into owners, openings, fresh, owed
    from (
        select i.* from clearing_item as i
        where i.purpose = aim.purpose and i.paid_by is null and i.opened_at < (p->>'until')::timestamptz
            and (i.settled_by is not null or aim.matched_by is not null)
        order by i.member_id, i.opened_by for no key update
    ) as due;
    if owners is null then
        return jsonb_build_object('refusal', 'nothing-owed');
    end if;
    moment := begin_entry(house(), p_at);
    made_id := new_id(moment);
    update clearing_item as i
    set paid_by = made_id, settled_by = coalesce(i.settled_by, made_id), settled_at = coalesce(i.settled_at, p_at)
    from unnest(owners, openings) as due (member_id, opened_by)
    where i.member_id = due.member_id and i.opened_by = due.opened_by;
    perform post(made_id, house(), aim.destination, aim.settled, fresh);
    perform post(made_id, house(), aim.payable, aim.paid, owed);
    perform finish_entry(made_id, house(), moment, p_at, (p->>'id')::uuid, 'settle');
    return jsonb_build_object('transaction', made_id, 'points', fresh, 'kopecks', owed, 'items', cardinality(owners));
end
$$;

-- Issues a gift certificate: its id is the natural key. Paid with points it captures the whole of a hold for
-- `certificate`, and the points' worth must be its face value; paid with money nothing of the member's is touched.
-- Answers, or what end_hold refuses, or
--   wrong-purpose, wrong-worth   the hold was for something else, or the face value is outside of 200 to 3000 roubles
create function ledger.do_issue_certificate(p jsonb, p_at timestamptz) returns jsonb
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    v_member  uuid := (p->>'member')::uuid;
    v_hold    uuid := (p->>'hold')::uuid;
    v_kopecks bigint := (p->>'kopecks')::bigint;
    mine      hold;
    ended     record;
    moment    timestamptz;
    made_id   uuid;
begin
    if v_kopecks not between 20000 and 300000 then
        return jsonb_build_object('refusal', 'wrong-worth');
    end if;
    perform lock_members(array[v_member]);
    if v_hold is null then
        moment := begin_entry(v_member, p_at);
        made_id := new_id(moment);
        perform post(
            made_id, v_member, account_of('rub:certificate:funding'), account_of('rub:certificate'), v_kopecks);
        perform finish_entry(made_id, v_member, moment, p_at, (p->>'id')::uuid, 'certificate');
    else
        select * into mine from hold where member_id = v_member and hold_id = v_hold;
        if found and mine.purpose <> 'certificate' then
            return jsonb_build_object('refusal', 'wrong-purpose');
        end if;
        if found and mine.state <> 'open' and mine.state <> 'refused' then
            return jsonb_build_object('refusal', 'hold-' || mine.state);
        end if;
        select * into ended from end_hold(v_hold, v_member, null, p_at, null, true, v_kopecks, 0);
        if ended.refusal is not null then
            return jsonb_build_object('refusal', ended.refusal);
        end if;
        made_id := ended.transaction_id;
    end if;
    insert into certificate (certificate_id, member_id, issued_by, kopecks, remaining, funding)
    values (
        (p->>'id')::uuid, v_member, made_id, v_kopecks, v_kopecks, case when v_hold is null then 'money' else 'points' end);
    return jsonb_build_object('transaction', made_id, 'remaining', v_kopecks);
end
$$;

-- Spends money of a certificate for goods; whoever holds it is `member`. Answers what remains, or
--   unknown-certificate
--   insufficient-money   the row is locked first, so two tills at once never spend more than there is
create function ledger.do_redeem_certificate(p jsonb, p_at timestamptz) returns jsonb
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    v_member  uuid := (p->>'member')::uuid;
    v_kopecks bigint := (p->>'kopecks')::bigint;
    mine      certificate;
    moment    timestamptz;
    made_id   uuid;
begin
    perform lock_members(array[v_member]);
    select * into mine from certificate where certificate_id = (p->>'certificate')::uuid for no key update;
    if not found then
        return jsonb_build_object('refusal', 'unknown-certificate');
    end if;
    if v_kopecks > mine.remaining then
        return jsonb_build_object('refusal', 'insufficient-money', 'remaining', mine.remaining);
    end if;
    moment := begin_entry(v_member, p_at);
    made_id := new_id(moment);
    update certificate set remaining = remaining - v_kopecks where certificate_id = mine.certificate_id;
    perform post(
        made_id, v_member, account_of('rub:certificate'), account_of('rub:certificate:redeemed'), v_kopecks);
    perform finish_entry(made_id, v_member, moment, p_at, mine.certificate_id, 'certificate');
    return jsonb_build_object('transaction', made_id, 'remaining', mine.remaining - v_kopecks);
end
$$;

-- Writes off what is left on a certificate whose time is over: certificate → breakage, as with points that expire. When
-- that is, gift certificates know. Answers how much it was, or
--   unknown-certificate
--   never-expires        it was paid with money: an advance payment keeps its worth
--   insufficient-money   nothing is left
create function ledger.do_expire_certificate(p jsonb, p_at timestamptz) returns jsonb
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    v_member uuid := (p->>'member')::uuid;
    mine     certificate;
    moment   timestamptz;
    made_id  uuid;
begin
    perform lock_members(array[v_member]);
    select * into mine from certificate where certificate_id = (p->>'certificate')::uuid for no key update;
    if not found then
        return jsonb_build_object('refusal', 'unknown-certificate');
    end if;
    if mine.funding = 'money' then
        return jsonb_build_object('refusal', 'never-expires');
    end if;
    if mine.remaining = 0 then
        return jsonb_build_object('refusal', 'insufficient-money', 'remaining', 0);
    end if;
    moment := begin_entry(v_member, p_at);
    made_id := new_id(moment);
    update certificate set remaining = 0 where certificate_id = mine.certificate_id;
    perform post(
        made_id, v_member, account_of('rub:certificate'), account_of('rub:certificate:breakage'), mine.remaining);
    perform finish_entry(made_id, v_member, moment, p_at, mine.certificate_id, 'certificate');
    return jsonb_build_object('transaction', made_id, 'kopecks', mine.remaining, 'remaining', 0);
end
$$;
