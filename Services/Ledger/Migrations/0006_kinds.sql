-- 0006: the other kinds of transaction. Apart from the next file, because a new value of a type can be used only after
-- the transaction that adds it. No table is rewritten.

alter type ledger.transaction_kind add value 'mature';
alter type ledger.transaction_kind add value 'return';
alter type ledger.transaction_kind add value 'adjust';
alter type ledger.transaction_kind add value 'merge';
alter type ledger.transaction_kind add value 'reverse';
alter type ledger.transaction_kind add value 'settle';
alter type ledger.transaction_kind add value 'sticker';
alter type ledger.transaction_kind add value 'certificate';
