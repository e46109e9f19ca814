-- Goods come back: the points that were spent on them go back to the lots they came from, the points that were earned
-- with them are taken back. Both are allocated over the receipt's lines once, by largest remainder, and kept there; a
-- part of a line undoes the difference of two running totals. So any number of partial returns undoes exactly what one
-- return of the whole receipt does.

-- Splits p_amount over the weights in whole units: the largest remainder method. Equal remainders go to the earlier
-- weight. Null when there is something to split and no weight.
create function ledger.allocate(p_amount bigint, p_weights bigint[]) returns bigint[]
language plpgsql immutable set search_path = ledger, pg_temp
as $$
declare
    whole numeric := (select sum(w) from unnest(p_weights) as w);
begin
    if coalesce(whole, 0) = 0 then
        return case when p_amount = 0 then (select array_agg(0::bigint) from unnest(p_weights)) end;
    end if;
    return (
        select array_agg(share + (rank <= p_amount - given)::int order by i)
        from (
            select i, share, sum(share) over () as given, row_number() over (order by remainder desc, i) as rank
            from (
                select i, div(p_amount::numeric * w, whole)::bigint as share, (p_amount::numeric * w) % whole as remainder
                from unnest(p_weights) with ordinality as x (w, i)
            ) as cut
        ) as ranked
    );
end
$$;

-- Writes down the lines of a receipt at its first return, with what was earned and spent on each. Returns a refusal or
-- null. `lines` of the request: every line of the receipt, its sum in kopecks and, where the sender knows it, what was
-- earned with it. `holds`: those that paid, of the receipt's card or of one that it has become since (p_cards).
create function ledger.keep_lines(p jsonb, p_receipt ledger.receipt, p_cards uuid[]) returns text
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    v_sums   bigint[];
    v_earned bigint[];
    v_spent  bigint[];
    v_total  bigint;
    v_paid   bigint;
    v_payers bigint;
    v_holds  uuid[] := array(select jsonb_array_elements_text(coalesce(p->'holds', '[]'))::uuid order by 1);
begin
    select array_agg((x->>'sum')::bigint order by i), array_agg((x->>'earned')::bigint order by i)
    into v_sums, v_earned
    from jsonb_array_elements(p->'lines') with ordinality as l (x, i);
    select coalesce(sum(g.amount), 0) into v_total
    from posting as g join account as a on a.id = g.debit
    where g.transaction_id = p_receipt.transaction_id and g.member_id = p_receipt.member_id and a.holder = 'house';
    select coalesce(sum(h.captured), 0), count(*) into v_paid, v_payers
    from hold as h
    where h.member_id = any (p_cards) and h.hold_id = any (v_holds) and h.state <> 'open' and h.captured > 0
        and h.returned = 0;
    if v_payers <> cardinality(v_holds) then
        return 'unknown-hold';
    end if;
    if array_position(v_earned, null) is not null then
        v_earned := allocate(v_total, v_sums);
    end if;
    v_spent := allocate(v_paid, v_sums);
    if v_earned is null or v_spent is null or (select sum(e) from unnest(v_earned) as e) <> v_total
        or exists (select from unnest(v_sums, v_earned) as l (sum, earned) where sum = 0 and earned > 0)
    then
        return 'lines-mismatch';
    end if;
    if exists (select from receipt_payment where hold_id = any (v_holds)) then
        return 'hold-mismatch';
    end if;
    insert into receipt_payment (hold_id, member_id, receipt_id)
    select h, p_receipt.member_id, p_receipt.receipt_id from unnest(v_holds) as h;
    insert into receipt_line (member_id, receipt_id, line, sum, earned, spent)
    select p_receipt.member_id, p_receipt.receipt_id, i, sum, earned, spent
    from unnest(v_sums, v_earned, v_spent) with ordinality as l (sum, earned, spent, i);
    return null;
end
$$;

