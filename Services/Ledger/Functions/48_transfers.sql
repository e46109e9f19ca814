-- Transfers: everything that others may ask of the books, in one shape, alone or several hundred at a time. What was
-- asked and what was answered is kept under the transfer's id; a refusal is an answer, and refuses itself alone.

-- One recipe. The members are locked by now.
create function ledger.run_recipe(p jsonb, p_at timestamptz) returns jsonb
language plpgsql set search_path = ledger, pg_temp
as $$
begin
    case p->>'kind'
        when 'return' then return do_return(p, p_at);
        when 'stickers' then return do_stickers(p, p_at);
        when 'settle' then return do_settle(p, p_at);
        when 'reverse' then return do_reverse(p, p_at);
        when 'merge' then return do_merge(p, p_at);
        when 'request-adjustment' then return do_request_adjustment(p, p_at);
        when 'decide-adjustment' then return do_decide_adjustment(p, p_at);
        when 'issue-certificate' then return do_issue_certificate(p, p_at);
        when 'redeem-certificate' then return do_redeem_certificate(p, p_at);
        when 'expire-certificate' then return do_expire_certificate(p, p_at);
        when 'pay-out' then return do_pay_out(p, p_at);
        else raise exception 'no recipe %', p->>'kind' using errcode = 'invalid_parameter_value';
    end case;
end
$$;

-- Runs a recipe once: the same again gets the stored answer, something else under the same id is refused. What is not
-- known (yet) is not kept: it may come.
create function ledger.run_once(p jsonb, p_at timestamptz) returns jsonb
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    known   operation;
    answer  jsonb;
    subject uuid := coalesce(p->>'member', house()::text)::uuid;
begin
    select * into known from operation where operation_id = (p->>'id')::uuid;
    if found and known.asked is distinct from p then
        return jsonb_build_object('refusal', 'id-mismatch');
    elsif found then
        return known.answer;
    end if;
    answer := run_recipe(p, p_at);
    if answer->>'refusal' like 'unknown-%' then
        return answer;
    end if;
    insert into operation (operation_id, member_id, decided_at, kind, asked, answer)
    values ((p->>'id')::uuid, subject, p_at, p->>'kind', p, answer);
    return answer;
end
$$;

-- Receipts of a batch in one statement. Answers as they are told.
create function ledger.apply_receipts(p_ordinals bigint[], p_transfers jsonb[], p_at timestamptz)
returns table (ordinal bigint, answer jsonb)
language plpgsql set search_path = ledger, pg_temp
as $$
#variable_conflict use_column
declare
    receipts  uuid[];
    members   uuid[];
    fn        bigint[];
    fd        bigint[];
    fpd       bigint[];
    stores    text[];
    totals    bigint[];
    effective timestamptz[];
    rulesets  bigint[];
    whose     integer[];
    classes   text[];
    points    bigint[];
    rules     text[];
    matures   timestamptz[];
begin
    select array_agg((x->>'receipt')::uuid order by i), array_agg((x->>'member')::uuid order by i),
        array_agg((x->'fiscal'->>'fn')::bigint order by i), array_agg((x->'fiscal'->>'fd')::bigint order by i),
        array_agg((x->'fiscal'->>'fpd')::bigint order by i), array_agg(x->>'store' order by i),
        array_agg((x->>'total')::bigint order by i), array_agg((x->>'effectiveAt')::timestamptz order by i),
        array_agg((x->>'ruleset')::bigint order by i)
    into receipts, members, fn, fd, fpd, stores, totals, effective, rulesets
    from unnest(p_transfers) with ordinality as t (x, i);
    select coalesce(array_agg(i::integer order by i, n), '{}'),
        coalesce(array_agg(a->>'lotClass' order by i, n), '{}'),
        coalesce(array_agg((a->>'points')::bigint order by i, n), '{}'),
        coalesce(array_agg(a->>'rule' order by i, n), '{}'),
        coalesce(array_agg((a->>'maturesAt')::timestamptz order by i, n), '{}')
    into whose, classes, points, rules, matures
    from unnest(p_transfers) with ordinality as t (x, i),
        jsonb_array_elements(x->'accruals') with ordinality as e (a, n);
    return query
    select p_ordinals[r.ordinal], jsonb_strip_nulls(jsonb_build_object(
        'refusal', case when r.outcome = 'refused' then 'receipt-mismatch' end, 'transaction', r.transaction_id,
        'isReplayed', case when r.outcome = 'replayed' then true end, 'credited', r.credited, 'repaid', r.repaid,
        'waiting', r.waiting))
    from post_receipts(
        p_at, receipts, members, fn, fd, fpd, stores, totals, effective, rulesets, whose, classes, points, rules,
        matures) as r;
