-- Sealing: who may add a block to the chain, and when.

-- Adds a block, and its key when it is new. Whoever computed it, the database lets nothing into the chain that does not
-- follow the last block, that leaves a transaction out, or that a transaction could still get into: every transaction id
-- below the oldest running one is final, committed or not, whatever order they commit in.
create function ledger.append_block(
    p_number bigint, p_xid_from bigint, p_xid_to bigint, p_sealed_at timestamptz, p_transactions integer, p_key_id text,
    p_public_key bytea, p_previous bytea, p_root bytea, p_hash bytea, p_signature bytea, p_leaves bytea
) returns void
language plpgsql security definer set search_path = ledger, pg_temp
as $$
declare
    v_last   seal_block;
    v_from   xid8 := p_xid_from::text::xid8;
    v_to     xid8 := p_xid_to::text::xid8;
    v_booked bigint;
begin
    perform pg_advisory_xact_lock(hashtext('ledger.seal'));
    select * into v_last from seal_block order by number desc limit 1;
    if p_number is distinct from coalesce(v_last.number, 0) + 1
        or v_from is distinct from coalesce(v_last.xid_to, '0'::xid8)
        or (v_last.hash is not null and p_previous is distinct from v_last.hash)
    then
        raise exception 'block % does not follow block %', p_number, coalesce(v_last.number, 0)
            using errcode = 'object_not_in_prerequisite_state';
    end if;
    if v_to > pg_snapshot_xmin(pg_current_snapshot()) then
        raise exception 'transactions below % still run', p_xid_to using errcode = 'object_not_in_prerequisite_state';
    end if;
    select count(*) into v_booked from transaction where xid >= v_from and xid < v_to;
    if v_booked <> p_transactions then
        raise exception 'block % has % of % transactions', p_number, p_transactions, v_booked
            using errcode = 'object_not_in_prerequisite_state';
    end if;

    insert into seal_key (key_id, public_key, added_at) values (p_key_id, p_public_key, p_sealed_at)
    on conflict do nothing;
    insert into seal_block (
        number, xid_from, xid_to, sealed_at, transactions, key_id, previous, root, hash, signature, leaves)
    values (
        p_number, v_from, v_to, p_sealed_at, p_transactions, p_key_id, p_previous, p_root, p_hash, p_signature, p_leaves);
end
$$;

-- Keeps what an audit found.
create function ledger.record_audit(p_started_at timestamptz, p_finished_at timestamptz, p_findings jsonb)
returns void
language plpgsql security definer set search_path = ledger, pg_temp
as $$
begin
    insert into audit (started_at, finished_at, findings) values (p_started_at, p_finished_at, p_findings);
end
$$;
