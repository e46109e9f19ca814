-- The hot tables of promotions by member, beside those of ledger: a receipt with its lines, and what the rules have to know of
-- the member. On the coordinator, once, on empty tables, after ledger.sql.
-- A test holds these statements against the tables that the migrations make (Tests/Repository).

-- Small, read by every receipt: a copy on each node.
select create_reference_table('promotions.ruleset');
select create_reference_table('promotions.store');
select create_reference_table('promotions.store_exception');
select create_reference_table('promotions.category');
select create_reference_table('promotions.product');
select create_reference_table('promotions.level');
select create_reference_table('promotions.sticker_campaign');
select create_reference_table('promotions.coupon_campaign');
select create_reference_table('promotions.till_key');
select create_reference_table('promotions.budget');

-- Hot: the member is in every key.
select create_distributed_table('promotions.receipt', 'member_id', colocate_with => 'ledger.member');
select create_distributed_table('promotions.receipt_line', 'member_id', colocate_with => 'ledger.member');
select create_distributed_table('promotions.member_profile', 'member_id', colocate_with => 'ledger.member');
select create_distributed_table('promotions.member_level', 'member_id', colocate_with => 'ledger.member');
select create_distributed_table('promotions.rule_use', 'member_id', colocate_with => 'ledger.member');
select create_distributed_table('promotions.favourite_category', 'member_id', colocate_with => 'ledger.member');
select create_distributed_table('promotions.favourite_product', 'member_id', colocate_with => 'ledger.member');

-- Natural keys that are unique whoever the member is, and what belongs to more than one: on the coordinator.
select citus_add_local_table_to_metadata('promotions.receipt_key');
select citus_add_local_table_to_metadata('promotions.member_card');
select citus_add_local_table_to_metadata('promotions.fraud_event');
select citus_add_local_table_to_metadata('promotions.authorisation');
select citus_add_local_table_to_metadata('promotions.receipt_payment');
select citus_add_local_table_to_metadata('promotions.goods_return');
select citus_add_local_table_to_metadata('promotions.goods_return_line');
select citus_add_local_table_to_metadata('promotions.budget_slice');
select citus_add_local_table_to_metadata('promotions.sticker_move');
select citus_add_local_table_to_metadata('promotions.coupon');
select citus_add_local_table_to_metadata('promotions.coupon_redemption');
select citus_add_local_table_to_metadata('promotions.sticker_exchange');
select citus_add_local_table_to_metadata('promotions.offer');
select citus_add_local_table_to_metadata('promotions.shopping_list');
select citus_add_local_table_to_metadata('promotions.shopping_list_member');
select citus_add_local_table_to_metadata('promotions.shopping_list_invitation');
select citus_add_local_table_to_metadata('promotions.shopping_list_item');
select citus_add_local_table_to_metadata('promotions.idempotency_key');
select citus_add_local_table_to_metadata('promotions.ended_session');
select citus_add_local_table_to_metadata('promotions.used_nonce');
select citus_add_local_table_to_metadata('promotions.receipt_gift');