end
$$;

-- One transfer that has a natural key of its own, and those of the recipes.
create function ledger.apply_one(p jsonb, p_at timestamptz) returns jsonb
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    done record;
begin
    case p->>'kind'
        when 'earn' then
            return (select answer from apply_receipts(array[1], array[p], p_at));
        when 'hold' then
            select * into done from place_hold(
                (p->>'hold')::uuid, (p->>'member')::uuid, (p->>'points')::bigint, p->>'purpose',
                p_at + make_interval(secs => (p->>'expiresInSeconds')::bigint), p_at);
            return jsonb_strip_nulls(jsonb_build_object(
                'refusal', done.refusal, 'available', done.available, 'expiresAt', done.expires_at));
        when 'capture', 'void' then
            select * into done from end_hold(
                (p->>'hold')::uuid, (p->>'member')::uuid,
                case when p->>'kind' = 'void' then 0 else (p->>'points')::bigint end, p_at, (p->>'capture')::uuid,
                coalesce((p->>'closes')::boolean, true), coalesce((p->>'worth')::bigint, 0),
                coalesce((p->>'match')::bigint, 0));
            return jsonb_strip_nulls(jsonb_build_object(
                'refusal', done.refusal, 'transaction', done.transaction_id, 'captured', done.captured,
                'released', done.released, 'available', done.available));
        when 'expire' then
            return jsonb_build_object('transactions', expire_locked(array[(p->>'member')::uuid], p_at));
        else
            return run_once(p, p_at);
    end case;
end
$$;

-- All members that a batch touches, locked at once and in ascending order, then its certificates: so batches cannot
-- deadlock whatever is in them. Whom a receipt, stickers, a correction or a certificate make a member is there from now
-- on.
create function ledger.lock_for(p_transfers jsonb[]) returns void
language plpgsql set search_path = ledger, pg_temp
as $$
begin
    perform make_members(array(
        select coalesce(x->>'member', house()::text)::uuid from unnest(p_transfers) as x
        where x->>'kind' not in ('hold', 'capture', 'void', 'expire', 'return', 'settle', 'reverse')));
    perform from member
    where member_id = any (array(
        select coalesce(x->>'member', house()::text)::uuid from unnest(p_transfers) as x
        union
        select (x->>'source')::uuid from unnest(p_transfers) as x where x->>'kind' = 'merge'
        union
        select owner_of((x->>'member')::uuid) from unnest(p_transfers) as x where reaches_over(x->>'kind')))
    order by member_id for no key update;
    if exists (
        select from unnest(p_transfers) as x
        where x->>'kind' in ('redeem-certificate', 'expire-certificate', 'reverse'))
    then
        perform from certificate
        where certificate_id = any (array(
            select (x->>'certificate')::uuid from unnest(p_transfers) as x
            where x->>'kind' in ('redeem-certificate', 'expire-certificate')
            union
            select t.subject from unnest(p_transfers) as x
            join transaction as t on t.id = (x->>'reverses')::uuid and t.member_id = (x->>'member')::uuid
            where x->>'kind' = 'reverse' and t.kind = 'certificate'
            union
            select c.certificate_id from unnest(p_transfers) as x
            join certificate as c on c.issued_by = (x->>'reverses')::uuid
            where x->>'kind' = 'reverse'))
        order by certificate_id for no key update;
    end if;
end
$$;

-- Holds of a batch, each of another member.
create function ledger.apply_holds(p_ordinals bigint[], p_transfers jsonb[], p_at timestamptz)
returns table (ordinal bigint, answer jsonb)
language plpgsql set search_path = ledger, pg_temp
as $$
begin
    return query
    select p_ordinals[h.i], jsonb_strip_nulls(jsonb_build_object(
        'refusal', h.refusal, 'available', h.available, 'expiresAt', h.expires_at))
    from place_holds(
        p_at, array(select (x->>'hold')::uuid from unnest(p_transfers) as x),
        array(select (x->>'member')::uuid from unnest(p_transfers) as x),
        array(select (x->>'points')::bigint from unnest(p_transfers) as x),
        array(select x->>'purpose' from unnest(p_transfers) as x),
        array(select p_at + make_interval(secs => (x->>'expiresInSeconds')::bigint) from unnest(p_transfers) as x)
    ) as h;
