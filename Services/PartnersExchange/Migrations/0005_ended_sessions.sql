-- 0005: sessions that were logged out, so that tokens of a lost phone exchange nothing. Locks nothing in use.

create table partners_exchange.ended_session (
    session_id uuid        primary key,
    forget_at  timestamptz not null
);
create index on partners_exchange.ended_session (forget_at);
grant select, insert, update, delete on partners_exchange.ended_session to club_partners_exchange;
