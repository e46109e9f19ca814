-- The tables of the raw limits.
create table job (
    id bigint generated always as identity primary key,
    queue text not null default 'default',
    run_at timestamptz not null default now(),
    args jsonb not null
);

create table history (
    id bigint not null,
    queue text not null,
    args jsonb not null,
    done_at timestamptz not null default now()
);
create index on history (id);

create table copied (
    id bigint primary key,
    queue text not null,
    args jsonb not null
);

create function payload(n bigint) returns jsonb
    language sql immutable
    return jsonb_build_object('id', n, 'pad', repeat('x', 76));
