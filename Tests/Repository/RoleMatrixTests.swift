import Auth
import Charity
import GiftCertificates
import Host
import JobQueue
import Kernel
import Ledger
import PartnersExchange
import Postgres
import Promotions
import Support
import TestSupport
import Testing

/// No service's role reaches what is another's: every table, view, sequence and function, taken from the server's own
/// catalogue, so that what is added later is looked at too.
@Suite(
    .sharedDatabase(
        JobQueueMigrations.set, AuthModule.migrations, LedgerModule.migrations, PromotionsModule.migrations,
        PartnersExchangeModule.migrations, CharityModule.migrations, GiftCertificatesModule.migrations,
        SupportModule.migrations),
    .capturedLogs)
struct RoleMatrixTests {
    private static let services = OpenAPITests.modules.map { $0.name }

    /// Every schema with tables of ours, the queue's included.
    private static let schemas = services.map(\.text) + ["queue"]

    @Test(arguments: services.map(\.text))
    func `the catalogue gives a role nothing of another's schema`(service: String) async throws {
        let database = try TestDatabase.current.owner
        let (role, others) = ("club_\(service)", Self.schemas.filter { $0 != service })
        let rights = try await database.query(
            """
            select p || ' on ' || c.oid::regclass
            from pg_class c
            cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) p
            where c.relnamespace::regnamespace::text = any (\(others))
                and c.relkind in ('r', 'p', 'v', 'm', 'f')
                and has_table_privilege(\(role)::name, c.oid, p)
            union all
            select p || ' on a column of ' || c.oid::regclass
            from pg_class c
            cross join unnest(array['select', 'insert', 'update', 'references']) p
            where c.relnamespace::regnamespace::text = any (\(others))
                and c.relkind in ('r', 'p', 'v', 'm', 'f')
                and has_any_column_privilege(\(role)::name, c.oid, p)
            union all
            select p || ' on ' || c.oid::regclass
            from pg_class c
            cross join unnest(array['usage', 'select', 'update']) p
            where c.relnamespace::regnamespace::text = any (\(others))
                and c.relkind = 'S'
                and has_sequence_privilege(\(role)::name, c.oid, p)
            union all
            select 'execute on ' || f.oid::regprocedure
            from pg_proc f
            where f.pronamespace::regnamespace::text = any (\(others))
                and f.pronamespace <> 'queue'::regnamespace
                and has_schema_privilege(\(role)::name, f.pronamespace, 'usage')
                and has_function_privilege(\(role)::name, f.oid, 'execute')
            union all
            select p || ' on schema ' || n.nspname
            from pg_namespace n
            cross join unnest(array['usage', 'create']) p
            where n.nspname = any (\(others))
                and not (n.nspname = 'queue' and p = 'usage')
                and has_schema_privilege(\(role)::name, n.oid, p)
            union all
            select 'member of ' || r.rolname
            from pg_roles r
            -- What all services share: the right to call the queue.
            where r.rolname <> 'club_bus' and r.rolname <> \(role) and pg_has_role(\(role)::name, r.oid, 'member')
            """
        ).map { try $0.decode(String.self) }
        #expect(rights == [])
    }

    /// The functions of the queue are for everybody, but each acts with the rights of its owner and asks who calls.
    @Test func `what a role may call of the queue acts as its owner, with a search path of its own`() async throws {
        let open = try await TestDatabase.current.owner.query(
            """
            select distinct f.oid::regprocedure::text
            from pg_proc f
            cross join unnest(\(Self.services.map(\.role))::name[]) r
            where f.pronamespace = 'queue'::regnamespace
                and f.prorettype <> 'trigger'::regtype
                -- Pure ones, which touch no table, act as whoever calls.
                and f.proname <> all (array['caller', 'contract_version', 'id_time'])
                and has_function_privilege(r, f.oid, 'execute')
                and not (f.prosecdef and 'search_path=pg_catalog, pg_temp' = any (coalesce(f.proconfig, '{}')))
            """
        ).map { try $0.decode(String.self) }
        #expect(open == [])
    }

    /// What the catalogue says is one thing; here each role tries.
    @Test(arguments: services.map(\.text))
    func `a role that tries is refused at every table and every function`(service: String) async throws {
        let test = try TestDatabase.current
        let name = try #require(Self.services.first { $0.text == service })
        let database = test.database(for: name)
        let others = Self.schemas.filter { $0 != service }
        // What may be called of the queue is told apart above, and by the queue's own tests.
        let targets = try await test.owner.query(
            """
            select statement
            from (
                select format('select from %s limit 1', c.oid::regclass) as statement
                from pg_class c
                where c.relnamespace::regnamespace::text = any (\(others)) and c.relkind in ('r', 'p', 'v', 'm', 'f')
                union all
                select format('insert into %s default values', c.oid::regclass)
                from pg_class c
                where c.relnamespace::regnamespace::text = any (\(others)) and c.relkind in ('r', 'p')
                union all
                select format('delete from %s', c.oid::regclass)
                from pg_class c
                where c.relnamespace::regnamespace::text = any (\(others)) and c.relkind in ('r', 'p')
                union all
                select format(
                    case f.prokind when 'p' then 'call %s(%s)' else 'select %s(%s)' end, f.oid::regproc,
                    (select string_agg('null::' || format_type(t, null), ', ' order by n)
                     from unnest(f.proargtypes) with ordinality a (t, n)))
                from pg_proc f
                where f.pronamespace::regnamespace::text = any (\(others))
                    and f.pronamespace <> 'queue'::regnamespace
                    and f.prokind in ('f', 'p')
                    -- Of an extension: they touch no table.
                    and not exists (select from pg_depend d where d.objid = f.oid and d.deptype = 'e')
                    and f.prorettype <> all (array['trigger', 'event_trigger']::regtype[])
            ) t
            """
        ).map { try $0.decode(String.self) }
        #expect(targets.count > 300)
        // Each statement in a block of its own on the server, as the role that has logged in.
        let reached = try await database.withConnection { session in
            try await session.execute(
                """
                create function pg_temp.reached(statements text[]) returns text[] language plpgsql as $$
                declare
                    statement text;
                    found text[] := '{}';
                begin
                    foreach statement in array statements loop
                        begin
                            execute statement;
                            found := found || statement;
                        exception
                            when insufficient_privilege then null;
                            when others then found := found || (statement || ': ' || sqlerrm);
                        end;
                    end loop;
                    return found;
                end
                $$
                """)
            return try await session.one("select pg_temp.reached(\(targets))").decode([String].self)
        }
        #expect(reached == [])
    }

    @Test(arguments: services.map(\.text))
    func `a role reaches its own tables, so that the others are looked for in the right place`(
        service: String
    ) async throws {
        let (owner, role) = (try TestDatabase.current.owner, "club_\(service)")
        let tables = try await owner.one(
            """
            select count(*)
            from pg_class c
            where c.relnamespace::regnamespace::text = \(service)
                and c.relkind in ('r', 'p')
                and has_table_privilege(\(role)::name, c.oid, 'select')
            """
        ).decode(Int.self)
        #expect(tables > 3)
    }
}
