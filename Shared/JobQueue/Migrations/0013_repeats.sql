-- 0013: repeated attempts are found without walking over the first ones, of which there are many more. Batched queues
-- are asked for nothing else. Builds eight small indexes on what is ready now.

do $$
begin
    for slot in 0..7 loop
        execute format('create index on queue.ready_%s (queue_id) where attempt > 0', slot);
    end loop;
end $$;
