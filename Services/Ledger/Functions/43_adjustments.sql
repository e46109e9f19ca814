-- Corrections, with four eyes: one person asks, another one decides. The table refuses the same person twice.

-- Asks for a correction: `points` above zero gives, below zero takes. The request's id is its natural key.
create function ledger.do_request_adjustment(p jsonb, p_at timestamptz) returns jsonb
language plpgsql set search_path = ledger, pg_temp
as $$
begin
    insert into adjustment (adjustment_id, member_id, points, maker, asked_at, cause, ticket, reason)
    values (
        (p->>'id')::uuid, (p->>'member')::uuid, (p->>'points')::bigint, (p->>'maker')::uuid, p_at, p->>'cause',
        p->>'ticket', p->>'reason');
    return jsonb_build_object('state', 'requested');
end
$$;

-- Decides about a correction, for whom the member is now. Answers `approved` with the transaction, `rejected`, or
--   unknown-adjustment    there is none such of this member
--   same-person           who has asked cannot decide
--   already-decided       otherwise, or by somebody else
--   insufficient-points   there is less to take; the request stays open
create function ledger.do_decide_adjustment(p jsonb, p_at timestamptz) returns jsonb
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    mine    adjustment;
    owner   uuid := lock_owner((p->>'member')::uuid);
    moment  timestamptz;
    made_id uuid;
    wanted  adjustment_state := case when (p->>'approves')::boolean then 'approved' else 'rejected' end;
    has     bigint;
    result  member;
begin
    select * into mine from adjustment
    where adjustment_id = (p->>'adjustment')::uuid and member_id = (p->>'member')::uuid;
    if not found then
        return jsonb_build_object('refusal', 'unknown-adjustment');
    end if;
    if mine.maker = (p->>'checker')::uuid then
        return jsonb_build_object('refusal', 'same-person');
    end if;
    if mine.state <> 'requested' then
        return jsonb_build_object('refusal', 'already-decided');
    end if;
    if wanted = 'approved' then
        moment := begin_entry(owner, p_at);
        made_id := new_id(moment);
    end if;
    select available into has from member where member_id = owner;
    if wanted = 'approved' and mine.points < -has then
        return jsonb_build_object('refusal', 'insufficient-points', 'available', has);
    end if;
    if wanted = 'approved' then
        if mine.points < 0 then
            perform take_lots(made_id, owner, -mine.points, account_of('adjustment'), p_at);
        elsif mine.cause = 'goodwill' then
            perform make_lot(
                made_id, owner, 'goodwill', expiry('goodwill', p_at), mine.points, account_of('issued:goodwill'), p_at,
                mine.ticket);
        else
            perform make_lot(
                made_id, owner, 'adjustment', expiry('adjustment', p_at), mine.points, account_of('adjustment'), p_at,
                mine.ticket);
        end if;
        result := finish_entry(made_id, owner, moment, p_at, mine.adjustment_id, 'adjust');
    end if;
    update adjustment
    set state = wanted, checker = (p->>'checker')::uuid, decided_at = p_at,
        transaction_id = case when wanted = 'approved' then made_id end
    where adjustment_id = mine.adjustment_id;
    return case wanted
        when 'approved' then
            jsonb_build_object('state', wanted, 'transaction', made_id, 'available', result.available)
        else jsonb_build_object('state', wanted)
    end;
end
$$;