-- Takes points back from who has returned goods, the last of the receipt's cards: what waits of this receipt first,
-- then what is available (the receipt's own lots first), the rest as debt, as far as the policy of the receipt's time
-- allows.
create function ledger.claw_back(
    p_id uuid, p_cards uuid[], p_receipt ledger.receipt, p_points bigint, p_at timestamptz
) returns jsonb
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    owner   uuid := p_cards[cardinality(p_cards)];
    house   smallint := account_of('clawback');
    rule    clawback_policy;
    owed    bigint;
    left_   bigint := p_points;
    waiting record;
    part    bigint;
    pending bigint := 0;
    spent   bigint := 0;
    debt    bigint := 0;
    sources uuid[];
begin
    select c.* into rule from clawback_policy as c, transaction as t
    where t.id = p_receipt.transaction_id and t.member_id = p_receipt.member_id and c.in_force_from <= t.recorded_at
    order by c.in_force_from desc limit 1;
    for waiting in
        select * from maturing
        where member_id = owner and receipt_id = p_receipt.receipt_id and remaining > 0
        order by matures_at desc, transaction_id, line
    loop
        part := least(left_, waiting.remaining);
        exit when part = 0;
        update maturing set remaining = remaining - part
        where member_id = owner and transaction_id = waiting.transaction_id and line = waiting.line;
        pending := pending + part;
        left_ := left_ - part;
    end loop;
    perform post(p_id, owner, 2, house, pending);

    if rule.policy <> 'only_pending' and left_ > 0 then
        -- Points may have matured on any of the cards.
        sources := array(
            select matured_by from maturing
            where member_id = any (p_cards) and receipt_id = p_receipt.receipt_id and matured_by is not null
        ) || p_receipt.transaction_id;
        spent := take_lots(p_id, owner, left_, house, p_at, lots_from(owner, sources));
        left_ := left_ - spent;
    end if;
    if rule.policy = 'debt' and left_ > 0 then
        select m.debt into owed from member as m where m.member_id = owner;
        debt := least(left_, greatest(0, -rule.debt_floor - owed));
        perform post(p_id, owner, 4, house, debt);
        left_ := left_ - debt;
    end if;
    return jsonb_build_object('fromPending', pending, 'fromAvailable', spent, 'asDebt', debt, 'forgone', left_);
end
$$;

-- The recipe. `returned`: line (from 1) and how many kopecks of its sum. Answers what was taken and given back, or
--   unknown-receipt   it is not in the books (yet), or it is another member's
--   unknown-hold, hold-mismatch   a hold that did not pay, or paid for another receipt
--   lines-mismatch    the lines are not those of the first return, or do not sum to what was earned
--   exceeds-line      more of a line than is left of it
create function ledger.do_return(p jsonb, p_at timestamptz) returns jsonb
language plpgsql set search_path = ledger, pg_temp
as $$
declare
    mine     receipt;
    cards    uuid[];
    owner    uuid;
    moment   timestamptz;
    made_id  uuid;
    refusal  text;
    clawed   bigint;
    restored bigint;
    rest     bigint;
    late     bigint := 0;
    paid     hold;
    part     bigint;
    taken    jsonb;
    burnt_to smallint;
    result   member;
begin
    select * into mine from receipt
    where receipt_id = (p->>'receipt')::uuid and member_id = (p->>'member')::uuid;
    if not found then
        return jsonb_build_object('refusal', 'unknown-receipt');
    end if;
    owner := lock_owner(mine.member_id);
    cards := cards_of(mine.member_id);
    if not exists (select from receipt_line where member_id = mine.member_id and receipt_id = mine.receipt_id) then
        refusal := keep_lines(p, mine, cards);
        if refusal is not null then
            return jsonb_build_object('refusal', refusal);
        end if;
    elsif (select array_agg(sum order by line) from receipt_line
            where member_id = mine.member_id and receipt_id = mine.receipt_id)
        is distinct from (
            select array_agg((x->>'sum')::bigint order by i)
            from jsonb_array_elements(p->'lines') with ordinality as l (x, i))
    then
        return jsonb_build_object('refusal', 'lines-mismatch');
    end if;

    if exists (
        select from (
            select (x->>'line')::integer as line, sum((x->>'sum')::bigint) as sum, min((x->>'sum')::bigint) as least
            from jsonb_array_elements(p->'returned') as x group by 1
        ) as r
        left join receipt_line as l
            on l.member_id = mine.member_id and l.receipt_id = mine.receipt_id and l.line = r.line
        where l.line is null or r.least < 0 or l.returned + r.sum > l.sum)
    then
        return jsonb_build_object('refusal', 'exceeds-line');
    end if;

    moment := begin_entry(owner, p_at);
    made_id := new_id(moment);
    with now as (
        select l.line, l.returned + r.sum as returned,
            div(l.earned::numeric * (l.returned + r.sum), greatest(l.sum, 1))::bigint as clawed,
            div(l.spent::numeric * (l.returned + r.sum), greatest(l.sum, 1))::bigint as restored,
            l.clawed as clawed_before, l.restored as restored_before
        from (
            select (x->>'line')::integer as line, sum((x->>'sum')::bigint)::bigint as sum
            from jsonb_array_elements(p->'returned') as x group by 1
        ) as r
        join receipt_line as l
            on l.member_id = mine.member_id and l.receipt_id = mine.receipt_id and l.line = r.line
    ),
    changed as (
        update receipt_line as l set returned = n.returned, clawed = n.clawed, restored = n.restored
        from now as n
        where l.member_id = mine.member_id and l.receipt_id = mine.receipt_id and l.line = n.line
    )
    select coalesce(sum(n.clawed - n.clawed_before), 0), coalesce(sum(n.restored - n.restored_before), 0)
    into clawed, restored
    from now as n;

    rest := restored;
    for paid in
        select h.* from receipt_payment as y
        join hold_key as k on k.hold_id = y.hold_id
        join hold as h on h.member_id = k.member_id and h.hold_id = k.hold_id
        where y.receipt_id = mine.receipt_id and h.captured > h.returned
        order by h.placed_at desc, h.hold_id
    loop
        part := least(rest, paid.captured - paid.returned);
        exit when part = 0;
        select destination into burnt_to from hold_purpose where purpose = paid.purpose;
        late := late + give_back(made_id, owner, paid, part, burnt_to, p_at);
        rest := rest - part;
    end loop;
    if rest > 0 then
        -- A check of receipt_line keeps it from this; if not, the books stay as they are.
        raise exception 'more would come back than was paid' using errcode = 'data_exception';
    end if;
    taken := claw_back(made_id, cards, mine, clawed, p_at);
    result := finish_entry(
        made_id, owner, moment, coalesce((p->>'effectiveAt')::timestamptz, p_at), mine.receipt_id, 'return');
    return taken || jsonb_build_object(
        'transaction', made_id, 'clawedBack', clawed, 'restored', restored, 'grace', late,
        'available', result.available, 'debt', result.debt);
end
$$;
