-- What programs of the release before call and the present one does not. Dropped with the next release.

-- Claims, as queue.look answers them, without what a program of before does not understand.
create function queue.claim(p_worker int, p_queues smallint[], p_limits int[], p_batched boolean[]) returns table (
    id bigint, attempt smallint, queue_id smallint, kind text, version smallint, args jsonb, headers jsonb,
    cause_id bigint, reply_to int, reply_class smallint, deadline timestamptz
)
    language plpgsql as $$
#variable_conflict use_column
begin
    return query
        select l.id, l.attempt, l.queue_id, l.kind, l.version, l.args, l.headers, l.cause_id, l.reply_to, l.reply_class,
            l.deadline
        from queue.look(p_worker, p_queues, p_limits, p_batched) l
        where l.wait_ms is null;
end $$;
