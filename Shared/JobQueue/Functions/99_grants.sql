-- Rights. Services may call the functions that ask who is calling, and nothing else. Those run with the rights of
-- their owner and a fixed search path; what they call in turn runs inside of them and needs neither. Plans of the hot
-- functions must not depend on how full a table was when it was last analyzed: an empty queue looks like a small table
-- until it is not.

do $$
declare
    v_function regprocedure;
    v_name text;
begin
    for v_function, v_name in
        select oid::regprocedure, proname from pg_proc where pronamespace = 'queue'::regnamespace
    loop
        execute format('revoke all on function %s from public', v_function);
        if v_name ~ '^(claim|take)_\d$' or v_name in (
            'occupied', 'complete', 'complete_many', 'isolate', 'pull_ready', 'give_back', 'promote', 'rescue',
            'hand_over', 'pass_gates', 'give_turns', 'release_taken')
        then
            execute format(
                'alter function %s set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
                    set jit = off', v_function);
        end if;
        if v_name ~ '^(claim|take)_\d$' or v_name = 'occupied' then
            -- In the order of the index, and no further than the limit: a bitmap would read and sort the whole queue.
            -- By a plan that is kept: with the floor's value it looks so much cheaper that each search would be planned
            -- anew, which takes longer than the search.
            execute format(
                'alter function %s set enable_bitmapscan = off set enable_sort = off
                    set plan_cache_mode = force_generic_plan', v_function);
        end if;
        if v_name in (
            'resolve', 'declare', 'subscribe', 'unsubscribe', 'send', 'resend', 'send_many', 'send_unique', 'lease_numbers',
            'publish', 'call', 'look', 'claim', 'let_in', 'take', 'announce', 'finish', 'set_aside', 'expire_taken',
            'isolate', 'complete', 'complete_many', 'answer', 'fail', 'expire', 'postpone', 'give_back', 'disown',
            'report', 'extend', 'sleep', 'bell', 'bell_cancel', 'collect', 'drop_stale_replies', 'register', 'rejoin',
            'beat', 'leave', 'tend', 'keep_flat', 'prepare_days', 'pause', 'resume', 'dead', 'redrive', 'halted_keys',
            'skip', 'cancel', 'result', 'progress_of', 'stats', 'jobs', 'show', 'why', 'fire_periodic', 'declare_periodic',
            'pause_periodic', 'resume_periodic', 'run_periodic', 'list_periodic', 'preview_periodic')
        then
            execute format('alter function %s security definer set search_path = pg_catalog, pg_temp', v_function);
            execute format('grant execute on function %s to club_bus', v_function);
        end if;
        if v_name in ('caller', 'id_time', 'contract_version') then
            execute format('grant execute on function %s to club_bus', v_function);
        end if;
    end loop;
    -- Only for operators, and it says so itself.
    alter function queue.check() set search_path = pg_catalog, pg_temp;
end $$;
