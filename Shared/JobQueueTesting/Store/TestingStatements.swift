internal import Kernel
internal import Postgres

/// The statements of the test helpers; run as the owner.
enum TestingStatements {
    static func waiting(_ kind: String) -> SQL {
        """
        select j.id, j.args
        from queue.job j
        where j.kind = \(kind)
            and (exists (select from queue.ready p where p.id = j.id)
                or exists (select from queue.deferred p where p.id = j.id)
                or exists (select from queue.arrival p where p.id = j.id)
                or exists (select from queue.blocked p where p.id = j.id))
        order by j.id
        """
    }

    /// The function that ``fault(_:_:)`` calls.
    static let installFaults: SQL =
        """
        create or replace function public.queue_fault(p_fault text, p_value text) returns void
            language plpgsql as $fault$
        begin
            case p_fault
            when 'bell' then
                -- Puts a statement at the beginning, in the place of the one that was put there before.
                execute regexp_replace(
                    pg_get_functiondef('queue.bell(smallint[], int[])'::regprocedure),
                    '\\nbegin\\n(/\\* fault \\*/.*?/\\* end \\*/\\n)?',
                    E'\\nbegin\\n' || case when p_value = '' then '' else '/* fault */ ' || p_value || E' /* end */\\n' end);
            when 'slow' then
                drop trigger if exists queue_fault on queue.outcome;
                execute format(
                    'create or replace function public.queue_slow() returns trigger language plpgsql
                        as $$ begin perform pg_sleep(%L); return null; end $$', p_value);
                if p_value::double precision > 0 then
                    create constraint trigger queue_fault after insert on queue.outcome
                        deferrable initially deferred for each row execute function public.queue_slow();
                end if;
            end case;
        end $fault$
        """

    static func fault(_ fault: String, _ value: String) -> SQL {
        "select public.queue_fault(\(fault), \(value))"
    }

    static func killSessions(_ service: ServiceName) -> SQL {
        """
        select count(pg_terminate_backend(l.pid))
        from pg_locks l join queue.worker w on w.id = l.objid::int
        where l.locktype = 'advisory' and l.classid = queue.liveness_class() and l.objsubid = 2
            and w.service = \(service.text)
            and l.database = (select oid from pg_database where datname = current_database())
        """
    }
}
