import Kernel
import Postgres

/// Keeps where a session's device gets its pushes.
struct RegisterDevice: Sendable {
    let database: Database
    let clock: any WallClock
    let vault: Vault

    /// - Returns: false when the session has ended.
    func callAsFunction(_ device: Device, session: Session.ID, member: Member.ID) async throws -> Bool {
        let sealed = try self.vault.seal(device.token.reveal(), at: Self.place(of: session))
        return try await DeviceStore().set(
            device.platform, sealedToken: sealed, of: session, member: member, at: self.clock.now, on: self.database)
    }

    func forget(_ session: Session.ID) async throws {
        try await DeviceStore().forget(session, on: self.database)
    }

    /// What a sealed token is bound to.
    static func place(of session: Session.ID) -> String { "device_token.token/\(session)" }
}
