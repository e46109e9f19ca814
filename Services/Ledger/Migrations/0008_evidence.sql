-- 0008: evidence: the blocks that seal the books, the keys that sign them, what the audits found, the months' closings.
-- New tables, and an index on transaction.xid: it locks writers out while it is made, a minute for 20 million rows.

-- What has been sealed is a range of transaction ids, so the sealer and the verification read the books along it. The
-- column only ever grows at the end, and the rows of a batch share an entry.
create index transaction_xid on ledger.transaction (xid);

-- Public halves, for ever: a proof is checked with the key that its block was signed with, however often it changes.
create table ledger.seal_key (
    key_id     text        primary key check (key_id ~ '^[A-Za-z0-9_-]{16}$'),
    public_key bytea       not null check (octet_length(public_key) = 32),
    added_at   timestamptz not null
);

-- A block seals every transaction with xid_from <= xid < xid_to: a Merkle tree (RFC 9162) in the order of (xid, id).
-- Ranges have no gap, so a transaction is in exactly one block or not sealed yet. The first block's `previous` is
-- random: two ledgers share no block.
create table ledger.seal_block (
    number       bigint      primary key check (number > 0),
    xid_from     xid8        not null,
    xid_to       xid8        not null unique,
    sealed_at    timestamptz not null,
    transactions integer     not null check (transactions > 0),
    key_id       text        not null references ledger.seal_key,
    previous     bytea       not null check (octet_length(previous) = 32),
    root         bytea       not null check (octet_length(root) = 32),
    hash         bytea       not null unique check (octet_length(hash) = 32),
    signature    bytea       not null check (octet_length(signature) = 64),
    -- the leaves' hashes: a path needs no other row of the block, and verification can name the row that was changed
    leaves       bytea       not null check (octet_length(leaves) = 32 * transactions),
    check (xid_from < xid_to)
);

-- Hashes do not compress.
alter table ledger.seal_block alter column leaves set storage external;

-- What each audit found: nothing, when `findings` is an empty list.
create table ledger.audit (
    id          bigint      generated always as identity primary key,
    started_at  timestamptz not null,
    finished_at timestamptz not null check (finished_at >= started_at),
    findings    jsonb       not null check (jsonb_typeof(findings) = 'array')
);

-- A month that is closed, by the time of recording and Moscow's calendar, with the sums over all members at its end.
create table ledger.month (
    month     date        primary key check (extract(day from month) = 1),
    closed_at timestamptz not null,
    members   bigint      not null check (members >= 0),
    available bigint      not null check (available >= 0),
    pending   bigint      not null check (pending >= 0),
    held      bigint      not null check (held >= 0),
    debt      bigint      not null check (debt >= 0)
);

-- A member's balance at the end of each month in which something was recorded; in between the last one holds.
create table ledger.month_balance (
    member_id uuid   not null,
    month     date   not null,
    version   bigint not null check (version > 0),
    available bigint not null check (available >= 0),
    pending   bigint not null check (pending >= 0),
    held      bigint not null check (held >= 0),
    debt      bigint not null check (debt >= 0),
    primary key (member_id, month)
);

do $$
declare
    name text;
begin
    foreach name in array array['seal_key', 'seal_block', 'audit', 'month', 'month_balance'] loop
        execute format(
            'create trigger refuse_change before update or delete on ledger.%I '
            'for each row execute function ledger.refuse_change()', name);
        execute format(
            'create trigger refuse_truncate before truncate on ledger.%I '
            'for each statement execute function ledger.refuse_change()', name);
        execute format('grant select on ledger.%I to club_ledger', name);
    end loop;
end
$$;
