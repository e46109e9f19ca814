-- 0010: money that is left on certificates whose time is over, and the way from an issue to its certificate.
-- The index keeps writers of ledger.certificate waiting while it is built: a row for each certificate ever sold.

insert into ledger.account (id, code, asset, holder, meaning) values
    (105, 'rub:certificate:breakage', 'RUB', 'house', 'money left on gift certificates whose time is over');

-- A transaction that is undone is looked up among the issues (lock_for, reverse_capture).
create unique index certificate_issue on ledger.certificate (issued_by);
