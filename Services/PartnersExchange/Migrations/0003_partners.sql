-- 0003: partners and what they offer, members' numbers with them, exchanges, codes, files, and what people must look at.
-- Creates only new things, so it locks nothing that anybody uses.

create table partners_exchange.partner (
    partner       text        primary key check (partner ~ '^[a-z][a-z0-9-]{0,23}$'),
    kind          text        not null check (kind in ('rest', 'webhook', 'codes', 'file')),
    category      text        not null check (category in ('travel', 'books', 'cosmetics', 'electronics')),
    position      integer     not null,
    title_ru      text        not null,
    title_en      text        not null,
    about_ru      text        not null,
    about_en      text        not null,
    -- How a member's number looks; null: none is needed.
    number_rule   jsonb,
    -- Where the partner answers, and what both sides sign with (sealed).
    address       text,
    secret        bytea,
    -- How long the partner says that crediting takes, in seconds.
    promise       bigint      not null check (promise >= 0),
    is_active     boolean     not null default true,
    -- Whether the ledger has accounts for it.
    is_open       boolean     not null default false,
    -- The breaker: failures in a row, and until when nobody is sent there.
    failures      integer     not null default 0,
    shut_until    timestamptz,
    changed_by    uuid,
    changed_at    timestamptz not null default now()
);
grant select, update on partners_exchange.partner to club_partners_exchange;

create table partners_exchange.offer (
    offer         text        primary key check (offer ~ '^[a-z][a-z0-9-]{0,47}$'),
    partner       text        not null references partners_exchange.partner,
    position      integer     not null,
    title_ru      text        not null,
    title_en      text        not null,
    unit_ru       text        not null,
    unit_en       text        not null,
    -- Each so many points are so many units, and so many kopecks that we owe the partner.
    points_step   bigint      not null check (points_step > 0),
    units_step    bigint      not null check (units_step > 0),
    kopecks_step  bigint      not null check (kopecks_step >= 0),
    points_min    bigint      not null,
    points_max    bigint      not null,
    -- A privilege stands on the page of special offers.
    is_special    boolean     not null default false,
    valid_from    timestamptz not null,
    valid_to      timestamptz,
    -- Exchanges and points that are left; null: any number.
    stock         bigint      check (stock >= 0),
    budget        bigint      check (budget >= 0),
    -- Of a code pool: an alarm when fewer are left.
    low_stock     bigint      not null default 0 check (low_stock >= 0),
    is_active     boolean     not null default true,
    constraint offer_range check (
        points_min >= points_step and points_max >= points_min and points_min % points_step = 0
        and points_max % points_step = 0)
);
grant select, update on partners_exchange.offer to club_partners_exchange;

-- The member's number in a partner's programme: sealed, found by its MAC, shown by its tail.
create table partners_exchange.link (
    member_id     uuid        not null,
    partner       text        not null references partners_exchange.partner,
    number        bytea       not null,
    number_mac    bytea       not null,
    tail          text        not null,
    linked_at     timestamptz not null,
    -- A changed number waits, so that a thief of an account cannot take its points to his own number at once.
    cooling_until timestamptz,
    primary key (member_id, partner)
);
grant select, insert, update, delete on partners_exchange.link to club_partners_exchange;

-- What a redemption is about.
create table partners_exchange.exchange (
    member_id   uuid        not null,
    exchange_id uuid        not null,
    partner     text        not null references partners_exchange.partner,
    offer       text        not null references partners_exchange.offer,
    points      bigint      not null,
    units       bigint      not null check (units > 0),
    number      bytea,
    number_mac  bytea,
    tail        text,
    created_at  timestamptz not null,
    primary key (member_id, exchange_id)
);
-- Partners name orders by their id alone.
create index on partners_exchange.exchange (exchange_id);
create index on partners_exchange.exchange (partner, number_mac, created_at);
grant select, insert, update (number, tail) on partners_exchange.exchange to club_partners_exchange;

-- Codes of a pool, sealed. One is assigned once and stays so for ever.
create table partners_exchange.code (
    code_id     bigint generated always as identity primary key,
    offer       text        not null references partners_exchange.offer,
    code        bytea       not null,
    code_mac    bytea       not null,
    added_by    uuid        not null,
    added_at    timestamptz not null,
    member_id   uuid,
    exchange_id uuid unique,
    assigned_at timestamptz,
    unique (offer, code_mac),
    constraint code_assigned check (
        (exchange_id is null) = (member_id is null) and (exchange_id is null) = (assigned_at is null))
);
create index code_free on partners_exchange.code (offer, code_id) where exchange_id is null;

create function partners_exchange.code_stays() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.exchange_id is not null then
        raise exception 'partners_exchange.code: an assigned code stays as it is'
            using errcode = 'object_not_in_prerequisite_state';
    end if;
    return new;
end
$$;
create trigger code_stays before update on partners_exchange.code
    for each row execute function partners_exchange.code_stays();
grant select, insert on partners_exchange.code to club_partners_exchange;
grant update (member_id, exchange_id, assigned_at) on partners_exchange.code to club_partners_exchange;

-- Daily files that partners sent, by what is in them: the same file again is known.
create table partners_exchange.partner_file (
    partner     text        not null references partners_exchange.partner,
    digest      bytea       not null,
    day         date        not null,
    lines       integer     not null,
    applied     integer     not null,
    differences integer     not null,
    received_by uuid        not null,
    received_at timestamptz not null,
    primary key (partner, digest)
);
grant select, insert on partners_exchange.partner_file to club_partners_exchange;

-- What a person must look at. While one is open about a subject there is no second one.
create table partners_exchange.work_item (
    work_item_id uuid        primary key,
    kind         text        not null check (
        kind in ('stuck', 'contradiction', 'unknown-order', 'other-units', 'missing-at-partner', 'open-in-clearing',
            'missing-in-clearing', 'low-stock')),
    partner      text        not null references partners_exchange.partner,
    subject      text        not null,
    member_id    uuid,
    exchange_id  uuid,
    detail       text,
    opened_at    timestamptz not null,
    closed_at    timestamptz,
    closed_by    uuid,
    comment      text,
    constraint work_item_closed check ((closed_at is null) = (closed_by is null))
);
create unique index work_item_once on partners_exchange.work_item (kind, partner, subject) where closed_at is null;
create index on partners_exchange.work_item (opened_at) where closed_at is null;
grant select, insert on partners_exchange.work_item to club_partners_exchange;
grant update (closed_at, closed_by, comment) on partners_exchange.work_item to club_partners_exchange;

-- Money for settled exchanges: one person drafts, another approves.
create table partners_exchange.payout (
    payout_id   uuid        primary key,
    partner     text        not null references partners_exchange.partner,
    until       timestamptz not null,
    drafted_by  uuid        not null,
    drafted_at  timestamptz not null,
    approved_by uuid,
    approved_at timestamptz,
    -- What the ledger answered.
    points      bigint,
    kopecks     bigint,
    refusal     text,
    constraint payout_four_eyes check (approved_by <> drafted_by),
    constraint payout_approved check ((approved_by is null) = (approved_at is null)),
    constraint payout_answered check (approved_by is not null or (points is null and kopecks is null))
);
grant select, insert on partners_exchange.payout to club_partners_exchange;
grant update (approved_by, approved_at, points, kopecks, refusal) on partners_exchange.payout to club_partners_exchange;
