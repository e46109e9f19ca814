-- The hot tables of ledger over the nodes of a Citus cluster, by member: what a receipt, a payment or a look at the balance
-- touches of one member lies on one node. On the coordinator, once, on empty tables, after `club migrate`.
-- A test holds these statements against the tables that the migrations make (Tests/Repository).

-- Small, read by every posting: a copy on each node.
select create_reference_table('ledger.account');
select create_reference_table('ledger.lot_policy');
select create_reference_table('ledger.hold_purpose');
select create_reference_table('ledger.clawback_policy');
select create_reference_table('ledger.campaign');

-- Hot: the member is in every key.
select create_distributed_table('ledger.member', 'member_id');
select create_distributed_table('ledger.transaction', 'member_id', colocate_with => 'ledger.member');
select create_distributed_table('ledger.posting', 'member_id', colocate_with => 'ledger.member');
select create_distributed_table('ledger.lot', 'member_id', colocate_with => 'ledger.member');
select create_distributed_table('ledger.hold', 'member_id', colocate_with => 'ledger.member');
select create_distributed_table('ledger.maturing', 'member_id', colocate_with => 'ledger.member');
select create_distributed_table('ledger.receipt_line', 'member_id', colocate_with => 'ledger.member');
select create_distributed_table('ledger.clearing_item', 'member_id', colocate_with => 'ledger.member');
select create_distributed_table('ledger.sticker', 'member_id', colocate_with => 'ledger.member');
select create_distributed_table('ledger.reminder', 'member_id', colocate_with => 'ledger.member');
select create_distributed_table('ledger.merged_lot', 'member_id', colocate_with => 'ledger.member');
select create_distributed_table('ledger.month_balance', 'member_id', colocate_with => 'ledger.member');

-- Natural keys that are unique whoever the member is, and what is of the programme as a whole: on the coordinator.
select citus_add_local_table_to_metadata('ledger.receipt');
select citus_add_local_table_to_metadata('ledger.refused_receipt');
select citus_add_local_table_to_metadata('ledger.hold_key');
select citus_add_local_table_to_metadata('ledger.part_capture');
select citus_add_local_table_to_metadata('ledger.operation');
select citus_add_local_table_to_metadata('ledger.receipt_payment');
select citus_add_local_table_to_metadata('ledger.adjustment');
select citus_add_local_table_to_metadata('ledger.certificate');
select citus_add_local_table_to_metadata('ledger.merge');
select citus_add_local_table_to_metadata('ledger.reversal');
select citus_add_local_table_to_metadata('ledger.seal_key');
select citus_add_local_table_to_metadata('ledger.seal_block');
select citus_add_local_table_to_metadata('ledger.audit');
select citus_add_local_table_to_metadata('ledger.month');
select citus_add_local_table_to_metadata('ledger.ended_session');