end
$$;

-- Captures and voids of a batch, each of another member.
create function ledger.apply_ends(p_ordinals bigint[], p_transfers jsonb[], p_at timestamptz)
returns table (ordinal bigint, answer jsonb)
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    plain   bigint[];
    holds   uuid[];
    members uuid[];
    points  bigint[];
begin
    -- Money and parts are for the single function.
    select array_agg(i), array_agg((x->>'hold')::uuid), array_agg((x->>'member')::uuid),
        array_agg(case when x->>'kind' = 'void' then 0 else (x->>'points')::bigint end)
    into plain, holds, members, points
    from unnest(p_transfers) with ordinality as t (x, i)
    where not (x ? 'capture') and not (x ? 'worth') and not (x ? 'match');
    return query
    with done as materialized (
        select plain[e.i] as i, e.captured, e.released, e.available, e.transaction_id
        from end_holds(p_at, holds, members, points) as e
    ),
    rest as (
        select i, x from unnest(p_transfers) with ordinality as t (x, i) where i not in (select d.i from done as d)
    )
    select p_ordinals[d.i], jsonb_build_object(
        'transaction', d.transaction_id, 'captured', d.captured, 'released', d.released, 'available', d.available)
    from done as d
    union all
    select p_ordinals[r.i], apply_one(r.x, p_at) from rest as r;
end
$$;

-- Several hundred transfers in one transaction, with an answer for each. A member's transfers are done in their order,
-- and so are those of cards that are made one or have been before; between others there is none: the batch goes in
-- rounds, and in a round each member has one transfer (receipts: all that follow each other), so that those of a kind
-- are one statement.
create function ledger.apply_transfers(p_transfers jsonb[], p_at timestamptz)
returns table (ordinal bigint, answer jsonb)
language plpgsql security definer set search_path = ledger, pg_temp set jit = off
as $$
declare
    step record;
    kin  record;
begin
    perform lock_for(p_transfers);
    if cardinality(p_transfers) = 1 then
        return query select 1::bigint, apply_one(p_transfers[1], p_at);
        return;
    end if;
    kin := groups_of(p_transfers);
    for step in
        with placed as (
            select i, x, x->>'kind' as kind, coalesce(g.leader, (x->>'member')::uuid) as key
            from unnest(p_transfers) with ordinality as t (x, i)
            left join unnest(kin.cards, kin.leaders) as g (card, leader) on g.card = (x->>'member')::uuid
        ),
        turned as (
            select *, (kind <> 'earn' or lag(kind, 1, '') over mine <> 'earn')::int as turn
            from placed window mine as (partition by key order by i)
        ),
        numbered as (
            select *, sum(turn) over (partition by key order by i) as round from turned
        )
        select round, way, array_agg(i order by i) as ordinals, array_agg(x order by i) as transfers
        from numbered, lateral (
            select case when kind in ('earn', 'hold') then kind when kind in ('capture', 'void') then 'end' else 'one' end
        ) as path (way)
        group by round, way order by round, way
    loop
        -- Of a few, the single functions are faster: their plans are there already.
        if step.way = 'earn' then
            return query select * from apply_receipts(step.ordinals, step.transfers, p_at);
        elsif step.way = 'hold' and cardinality(step.ordinals) > 4 then
            return query select * from apply_holds(step.ordinals, step.transfers, p_at);
        elsif step.way = 'end' and cardinality(step.ordinals) > 4 then
            return query select * from apply_ends(step.ordinals, step.transfers, p_at);
        else
            for n in 1..cardinality(step.ordinals) loop
                return query select step.ordinals[n], apply_one(step.transfers[n], p_at);
            end loop;
        end if;
    end loop;
end
$$;

-- Forgets refusals of before a moment, a chunk of them. What has changed the books stays for ever.
create function ledger.forget_refusals(p_before timestamptz, p_limit integer) returns integer
language plpgsql security definer set search_path = ledger, pg_temp
as $$
declare
    gone integer;
begin
    with old as (
        delete from operation where operation_id in (
            select operation_id from operation
            where decided_at < p_before and answer ? 'refusal' order by decided_at limit p_limit)
        returning 1
    )
    select count(*) into gone from old;
    return gone;
end
$$;
