import FoundationEssentials
import HTTPTypes
import Kernel
import Postgres
import TestSupport
import Testing
import Web

@testable import Auth

@Suite(.authDatabase, .capturedLogs) struct StaffLoginTests {
    @Test func `password and time code open a session whose token says the roles`() async throws {
        let world = try AuthWorld()
        let colleague = try await world.colleague("orlova", roles: [.support, .storeClerk])
        try await world.client { client in
            let tokens = try await world.logIn(colleague, client)
            #expect(tokens.staff == colleague.id && tokens.roles == [.storeClerk, .support])
            let verifier = AccessTokenVerifier(clock: world.clock) { try await world.parts.signer.publicKeys() }
            let token = try await verifier.verifyStaff(tokens.accessToken)
            #expect(token.staff == colleague.id && token.roles == [.storeClerk, .support] && token.session != nil)
            // One kind of token is never taken for the other.
            await #expect(throws: Problem.self) { try await verifier.verify(tokens.accessToken) }
            #expect(try await client.ask(.get, "/v1/me", token: tokens.accessToken).status == 401)
        }
    }

    @Test func `a time code opens one session, also when it comes twice at once`() async throws {
        let world = try AuthWorld()
        let colleague = try await world.colleague("orlova")
        try await world.openConnections()
        try await world.client { client in
            let body = colleague.body(at: world.clock.now)
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<3 {
                    group.addTask { try await client.ask(.post, "/v1/staff/sessions", body).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.sorted() == [201, 401, 401])
            #expect(try await client.ask(.post, "/v1/staff/sessions", body).status == 401)
        }
    }

    @Test func `whatever is wrong is answered alike`() async throws {
        let world = try AuthWorld()
        let colleague = try await world.colleague("orlova")
        let disabled = try await world.colleague("petrov")
        try await world.parts.edge.accounts.disable(disabled.login)
        try await world.client { client in
            let code = colleague.code(at: world.clock.now)
            var texts: Set<String> = []
            for body in [
                #"{"login":"orlova","password":"wrong","code":"\#(code)"}"#,
                #"{"login":"orlova","password":"\#(colleague.password)","code":"000000"}"#,
                #"{"login":"nobody","password":"wrong","code":"\#(code)"}"#,
                #"{"login":"Not A Login","password":"wrong","code":"\#(code)"}"#,
                disabled.body(at: world.clock.now),
            ] {
                let answer = try await client.ask(.post, "/v1/staff/sessions", body)
                #expect(answer.status == 401)
                texts.insert(answer.text)
            }
            #expect(texts.count == 1)
        }
        #expect(!CapturedLogs.text.contains(colleague.password))
    }

    @Test func `five wrong attempts lock the account for a quarter of an hour, whoever asks at once`() async throws {
        let world = try AuthWorld()
        let colleague = try await world.colleague("orlova")
        try await world.openConnections()
        try await world.client { client in
            let wrong = #"{"login":"orlova","password":"wrong wrong","code":"000000"}"#
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 {
                    group.addTask { _ = try await client.ask(.post, "/v1/staff/sessions", wrong) }
                }
                try await group.waitForAll()
            }
            let locked = try await client.ask(.post, "/v1/staff/sessions", colleague.body(at: world.clock.now))
            #expect(locked.status == 401)
            #expect(try await world.staffEvents("locked") == 1)
            world.clock.advance(by: .seconds(901))
            let opened = try await client.ask(.post, "/v1/staff/sessions", colleague.body(at: world.clock.now))
            #expect(opened.status == 201)
            let row = try await world.owner.one("select failures from auth.staff where login = 'orlova'")
            #expect(try row.decode(Int32.self) == 0)
        }
    }

    @Test func `one network tries twenty logins a minute`() async throws {
        let world = try AuthWorld()
        try await world.client { client in
            var statuses: [Int] = []
            for _ in 0..<21 {
                let body = #"{"login":"nobody","password":"wrong","code":"000000"}"#
                statuses.append(try await client.ask(.post, "/v1/staff/sessions", body).status)
            }
            #expect(statuses == Array(repeating: 401, count: 20) + [429])
        }
    }

