import Kernel
import Postgres

/// Makes the text of a code and hands it to the gateway. The code exists from here to the gateway's answer.
struct DeliverCode: Sendable {
    let database: Database
    let clock: any WallClock
    let vault: Vault
    let peppers: CodePeppers
    let gateway: any SMSGateway
    let metrics: AuthMetrics

    /// Sends once, as far as can be known: a repeated job finds the message accepted, and where the process died
    /// between the gateway's answer and noting it, the gateway is given the same reference and the phone the same
    /// code.
    func callAsFunction(_ challenge: Challenge.ID, sending: Int) async throws {
        let store = SMSStore()
        let found = try await store.find(challenge, sending: sending, at: self.clock.now, on: self.database)
        guard let message = found, message.isWanted, message.state == .queued else { return }
        guard let code = try await self.peppers.code(of: challenge, message.derivation, on: self.database) else {
            return
        }
        let phone = try self.vault.openPhone(message.sealedPhone, index: message.phoneIndex)
        let state = try await self.gateway.send(
            to: phone, text: try self.text(code, of: challenge, message), reference: message.reference)
        if try await store.advance(message.reference, to: state, at: self.clock.now, on: self.database) {
            self.metrics.messageCame(to: state)
        }
    }

    private func text(_ code: LoginCode, of challenge: Challenge.ID, _ message: SMSStore.Sending) throws -> String {
        switch (message.purpose, message.stepUp) {
        case (.stepUp, .some(let stepUp)):
            return SMSText.stepUp(
                code, try self.vault.openSubject(stepUp.sealedSubject, of: challenge), language: stepUp.language)
        case (.phone, _): return SMSText.newPhone(code)
        case (.consent, _): return SMSText.consent(code)
        default: return SMSText.login(code)
        }
    }
}
