-- 0012: processes behind a pooler of transactions, such as PgBouncer, have no session that could hold a lock. They live
-- by their heartbeat alone, and for longer. Locks the small table of processes for a moment.

alter table queue.worker add column is_sessionless boolean not null default false;
alter table queue.spare_worker add column is_sessionless boolean not null default false;

comment on column queue.worker.is_sessionless is 'holds no advisory lock: dead when it was not seen for long';
