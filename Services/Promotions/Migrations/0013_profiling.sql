-- 0013: what members have told auth about being looked at. Adds a column without rewriting rows.

alter table promotions.member_profile add column profiled_at timestamptz;
comment on column promotions.member_profile.profiled_at is
    'When it was decided, here or at auth: the later word counts. Infinity: the member is erased.';
