-- 0003: sessions, refresh tokens, signing keys and the keys of tills. Every lock is on new tables.

create table auth.session (
    session_id    uuid primary key,
    member_id     uuid not null references auth.member,
    device        text not null check (length(device) <= 120),
    level         text not null,
    created_at    timestamptz not null,
    used_at       timestamptz not null,
    revoked_at    timestamptz,
    revoke_reason text check (revoke_reason in ('logout', 'reuse', 'member', 'staff')),
    check ((revoked_at is null) = (revoke_reason is null))
);
create index session_member on auth.session (member_id) where revoked_at is null;

grant select, insert, update, delete on auth.session to club_auth;

-- The chain of a session's refresh tokens. A token is 256 random bits, known by its SHA-256. Its successor is sealed
-- with a key that only the token itself gives, so that two tabs that refresh at once get the same successor and a copy
-- of this table gives none.
create table auth.refresh_token (
    token_hash bytea primary key,
    session_id uuid not null references auth.session on delete cascade,
    issued_at  timestamptz not null,
    expires_at timestamptz not null,
    rotated_at timestamptz,
    successor  bytea,
    check ((rotated_at is null) = (successor is null))
);
create index refresh_token_session on auth.refresh_token (session_id);
create index refresh_token_expires on auth.refresh_token (expires_at);

grant select, insert, update, delete on auth.refresh_token to club_auth;

-- Ed25519 keys that sign access and card tokens. A key is published before it signs, signs until its successor does,
-- and stays published until its last token has expired; the private half is destroyed when it stops signing.
create table auth.signing_key (
    key_id      text primary key,
    public_key  bytea not null check (length(public_key) = 32),
    private_key bytea,
    created_at  timestamptz not null,
    signs_from  timestamptz not null,
    signs_until timestamptz
);
create unique index signing_key_newest on auth.signing_key ((signs_until is null)) where signs_until is null;

grant select, insert, update, delete on auth.signing_key to club_auth;

create table auth.till_key (
    key_id      text primary key check (key_id ~ '^[0-9a-z]{16}$'),
    secret_hash bytea not null check (length(secret_hash) = 32),
    store       text check (length(store) between 1 and 32),
    scopes      text[] not null check (cardinality(scopes) > 0),
    label       text not null check (length(label) <= 120),
    issued_at   timestamptz not null,
    revoked_at  timestamptz
);

grant select, insert, update on auth.till_key to club_auth;
