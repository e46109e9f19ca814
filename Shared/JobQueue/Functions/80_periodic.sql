create function queue.fire_periodic(p_service text, p_limit int) returns smallint[]
    language plpgsql as $$ begin return '{}'; end $$;
create function queue.next_periodic(p_service text) returns timestamptz
    language plpgsql as $$ begin return null; end $$;
