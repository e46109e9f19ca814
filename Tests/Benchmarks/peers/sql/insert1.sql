\set n random(1, 1000000)
insert into job (args) values (jsonb_build_object('id', :n::bigint, 'pad', repeat('x', 76)));
