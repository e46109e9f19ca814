-- 0011: nonces of signed requests, so that one that was overheard opens nothing, whichever process it is shown to.
-- Locks nothing in use.

create table promotions.used_nonce (
    till_key  text        not null,
    nonce     text        not null,
    forget_at timestamptz not null,
    primary key (till_key, nonce)
);
create index on promotions.used_nonce (forget_at);
grant select, insert, update, delete on promotions.used_nonce to club_promotions;
