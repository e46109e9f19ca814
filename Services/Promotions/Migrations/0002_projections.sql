-- 0002: what promotions knows of other services' things, told by their events, asked for by calls when it is late.

-- auth's cards. Fed by CardIssued.
create table promotions.member_card (
    card      text        primary key,
    member_id uuid        not null,
    issued_at timestamptz not null
);
grant select, insert, update on promotions.member_card to club_promotions;

-- auth's till keys: the hash of the secret, never the secret. Fed by TillKeyChanged.
create table promotions.till_key (
    till_key   text        primary key,
    hash       bytea       not null,
    store_id   text,
    scopes     text[]      not null,
    revoked    boolean     not null,
    changed_at timestamptz not null
);
grant select, insert, update on promotions.till_key to club_promotions;
