-- The functions of the ledger are dropped and made anew as a whole, in one transaction: what stands in these files is
-- what there is. Those of triggers stay, because the triggers hold on to them; they are replaced.
--
-- The rule for changing one: a program of the release before must go on working, because during a deploy it runs beside
-- the new one. So signatures only get longer, at the end and with defaults; answers only get more columns; what cannot be
-- had this way gets a new name, and the old function stays for one release.

do $$
declare
    v_function regprocedure;
begin
    for v_function in
        select oid::regprocedure from pg_proc
        where pronamespace = 'ledger'::regnamespace and prorettype <> 'trigger'::regtype
    loop
        execute format('drop function %s', v_function);
    end loop;
end $$;
