-- 0010: keys of tills and partners get a successor and stay good for a while beside it. Adds columns without rewriting rows.

alter table auth.till_key add column retires_at timestamptz;
alter table auth.till_key add column successor text references auth.till_key;
alter table auth.till_key add constraint till_key_succeeded check ((retires_at is null) = (successor is null));
create index till_key_retires on auth.till_key (retires_at) where retires_at is not null and revoked_at is null;
comment on column auth.till_key.retires_at is
    'Until then both keys are good; then housekeeping revokes this one, and everybody who checks keys hears of it.';
