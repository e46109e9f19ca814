-- 0005: what the service's role may do: read, and run the functions that keep the books. It writes no table itself.

revoke all on schema ledger from public;
revoke execute on all functions in schema ledger from public;

grant usage on schema ledger to club_ledger;
grant select on all tables in schema ledger to club_ledger;

grant execute on function
    ledger.make_partitions(timestamptz, integer),
    ledger.expiry(text, timestamptz),
    ledger.post_receipts(
        timestamptz, uuid[], uuid[], bigint[], bigint[], bigint[], text[], bigint[], timestamptz[], bigint[], integer[],
        text[], bigint[], text[]),
    ledger.expire_points(timestamptz, uuid, integer),
    ledger.place_hold(uuid, uuid, bigint, text, timestamptz, timestamptz),
    ledger.end_hold(uuid, uuid, bigint, timestamptz),
    ledger.void_expired_holds(timestamptz, integer)
to club_ledger;
