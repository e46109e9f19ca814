-- 0006: goods that come back, and the payments with points that paid for receipts.

-- A payment with points pays for one receipt: what was spent on returned goods is given back once.
create table promotions.receipt_payment (
    authorisation_id uuid        primary key references promotions.authorisation,
    receipt_id       uuid        not null,
    member_id        uuid        not null,
    sold_at          timestamptz not null
);
create index receipt_payment_by_receipt on promotions.receipt_payment (receipt_id);
grant select, insert on promotions.receipt_payment to club_promotions;

-- A return is its own fiscal triple. One that arrives before its sale, or before the sale is in the books, waits.
create table promotions.goods_return (
    return_id   uuid        primary key,
    fn          text        not null,
    fd          bigint      not null,
    fpd         bigint      not null,
    sale_fn     text        not null,
    sale_fd     bigint      not null,
    sale_fpd    bigint      not null,
    store_id    text        not null,
    till_key    text        not null,
    returned_at timestamptz not null,
    accepted_at timestamptz not null,
    fingerprint bytea       not null,
    state       text        not null default 'waiting' check (state in ('waiting', 'posting', 'done', 'refused')),
    -- Known once the sale is.
    member_id   uuid,
    receipt_id  uuid,
    sold_at     timestamptz,
    refusal     text,
    -- What the books say: points taken back, points given back.
    clawed_back bigint      check (clawed_back >= 0),
    restored    bigint      check (restored >= 0),
    constraint goods_return_once unique (fn, fd, fpd),
    constraint goods_return_refused check ((state = 'refused') = (refusal is not null)),
    constraint goods_return_known check (state not in ('posting', 'done') or receipt_id is not null)
) with (fillfactor = 80);
create index goods_return_waiting on promotions.goods_return (sale_fn, sale_fd, sale_fpd) where state = 'waiting';
create index goods_return_by_member on promotions.goods_return (member_id, sold_at);
grant select, insert, update on promotions.goods_return to club_promotions;

create table promotions.goods_return_line (
    return_id  uuid    not null references promotions.goods_return,
    position   integer not null,
    quantity   bigint  not null check (quantity >= 0),
    -- Its share of what was paid for the line and of what the line earned; null while the return waits.
    amount     bigint  check (amount >= 0),
    points     bigint  check (points >= 0),
    primary key (return_id, position)
);
grant select, insert, update on promotions.goods_return_line to club_promotions;
create index goods_return_by_receipt on promotions.goods_return (receipt_id) where receipt_id is not null;
