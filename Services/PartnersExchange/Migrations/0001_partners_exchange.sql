-- 0001: the schema and the role of partners_exchange.
-- Creates only new things, so it locks nothing that anybody uses.

do $$
begin
    create role club_partners_exchange login;
exception
    -- Roles belong to the whole cluster: another database, or an earlier life of this one, may have made it.
    when duplicate_object or unique_violation then null;
end
$$;

create schema partners_exchange;
grant club_bus to club_partners_exchange;
grant usage on schema partners_exchange to club_partners_exchange;

-- Answers by their Idempotency-Key (Shared/Web).
create table partners_exchange.idempotency_key (
    principal   text        not null,
    key         text        not null,
    fingerprint bytea       not null,
    status      smallint    not null,
    headers     jsonb       not null,
    body        bytea       not null,
    created_at  timestamptz not null,
    primary key (principal, key)
);
create index on partners_exchange.idempotency_key using brin (created_at);
grant select, insert, delete on partners_exchange.idempotency_key to club_partners_exchange;
