-- 0008: coupons and stickers.

create table promotions.sticker_campaign (
    campaign   text        primary key check (campaign ~ '^[a-z0-9-]{1,32}$'),
    title_ru   text        not null,
    title_en   text        not null,
    ends_at    timestamptz not null,
    changed_by uuid        not null
);
grant select, insert, update on promotions.sticker_campaign to club_promotions;

create table promotions.coupon_campaign (
    campaign_id      uuid        primary key,
    code             text        not null unique check (code ~ '^[a-z0-9-]{1,32}$'),
    title_ru         text        not null,
    title_en         text        not null,
    benefit          jsonb       not null,
    starts_at        timestamptz not null,
    ends_at          timestamptz not null,
    days_valid       integer     not null check (days_valid between 1 and 366),
    count_max        bigint      not null check (count_max > 0),
    member_max       bigint      not null check (member_max > 0),
    source           text        not null check (source in ('claim', 'rule', 'stickers')),
    sticker_campaign text        references promotions.sticker_campaign,
    sticker_price    bigint      check (sticker_price > 0),
    drafted_by       uuid        not null,
    approved_by      uuid,
    -- The counter of what was given. Whoever takes a coupon holds this row until it is written down.
    claimed          bigint      not null default 0,
    constraint coupon_campaign_limit check (claimed between 0 and count_max),
    constraint coupon_campaign_window check (starts_at < ends_at),
    constraint coupon_campaign_four_eyes check (approved_by <> drafted_by),
    constraint coupon_campaign_stickers check (
        (source = 'stickers') = (sticker_campaign is not null) and (sticker_campaign is null) = (sticker_price is null))
) with (fillfactor = 50);
grant select, insert on promotions.coupon_campaign to club_promotions;
grant update (approved_by, claimed) on promotions.coupon_campaign to club_promotions;

create table promotions.coupon (
    coupon_id   uuid        primary key,
    campaign_id uuid        not null references promotions.coupon_campaign,
    member_id   uuid        not null,
    state       text        not null default 'claimed' check (state in ('claimed', 'used')),
    claimed_at  timestamptz not null,
    expires_at  timestamptz not null,
    -- The receipt whose rule gave it.
    receipt_id  uuid,
    used_at     timestamptz,
    used_by     text,
    store_id    text,
    constraint coupon_used check ((state = 'used') = (used_at is not null) and (used_at is null) = (used_by is null))
) with (fillfactor = 80);
create index coupon_by_member on promotions.coupon (member_id, claimed_at);
create index coupon_by_campaign on promotions.coupon (campaign_id, member_id);
grant select, insert on promotions.coupon to club_promotions;
grant update (state, used_at, used_by, store_id) on promotions.coupon to club_promotions;

-- A token is shown once: its nonce is written down with the redemption.
create table promotions.coupon_redemption (
    till_key        text        not null,
    idempotency_key text        not null,
    fingerprint     bytea       not null,
    nonce           text        not null unique,
    coupon_id       uuid        not null unique references promotions.coupon,
    redeemed_at     timestamptz not null,
    primary key (till_key, idempotency_key)
);
grant select, insert on promotions.coupon_redemption to club_promotions;

-- Stickers exchanged for a coupon: the coupon's place is taken first, then the books are asked, then the coupon is given.
create table promotions.sticker_exchange (
    -- Also the natural key in the books.
    exchange_id     uuid        primary key,
    member_id       uuid        not null,
    idempotency_key text        not null,
    campaign_id     uuid        not null references promotions.coupon_campaign,
    state           text        not null default 'placing' check (state in ('placing', 'done', 'refused')),
    refusal         text,
    coupon_id       uuid        references promotions.coupon,
    created_at      timestamptz not null,
    unique (member_id, idempotency_key),
    constraint sticker_exchange_refused check ((state = 'refused') = (refusal is not null)),
    constraint sticker_exchange_done check ((state = 'done') = (coupon_id is not null))
);
grant select, insert, update on promotions.sticker_exchange to club_promotions;

-- Answers to requests of members and colleagues by Idempotency-Key.
create table promotions.idempotency_key (
    principal   text        not null,
    key         text        not null,
    fingerprint bytea       not null,
    status      smallint    not null,
    headers     jsonb       not null,
    body        bytea       not null,
    created_at  timestamptz not null,
    primary key (principal, key)
);
create index on promotions.idempotency_key using brin (created_at);
grant select, insert, delete on promotions.idempotency_key to club_promotions;