    @Test func `a refresh token is exchanged once, within the grace again, and later ends the session`() async throws {
        let world = try AuthWorld()
        let colleague = try await world.colleague("orlova", roles: [.support])
        try await world.client { client in
            let tokens = try await world.logIn(colleague, client)
            let body = #"{"refreshToken":"\#(tokens.refreshToken)"}"#
            let next: StaffTokensSeen = try await client.ask(.post, "/v1/staff/tokens", body).read()
            let again: StaffTokensSeen = try await client.ask(.post, "/v1/staff/tokens", body).read()
            #expect(next.refreshToken == again.refreshToken && next.refreshToken != tokens.refreshToken)
            #expect(next.roles == [.support])
            world.clock.advance(by: .seconds(31))
            #expect(try await client.ask(.post, "/v1/staff/tokens", body).status == 401)
            let newest = #"{"refreshToken":"\#(next.refreshToken)"}"#
            #expect(try await client.ask(.post, "/v1/staff/tokens", newest).status == 401)
        }
    }

    @Test
    func `a session ends after twelve hours however much it is used, and a role taken is gone with the next refresh`()
        async throws
    {
        let world = try AuthWorld()
        let colleague = try await world.colleague("orlova", roles: [.support])
        try await world.client { client in
            var token = try await world.logIn(colleague, client).refreshToken
            try await world.parts.edge.roles.take(.support, from: colleague.login)
            var hours = 0
            while hours < 20 {
                world.clock.advance(by: .seconds(3000))
                let answer = try await client.ask(.post, "/v1/staff/tokens", #"{"refreshToken":"\#(token)"}"#)
                guard answer.status == 200 else { break }
                let tokens: StaffTokensSeen = try answer.read()
                #expect(tokens.roles.isEmpty)
                token = tokens.refreshToken
                hours += 1
            }
            // 14 times 50 minutes lie within 12 hours.
            #expect(hours == 14)
        }
    }

    @Test func `logging out and being disabled end a session here at once, and everybody is told`() async throws {
        let world = try AuthWorld()
        try await world.subscribe("promotions.events", to: "auth.session-ended")
        let colleague = try await world.colleague("orlova", roles: [.auditor])
        try await world.client { client in
            for end in [true, false] {
                let tokens = try await world.logIn(colleague, client)
                let path = "/v1/staff/colleagues"
                #expect(try await client.ask(.get, path, token: tokens.accessToken).status == 200)
                if end {
                    let answer = try await client.ask(.delete, "/v1/staff/sessions/current", token: tokens.accessToken)
                    #expect(answer.status == 204)
                } else {
                    try await world.parts.edge.accounts.disable(colleague.login)
                }
                #expect(try await client.ask(.get, path, token: tokens.accessToken).problem == "session-ended")
                let body = #"{"refreshToken":"\#(tokens.refreshToken)"}"#
                #expect(try await client.ask(.post, "/v1/staff/tokens", body).status == 401)
            }
        }
        let told = try await world.owner.one("select count(*) from queue.job where kind = 'auth.session-ended'")
        #expect(try told.decode(Int.self) == 2)
    }

    @Test func `a password is changed with both factors, and an authenticator that was reset shows other codes`()
        async throws
    {
        let world = try AuthWorld()
        let colleague = try await world.colleague("orlova", roles: [.support])
        try await world.client { client in
            let tokens = try await world.logIn(colleague, client)
            world.clock.advance(by: .seconds(30))
            func change(to new: String, code: String) async throws -> Answered {
                try await client.ask(
                    .put, "/v1/staff/me/password",
                    #"{"current":"\#(colleague.password)","code":"\#(code)","new":"\#(new)"}"#,
                    token: tokens.accessToken)
            }
            let code = colleague.code(at: world.clock.now)
            #expect(try await change(to: "короткий", code: code).problem == "password-too-weak")
            #expect(try await change(to: "длинный пароль 2", code: "000000").problem == "staff-login-refused")
            #expect(try await change(to: "длинный пароль 2", code: code).status == 204)
            world.clock.advance(by: .seconds(30))
            let old = try await client.ask(.post, "/v1/staff/sessions", colleague.body(at: world.clock.now))
            #expect(old.status == 401)
            let changed = Colleague(
                id: colleague.id, login: colleague.login, password: "длинный пароль 2", secret: colleague.secret)
            _ = try await world.logIn(changed, client)
            _ = try await world.parts.edge.accounts.resetTimeCode(colleague.login)
            world.clock.advance(by: .seconds(30))
            let reset = try await client.ask(.post, "/v1/staff/sessions", changed.body(at: world.clock.now))
            #expect(reset.status == 401)
        }
        let dump = try await world.dump()
        #expect(!dump.contains(colleague.password) && !dump.contains(colleague.secret.reveal().hex))
    }
}
