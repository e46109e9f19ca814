-- 0002: certificates from their draft to their last kopeck, what tills set aside of them, and limits. New tables only.

-- A certificate goes from hand to hand and is found by its code, so its key is its own id, as a receipt's is.
create table gift_certificates.certificate (
    certificate_id    uuid        primary key,
    -- Who pays.
    buyer_id          uuid        not null,
    -- Whose it is, once claimed.
    holder_id         uuid,
    state             text        not null check (state in (
        'draft', 'paid', 'scheduled', 'delivering', 'delivered', 'activated', 'partly-used', 'used', 'cancelled',
        'blocked', 'refunded', 'expired')),
    -- Where a blocked one goes back to.
    blocked_from      text,
    -- Kopecks: whole roubles from 200 to 3000.
    face_value        bigint      not null check (face_value between 20000 and 300000 and face_value % 100 = 0),
    -- Kopecks that are not spent, and those of them that a till has set aside.
    remaining         bigint      not null,
    held              bigint      not null default 0,
    funding           text        not null check (funding in ('points', 'money')),
    template          text        not null,
    background        text        not null check (background ~ '^#[0-9a-f]{6}$'),
    accent            text        not null check (accent ~ '^#[0-9a-f]{6}$'),
    -- Sealed: for whom, and what is written on it. Gone when the giver is erased and the gift has arrived.
    way               text        not null check (way in ('self', 'phone', 'email')),
    recipient         bytea,
    words             bytea,
    -- The wish, and the moment that came of it when the certificate was paid.
    local_time        text,
    zone              text        not null,
    even_at_night     boolean     not null,
    deliver_at        timestamptz,
    -- The code and the link: HMAC for finding, sealed for showing. They exist from the payment on.
    code_index        bytea       unique check (length(code_index) = 32),
    code              bytea,
    link_index        bytea       unique check (length(link_index) = 32),
    link              bytea,
    -- The redemption that pays for it, and the transaction of the ledger that issued it.
    payment_id        uuid        unique,
    issued_by         uuid,
    notice_id         uuid        unique,
    sent_at           timestamptz,
    delivered_at      timestamptz,
    -- When the giver was told that it does not arrive.
    undelivered_at    timestamptz,
    expires_at        timestamptz,
    created_at        timestamptz not null,
    changed_at        timestamptz not null,
    constraint certificate_remaining check (remaining between 0 and face_value),
    constraint certificate_held check (held between 0 and remaining),
    -- An advance payment in money keeps its worth.
    constraint certificate_money_never_expires check (funding <> 'money' or (expires_at is null and state <> 'expired')),
    constraint certificate_blocked check ((state = 'blocked') = (blocked_from is not null)),
    constraint certificate_coded check (
        (state in ('draft', 'cancelled')) = (code_index is null)
        and (code_index is null) = (code is null)
        and (code_index is null) = (link_index is null)
        and (link_index is null) = (link is null)),
    constraint certificate_used check (state <> 'used' or remaining = 0)
) with (fillfactor = 70);
create index certificate_buyer on gift_certificates.certificate (buyer_id, certificate_id);
create index certificate_holder on gift_certificates.certificate (holder_id, certificate_id) where holder_id is not null;
create index certificate_due on gift_certificates.certificate (deliver_at) where state = 'scheduled';
create index certificate_on_its_way on gift_certificates.certificate (sent_at)
    where state = 'delivering' and undelivered_at is null;
create index certificate_expiring on gift_certificates.certificate (expires_at)
    where state in ('delivered', 'activated', 'partly-used');
grant select, insert, update on gift_certificates.certificate to club_gift_certificates;

-- A picture of the giver's own, sealed. Apart, because lists never read it.
create table gift_certificates.photo (
    certificate_id uuid  primary key references gift_certificates.certificate,
    picture        bytea not null check (length(picture) <= 4194304)
);
grant select, insert, update, delete on gift_certificates.photo to club_gift_certificates;

