-- 0001: the schema and the role of gift_certificates.
-- Creates only new things, so it locks nothing that anybody uses.

do $$
begin
    create role club_gift_certificates login;
exception
    -- Roles belong to the whole cluster: another database, or an earlier life of this one, may have made it.
    when duplicate_object or unique_violation then null;
end
$$;

create schema gift_certificates;
grant club_bus to club_gift_certificates;
grant usage on schema gift_certificates to club_gift_certificates;

-- Answers by their Idempotency-Key (Shared/Web).
create table gift_certificates.idempotency_key (
    principal   text        not null,
    key         text        not null,
    fingerprint bytea       not null,
    status      smallint    not null,
    headers     jsonb       not null,
    body        bytea       not null,
    created_at  timestamptz not null,
    primary key (principal, key)
);
create index on gift_certificates.idempotency_key using brin (created_at);
grant select, insert, delete on gift_certificates.idempotency_key to club_gift_certificates;
