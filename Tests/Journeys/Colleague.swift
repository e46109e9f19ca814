import Auth
import Foundation
import Kernel
import TestSupport
import Testing
import Web

@testable import Club

/// A colleague of the demo, logged in with the password and the code of the moment.
struct Colleague: Sendable {
    let session: PersonSession

    init(_ role: StaffRole, in programme: Programme) async throws {
        let colleague = try #require(DemoColleagues(programme.folder).all().first { $0.role == role })
        let app = try #require(Authenticator(address: colleague.authenticator))
        func logIn(_ code: String) async throws -> HTTPTestAnswer {
            let body: JSON = [
                "login": .text(colleague.login), "password": .text(colleague.password), "code": .text(code),
            ]
            // Many who log in from one place wait for a turn.
            return try await eventually("a turn to log in", within: .seconds(90), every: .milliseconds(500)) {
                let answer = try await programme.send("POST", .auth, "/v1/staff/sessions", body)
                return answer.status == 429 ? nil : answer
            }
        }
        let now = SystemClock().now
        var answer = try await logIn(app.code(at: now))
        // The demo has used that one a moment ago.
        if answer.status == 401 { answer = try await logIn(app.nextCode(at: now)) }
        try #require(answer.status == 201, "\(answer.text)")
        self.session = try PersonSession(programme, renewal: "/v1/staff/tokens", tokens: try answer.json())
    }
}
