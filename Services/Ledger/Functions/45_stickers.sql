-- Stickers: an asset per campaign, with accounts of its own. Never below zero, and gone when the campaign ends.

-- Opens a campaign, or moves the end of one that is open. Its accounts are opened with it.
create function ledger.open_campaign(p_campaign text, p_ends_at timestamptz) returns void
language plpgsql security definer set search_path = ledger, pg_temp
as $$
declare
    asset text := 'STK:' || p_campaign;
begin
    perform pg_advisory_xact_lock(hashtext('ledger.open'));
    update campaign set ends_at = p_ends_at where campaign = p_campaign and ends_at <> p_ends_at;
    if exists (select from campaign where campaign = p_campaign) then
        return;
    end if;
    insert into campaign (campaign, ends_at, owned, issued, redeemed, breakage, moving)
    values (
        p_campaign, p_ends_at,
        open_account('stickers:' || p_campaign || ':owned', asset, 'member', 'stickers that members have'),
        open_account('stickers:' || p_campaign || ':issued', asset, 'house', 'stickers given out'),
        open_account('stickers:' || p_campaign || ':redeemed', asset, 'house', 'stickers exchanged'),
        open_account('stickers:' || p_campaign || ':breakage', asset, 'house', 'stickers left when the campaign ended'),
        open_account('stickers:' || p_campaign || ':moving', asset, 'house', 'on the way between members; returns to zero'));
end
$$;

create function ledger.open_account(p_code text, p_asset text, p_holder text, p_meaning text) returns smallint
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    opened smallint;
begin
    insert into account (id, code, asset, holder, meaning)
    values (nextval('account_id'), p_code, p_asset, p_holder, p_meaning)
    returning id into opened;
    return opened;
end
$$;

-- Gives stickers (`count` above zero) or takes them. `subject`: the receipt or the coupon. Answers the balance, or
--   unknown-campaign, campaign-over
--   insufficient-stickers   there are fewer to take
create function ledger.do_stickers(p jsonb, p_at timestamptz) returns jsonb
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    v_member uuid := (p->>'member')::uuid;
    v_count  bigint := (p->>'count')::bigint;
    sheet    campaign;
    moment   timestamptz;
    made_id  uuid;
    has      bigint;
begin
    select * into sheet from campaign where campaign = p->>'campaign';
    if not found then
        return jsonb_build_object('refusal', 'unknown-campaign');
    end if;
    if sheet.ends_at <= p_at then
        return jsonb_build_object('refusal', 'campaign-over');
    end if;
    moment := begin_entry(v_member, p_at);
    made_id := new_id(moment);
    select coalesce(max(balance), 0) into has from sticker where member_id = v_member and campaign = sheet.campaign;
    if has + v_count < 0 then
        return jsonb_build_object('refusal', 'insufficient-stickers', 'balance', has);
    end if;
    insert into sticker as s (member_id, campaign, balance) values (v_member, sheet.campaign, greatest(v_count, 0))
    on conflict (member_id, campaign) do update set balance = s.balance + v_count
    returning s.balance into has;
    perform post(made_id, v_member, sheet.issued, sheet.owned, v_count);
    perform post(made_id, v_member, sheet.owned, sheet.redeemed, -v_count);
    perform finish_entry(
        made_id, v_member, moment, p_at, coalesce((p->>'subject')::uuid, (p->>'id')::uuid), 'sticker');
    return jsonb_build_object('transaction', made_id, 'balance', has);
end
$$;
