-- 0005: what was left on certificates when their time was over, and what the ledger has said to it.
-- Adds columns without a default and an index over the few rows that are to be written off: locks nothing for long.

alter table gift_certificates.certificate
    -- When the ledger was told to write the rest off, and how many kopecks it has written off.
    add column write_off_sent_at timestamptz,
    add column written_off       bigint check (written_off > 0),
    -- Why the ledger did not: for a person to look at.
    add column write_off_refusal text,
    add constraint certificate_written_off check (
        written_off is null or (state = 'expired' and remaining = 0 and write_off_sent_at is not null));
create index certificate_to_write_off on gift_certificates.certificate (expires_at)
    where state = 'expired' and remaining > 0 and write_off_sent_at is null;
create index authorisation_certificate on gift_certificates.authorisation (certificate_id)
    where state = 'captured' and posted_at is null;
