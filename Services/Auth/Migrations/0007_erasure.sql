-- 0007: erasure. What is left of an erased member is the pseudonymous id, and the database itself says so.
-- Checks the rows of auth.member and auth.personal_data once: both are read under a lock for about a second a million.

alter table auth.personal_data add column erased_at timestamptz;
alter table auth.personal_data add constraint personal_data_erased check (
    erased_at is null
    or (wrapped_key is null and phone is null and phone_index is null and birthday is null and email is null
        and identity_index is null and length(full_name) = 0));
comment on column auth.personal_data.erased_at is 'When the key was destroyed: nothing that is sealed with it opens again.';
