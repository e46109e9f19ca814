-- The functions of the queue are dropped and made anew as a whole, in one transaction: what stands in these files is
-- what there is. Callers notice nothing but a short wait; plans are made anew by themselves.
--
-- The rule for changing one: a program of the release before must go on working, because during a deploy it runs beside
-- the new one. So signatures only get longer, at the end and with defaults; answers only get more columns; what cannot be
-- had this way gets a new name, and the old function stays for one release (98_previous.sql).

do $$
declare
    v_function regprocedure;
begin
    for v_function in select oid::regprocedure from pg_proc where pronamespace = 'queue'::regnamespace loop
        execute format('drop function %s', v_function);
    end loop;
end $$;