-- What tills have set aside and taken. Its id is also the natural key of the transfer in the ledger.
create table gift_certificates.authorisation (
    authorisation_id uuid        primary key,
    certificate_id   uuid        not null references gift_certificates.certificate,
    store_id         text        not null,
    till_key         text        not null,
    idempotency_key  text        not null,
    fingerprint      bytea       not null,
    amount           bigint      not null check (amount > 0),
    captured         bigint      check (captured > 0 and captured <= amount),
    state            text        not null check (state in ('placed', 'captured', 'voided', 'lapsed')),
    -- After that the money is free again unless it was taken.
    expires_at       timestamptz not null,
    -- What the ledger said to a capture.
    posted_at        timestamptz,
    refusal          text,
    created_at       timestamptz not null,
    changed_at       timestamptz not null,
    constraint authorisation_once unique (till_key, idempotency_key),
    constraint authorisation_captured check ((state = 'captured') = (captured is not null))
) with (fillfactor = 70);
-- One till at a time: the second one is told that the certificate is in use.
create unique index authorisation_open on gift_certificates.authorisation (certificate_id) where state = 'placed';
create index authorisation_lapsing on gift_certificates.authorisation (expires_at) where state = 'placed';
create index authorisation_unposted on gift_certificates.authorisation (changed_at)
    where state = 'captured' and posted_at is null;
grant select, insert, update on gift_certificates.authorisation to club_gift_certificates;

-- How many certificates a member has bought on a day of Moscow, and for how much. The limits are here, so that no two
-- requests can slip past them together.
create table gift_certificates.day_total (
    member_id    uuid    not null,
    day          date    not null,
    certificates integer not null check (certificates between 0 and 5),
    kopecks      bigint  not null check (kopecks between 0 and 1000000),
    primary key (member_id, day)
);
grant select, insert, update, delete on gift_certificates.day_total to club_gift_certificates;

-- When somebody looked for a certificate by its code or link, within the last hour: by account, and by the HMAC of a
-- network.
create table gift_certificates.look_up (
    subject bytea         primary key,
    moments timestamptz[] not null
);
grant select, insert, update, delete on gift_certificates.look_up to club_gift_certificates;

-- What colleagues did, for the audit.
create table gift_certificates.intervention (
    intervention_id uuid        primary key,
    certificate_id  uuid        not null references gift_certificates.certificate,
    action          text        not null check (action in ('block', 'unblock', 'request-refund', 'approve-refund')),
    staff_id        uuid        not null,
    reason          text        not null check (length(reason) between 1 and 500),
    at              timestamptz not null
);
create index intervention_certificate on gift_certificates.intervention (certificate_id, at);
grant select, insert on gift_certificates.intervention to club_gift_certificates;

-- A refund takes two colleagues.
create table gift_certificates.refund (
    certificate_id uuid        primary key references gift_certificates.certificate,
    -- Under which the ledger undoes the issue.
    transfer_id    uuid        not null unique,
    maker_id       uuid        not null,
    checker_id     uuid,
    state          text        not null check (state in ('requested', 'approved', 'done', 'refused')),
    reason         text        not null check (length(reason) between 1 and 500),
    refusal        text,
    requested_at   timestamptz not null,
    decided_at     timestamptz,
    constraint refund_four_eyes check (checker_id <> maker_id),
    constraint refund_decided check ((state = 'requested') = (checker_id is null))
);
grant select, insert, update on gift_certificates.refund to club_gift_certificates;

-- auth's till keys: the hash of the secret, never the secret. Fed by TillKeyChanged.
create table gift_certificates.till_key (
    till_key   text        primary key,
    hash       bytea       not null,
    store_id   text,
    scopes     text[]      not null,
    revoked    boolean     not null,
    changed_at timestamptz not null
);
grant select, insert, update on gift_certificates.till_key to club_gift_certificates;
