with claimed as (
    delete from job
    where id in (select id from job order by id limit :batch::int for update skip locked)
    returning id, queue, args
)
insert into history (id, queue, args) select id, queue, args from claimed;
