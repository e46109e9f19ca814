-- 0009: sessions that were logged out, so that their access tokens read no books any more. Locks nothing in use.

create table ledger.ended_session (
    session_id uuid        primary key,
    forget_at  timestamptz not null
);
create index on ledger.ended_session (forget_at);
grant select, insert, update, delete on ledger.ended_session to club_ledger;
