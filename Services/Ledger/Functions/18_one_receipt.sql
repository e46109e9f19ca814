-- A receipt that comes alone: what a batch of one would do, by statements whose plans are there already. A batch is
-- planned for its size each time, which for a single receipt costs many times as much as to post it.
--
-- Returns no row when the receipt is not new: the caller tells a repetition from an impostor.
create function ledger.post_alone(
    p_at timestamptz, p_receipt uuid, p_member uuid, p_fn bigint, p_fd bigint, p_fpd bigint, p_store text,
    p_total bigint, p_effective_at timestamptz, p_ruleset bigint,
    p_classes text[], p_points bigint[], p_rules text[], p_matures timestamptz[]
) returns table (transaction_id uuid, recorded_at timestamptz, credited bigint, repaid bigint, waiting bigint)
language plpgsql set search_path = ledger, pg_temp set plan_cache_mode = auto
as $$
#variable_conflict use_column
declare
    owner     member;
    moment    timestamptz;
    made_id   uuid;
    policy    lot_policy;
    class     text;
    classes   text[] := p_classes;
    rests     bigint[] := p_points;
    debts     bigint[] := p_points;
    amount    bigint;
    credit    bigint := 0;
    repay     bigint := 0;
    wait      bigint := 0;
    made_lots integer := 0;
    lot_of    integer;
    line_no   smallint;
    lines     smallint := 0;
    soonest   timestamptz := 'infinity';
    until     timestamptz;
begin
    select * into owner from member where member_id = p_member for no key update;
    if not found then
        insert into member (member_id) values (p_member) on conflict do nothing;
        select * into owner from member where member_id = p_member for no key update;
    end if;
    moment := next_moment(p_at, owner.recorded_at);
    made_id := new_id(moment, 1);
    insert into receipt (receipt_id, fn, fd, fpd, total, ruleset, member_id, transaction_id, store)
    values (p_receipt, p_fn, p_fd, p_fpd, p_total, p_ruleset, p_member, made_id, p_store)
    on conflict do nothing;
    if not found then
        return;
    end if;

    -- What each accrual repays of the debt that those before it have left; what waits repays nothing yet.
    for i in 1..coalesce(cardinality(p_points), 0) loop
        if p_points[i] is null or p_points[i] < 0 then
            raise exception 'an accrual is negative' using errcode = 'invalid_parameter_value';
        end if;
        debts[i] := case when p_matures[i] is null then least(p_points[i], owner.debt - repay) else 0 end;
        rests[i] := p_points[i] - debts[i];
        repay := repay + debts[i];
        if p_matures[i] is null then
            credit := credit + rests[i];
        else
            wait := wait + rests[i];
        end if;
    end loop;
    if cardinality(p_classes) > 1 then
        classes := array(select distinct c from unnest(p_classes) as c order by c);
    end if;

    -- A lot for each class, numbered on in the order of their names; a posting for each accrual, in the order given.
    foreach class in array coalesce(classes, '{}') loop
        select * into policy from lot_policy as p
        where p.lot_class = class and p.in_force_from <= p_at order by p.in_force_from desc limit 1;
        if policy.issued_by is null then
            raise exception 'an accrual of an unknown class' using errcode = 'invalid_parameter_value';
        end if;
        amount := 0;
        for i in 1..cardinality(p_points) loop
            if p_classes[i] = class and p_matures[i] is null then
                amount := amount + rests[i];
            end if;
        end loop;
        lot_of := null;
        if amount > 0 then
            made_lots := made_lots + 1;
            lot_of := owner.lots + made_lots;
            until := expiry(class, p_at);
            soonest := least(soonest, until);
            insert into lot (member_id, expires_at, number, lot_class, earned_at, source, amount, remaining)
            values (p_member, until, lot_of, class, p_at, made_id, amount, amount);
        end if;
        for i in 1..cardinality(p_points) loop
            continue when p_classes[i] <> class or p_points[i] = 0;
            -- Lines are numbered over all classes: an accrual may have two, what is credited and what repays.
            line_no := 1;
            for j in 1..i - 1 loop
                line_no := line_no + (rests[j] > 0)::integer + (debts[j] > 0)::integer;
            end loop;
            if rests[i] > 0 then
                insert into posting (transaction_id, member_id, amount, lot, line, debit, credit, rule)
                values (
                    made_id, p_member, rests[i], case when p_matures[i] is null then lot_of end, line_no,
                    policy.issued_by, case when p_matures[i] is null then 1 else 2 end, p_rules[i]);
                if p_matures[i] is not null then
                    insert into maturing (
                        member_id, transaction_id, matures_at, points, remaining, receipt_id, line, lot_class)
                    values (p_member, made_id, p_matures[i], rests[i], rests[i], p_receipt, line_no, class);
                end if;
                line_no := line_no + 1;
            end if;
            if debts[i] > 0 then
                insert into posting (transaction_id, member_id, amount, line, debit, credit, rule)
                values (made_id, p_member, debts[i], line_no, policy.issued_by, 4, p_rules[i]);
            end if;
        end loop;
    end loop;

    update member
    set available = available + credit, pending = pending + wait, debt = debt - repay, version = version + 1,
        lots = lots + made_lots, next_expiry = least(next_expiry, soonest), recorded_at = moment
    where member_id = p_member returning * into owner;
    insert into transaction (
        id, member_id, version, recorded_at, effective_at, available_after, pending_after, held_after, debt_after,
        subject, kind)
    values (
        made_id, p_member, owner.version, moment, p_effective_at, owner.available, owner.pending, owner.held,
        owner.debt, p_receipt, 'earn');
    return query select made_id, moment, credit, repay, wait;
end
$$;
