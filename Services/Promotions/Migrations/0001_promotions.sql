-- 0001: the schema, the role, and the tables of promotions: rulesets, receipts, spending at the till, directories.
-- Creates only new things, so it locks nothing that anybody uses.

do $$
begin
    create role club_promotions login;
exception
    -- Roles belong to the whole cluster: another database, or an earlier life of this one, may have made it.
    when duplicate_object or unique_violation then null;
end
$$;

create schema promotions;
grant club_bus to club_promotions;
grant usage on schema promotions to club_promotions;

-- What decides what a receipt earns. A document never changes after it was drafted (the role may not update that
-- column); receipts pin the version that they were judged by.
create table promotions.ruleset (
    version      bigint generated always as identity primary key,
    state        text not null default 'draft' check (state in ('draft', 'active', 'retired')),
    document     jsonb not null,
    drafted_by   text not null,
    drafted_at   timestamptz not null default now(),
    activated_by text,
    activated_at timestamptz,
    constraint ruleset_four_eyes check (activated_by <> drafted_by),
    constraint ruleset_activated check ((state = 'draft') = (activated_by is null)),
    constraint ruleset_activated_when check ((activated_by is null) = (activated_at is null))
);
-- At most one version is in force.
create unique index ruleset_active on promotions.ruleset ((state)) where state = 'active';

-- One point per 10 roubles. Tobacco earns nothing and is not paid with points (Federal Law 15-FZ, article 16, forbids
-- to stimulate its sale); a gift card earns when it is spent, not when it is bought.
insert into promotions.ruleset (state, document, drafted_by, activated_by, activated_at)
values (
    'active',
    '{
        "exclusions": [
            {
                "id": "tobacco",
                "from": ["earning", "spending"],
                "lines": {"any": [{"tag": ["tobacco"]}, {"category": ["tobacco"]}]}
            },
            {
                "id": "gift-cards",
                "from": ["earning", "spending"],
                "lines": {"any": [{"tag": ["gift-card"]}, {"category": ["gift-cards"]}]}
            }
        ],
        "rules": [
            {"id": "base", "lotClass": "regular", "effect": {"earnRate": {"points": 1, "kopecks": 1000}}}
        ],
        "spending": {"percentOfTotal": 99, "kopecksPerPoint": 10}
    }',
    'programme', 'migration 0001', now()
);

grant select, insert (document, drafted_by, drafted_at) on promotions.ruleset to club_promotions;
grant update (state, activated_by, activated_at) on promotions.ruleset to club_promotions;

-- The natural key of a receipt: the fiscal triple, unique over all months. The receipt itself lies in the partition of
-- its month, where a unique constraint could not see the other months.
create table promotions.receipt_key (
    fn          text        not null,
    fd          bigint      not null,
    fpd         bigint      not null,
    receipt_id  uuid        not null,
    member_id   uuid        not null,
    sold_at     timestamptz not null,
    fingerprint bytea       not null,
    primary key (fn, fd, fpd)
);
grant select, insert on promotions.receipt_key to club_promotions;

create table promotions.receipt (
    member_id   uuid        not null,
    sold_at     timestamptz not null,
    receipt_id  uuid        not null,
    accepted_at timestamptz not null,
    posted_at   timestamptz,
    total       bigint      not null check (total >= 0),
    points      bigint      not null check (points >= 0),
    ruleset     bigint      not null,
    fd          bigint      not null,
    fpd         bigint      not null,
    fn          text        not null,
    store_id    text        not null,
    till_key    text        not null,
    -- What the till was told, line by line with reasons; a replay is answered from it.
    answer      jsonb       not null,
    primary key (member_id, sold_at, receipt_id)
) partition by range (sold_at);
grant select, insert on promotions.receipt to club_promotions;
grant update (posted_at) on promotions.receipt to club_promotions;

create table promotions.receipt_line (
    member_id  uuid        not null,
    sold_at    timestamptz not null,
    receipt_id uuid        not null,
    position   integer     not null,
    quantity   bigint      not null check (quantity >= 0),
    price      bigint      not null check (price >= 0),
    discount   bigint      not null check (discount >= 0),
    amount     bigint      not null check (amount >= 0),
    points     bigint      not null check (points >= 0),
    sku        text        not null,
    ean        text,
    name       text,
    category   text,
    tags       text[],
    -- The receipt first: its lines are written together, at the right edge of the index. By member they are found
    -- through receipt.
    primary key (receipt_id, position, member_id, sold_at)
) partition by range (sold_at);
grant select, insert on promotions.receipt_line to club_promotions;

-- Makes the partitions of a month (UTC) if they are missing. Attaching takes SHARE UPDATE EXCLUSIVE on the parent, which
-- lets receipts of other months go on being written; CREATE TABLE … PARTITION OF would stop them all. The same lock
-- makes two processes that ask for one month wait for each other.
create function promotions.ensure_month(month date) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    first   date := date_trunc('month', month);
    next    date := first + interval '1 month';
    suffix  text := to_char(first, 'YYYY_MM');
    parent  text;
    leaf    text;
begin
    foreach parent in array array['receipt', 'receipt_line'] loop
        leaf := parent || '_' || suffix;
        execute format('lock table only promotions.%I in share update exclusive mode', parent);
        continue when to_regclass(format('promotions.%I', leaf)) is not null;
        execute format(
            'create table promotions.%I (like promotions.%I including defaults including constraints)', leaf, parent);
        -- Rows are updated once, when the ledger has posted them: room for that on the page keeps it HOT.
        if parent = 'receipt' then
            execute format('alter table promotions.%I set (fillfactor = 80)', leaf);
        end if;
        execute format(
            'alter table promotions.%I attach partition promotions.%I for values from (%L) to (%L)',
            parent, leaf, first::text || ' 00:00:00+00', next::text || ' 00:00:00+00');
    end loop;
end
$$;
revoke all on function promotions.ensure_month(date) from public;
grant execute on function promotions.ensure_month(date) to club_promotions;

-- The same fiscal triple with other content: somebody edits receipts, or two tills share a fiscal drive's number.
create table promotions.fraud_event (
    fraud_event_id bigint generated always as identity primary key,
    kind           text        not null check (kind in ('fiscal-conflict')),
    seen_at        timestamptz not null,
    fn             text        not null,
    fd             bigint      not null,
    fpd            bigint      not null,
    receipt_id     uuid        not null,
    store_id       text        not null,
    till_key       text        not null,
    fingerprint    bytea       not null,
    -- A till that repeats the same contradiction does not fill the table.
    unique (fn, fd, fpd, fingerprint)
);
grant select, insert on promotions.fraud_event to club_promotions;
