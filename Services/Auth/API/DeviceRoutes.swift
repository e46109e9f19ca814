import HTTPTypes
import Hummingbird
import Kernel
import Web

struct DeviceRequest: Decodable, Sendable {
    let platform: Device.Platform
    let token: HiddenText
}

/// Where the app of a session gets its pushes.
struct DeviceRoutes: Sendable {
    let register: RegisterDevice
    let verifier: AccessTokenVerifier

    func add(to router: Router<ClubRequestContext>) {
        let members = router.group().add(middleware: MemberAuthentication(verifier: self.verifier))
        members.put("/v1/me/device", use: self.putDevice)
        members.delete("/v1/me/device", use: self.deleteDevice)
    }

    @Sendable private func putDevice(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        let token = try context.requireMember()
        let body = try await request.decode(as: DeviceRequest.self, context: context)
        guard 1...512 ~= body.token.text.utf8.count else {
            throw Problem(.deviceTokenRefused)
        }
        let device = Device(platform: body.platform, token: body.token.secret)
        guard try await self.register(device, session: token.session, member: token.member) else {
            throw Problem(.sessionEnded)
        }
        return .empty()
    }

    @Sendable private func deleteDevice(_ request: Request, _ context: ClubRequestContext) async throws -> Answer {
        try await self.register.forget(context.requireMember().session)
        return .empty()
    }
}

extension ProblemKind {
    static let deviceTokenRefused = ProblemKind(
        .unprocessableContent, "device-token-refused", ru: "Ключ устройства должен быть от 1 до 512 байт",
        en: "A device token has 1 to 512 bytes")
}
