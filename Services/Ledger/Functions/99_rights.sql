-- What the service's role may do: read, and run the functions that keep the books. It writes no table itself.

revoke execute on all functions in schema ledger from public;
revoke execute on all functions in schema ledger from club_ledger;
grant select on all tables in schema ledger to club_ledger;

do $$
declare
    v_function regprocedure;
begin
    -- Security definer is what the service calls; everything else runs inside of those.
    for v_function in
        select oid::regprocedure from pg_proc
        where pronamespace = 'ledger'::regnamespace and (prosecdef or proname = 'expiry')
    loop
        execute format('grant execute on function %s to club_ledger', v_function);
    end loop;
end $$;
