import Kernel
import Postgres
import TestSupport
import Testing

@testable import Auth

@Suite(.authDatabase, .capturedLogs) struct RoleTests {
    @Test func `no other service's role can see or touch anything of auth`() async throws {
        let world = try AuthWorld()
        let others = try await world.owner.query(
            """
            select r.rolname || ' may ' || p || ' ' || c.oid::regclass
            from pg_class c
            cross join unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) p
            cross join pg_roles r
            where c.relnamespace = 'auth'::regnamespace
                and c.relkind in ('r', 'v', 'p')
                and r.rolname like 'club\\_%'
                and r.rolname not in ('club_auth', 'club_owner')
                and not r.rolsuper
                and has_table_privilege(r.oid, c.oid, p)
            """
        ).map { try $0.decode(String.self) }
        #expect(others.isEmpty)
        let everybody = try await world.owner.one(
            "select has_schema_privilege('public', 'auth', 'usage')"
        ).decode(Bool.self)
        #expect(!everybody)
    }

    @Test func `a role made for another service is refused by the server itself`() async throws {
        let world = try AuthWorld()
        try await world.owner.execute(
            """
            do $$
            begin
                if not exists (select from pg_roles where rolname = 'club_promotions') then
                    create role club_promotions login;
                end if;
            exception when duplicate_object or unique_violation then null;
            end
            $$
            """)
        let stranger = try TestDatabase.current.database(for: "promotions")
        let statements: [SQL] = [
            "select from auth.member", "select from auth.sms_outbox", "select from auth.signing_key",
            "insert into auth.sms_budget values (current_date, 1)",
        ]
        for statement in statements {
            let error = await #expect(throws: DatabaseError.self) { try await stranger.execute(statement) }
            #expect(error?.code == .insufficientPrivilege)
        }
    }

    @Test func `auth itself cannot rewrite its history or its tables`() async throws {
        let world = try AuthWorld()
        let statements: [SQL] = [
            "delete from auth.member", "delete from auth.card", "delete from auth.till_key",
            "drop table auth.consent", "create table auth.other ()", "alter table auth.consent disable trigger all",
        ]
        for statement in statements {
            let error = await #expect(throws: DatabaseError.self) { try await world.database.execute(statement) }
            #expect(error?.code == .insufficientPrivilege)
        }
    }
}
