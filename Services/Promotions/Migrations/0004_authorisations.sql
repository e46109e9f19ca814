-- 0004: paying with points at the till: the attempt is written before the ledger is asked, each step is a state.

create table promotions.authorisation (
    -- Also the id of the hold in the ledger, so that asking twice holds once.
    authorisation_id uuid        primary key,
    member_id        uuid        not null,
    store_id         text        not null,
    till_key         text        not null,
    idempotency_key  text        not null,
    fingerprint      bytea       not null,
    -- The card token's id: a token authorises once.
    token_id         text        not null,
    points           bigint      not null check (points > 0),
    total            bigint      not null check (total > 0),
    state            text        not null check (
        state in ('placing', 'refused', 'placed', 'capturing', 'captured', 'voiding', 'voided', 'lapsed')),
    refusal          text,
    available        bigint,
    captured         bigint      check (captured > 0 and captured <= points),
    -- When the ledger gives the points back unless they were captured.
    expires_at       timestamptz,
    created_at       timestamptz not null,
    changed_at       timestamptz not null,
    constraint authorisation_once unique (till_key, idempotency_key),
    constraint authorisation_token_once unique (token_id),
    constraint authorisation_refused check ((state = 'refused') = (refusal is not null)),
    constraint authorisation_captured check ((state in ('capturing', 'captured')) = (captured is not null))
) with (fillfactor = 70);
grant select, insert, update on promotions.authorisation to club_promotions;
