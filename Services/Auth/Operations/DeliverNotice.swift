import Contracts
import FoundationEssentials
import JobQueue
import Kernel
import Logging
import Postgres

/// Tells somebody something: chooses the way, hands it to the gateway while no transaction is open, and tells everybody
/// what became of it.
struct DeliverNotice: Sendable {
    let database: Database
    let clock: any WallClock
    let vault: Vault
    let choose: ChooseWay
    let move: MoveNotice
    let sms: any SMSGateway
    let mail: any MailGateway
    let push: any PushGateway
    let metrics: NoticeMetrics
    let logger: Logger

    /// How long a report may take that says whether a gateway took a message whose answer never came.
    static let reportPatience = Duration.seconds(60)

    /// - Throws: `JobFailure` to be asked again later; other errors are tried again with the queue's backoff.
    func callAsFunction(_ notice: Notify) async throws {
        let now = self.clock.now
        let outcome = try await self.database.transaction { transaction in
            let outcome = try await self.choose(notice, at: now, in: transaction)
            if case .suppress(let reason) = outcome {
                try await self.move.suppress(notice.id, because: reason, in: transaction)
            }
            return outcome
        }
        switch outcome {
        case .done, .suppress: return
        case .wait(let until):
            self.metrics.heldBack()
            throw JobFailure.snooze(for: max(until - now, .seconds(1)))
        case .tell(let parcel):
            try await self.tell(parcel, notice)
        }
    }

    private func tell(_ parcel: ChooseWay.Parcel, _ notice: Notify) async throws {
        let state: NoticeState
        do {
            state = NoticeState(try await self.handOver(parcel, notice))
        } catch GatewayFailure.refused(let code) {
            self.metrics.gatewayFailed(parcel.channel)
            self.logger.info(
                "A gateway refused a notification",
                metadata: ["auth.notice": "\(notice.id)", "auth.gateway-code": "\(code)"])
            state = .undelivered
        } catch GatewayFailure.unavailable(let code) {
            self.metrics.gatewayFailed(parcel.channel)
            throw GatewayFailure.unavailable(code)
        } catch let error as DatabaseError {
            throw error
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            // A report that comes meanwhile raises the state, and then nothing is sent twice.
            self.metrics.gatewayFailed(parcel.channel)
            throw JobFailure.retry(after: Self.reportPatience, "gateway-unclear")
        }
        try await self.move(notice.id, to: state)
    }

    private func handOver(_ parcel: ChooseWay.Parcel, _ notice: Notify) async throws -> DeliveryState {
        let reference = notice.id.raw
        switch parcel.channel {
        case .sms:
            guard let phone = parcel.phone else { throw GatewayFailure.refused("no-phone") }
            return try await self.sms.send(to: phone, text: parcel.text.body, reference: reference)
        case .email:
            guard let email = parcel.email else { throw GatewayFailure.refused("no-address") }
            return try await self.mail.send(
                OutgoingMail(
                    recipient: email, subject: parcel.text.subject, body: parcel.text.body,
                    replyTo: notice.mail?.replyTo, messageID: notice.mail?.messageID,
                    inReplyTo: notice.mail?.inReplyTo), reference: reference)
        case .push:
            return try await self.pushAll(parcel, reference: reference)
        }
    }

    /// Arrives when it arrives on one of the devices; those that are not there any more are forgotten.
    private func pushAll(_ parcel: ChooseWay.Parcel, reference: UUID) async throws -> DeliveryState {
        var best: DeliveryState?
        for device in parcel.devices {
            let token = Secret(try self.vault.open(device.sealedToken, at: RegisterDevice.place(of: device.session)))
            do {
                let state = try await self.push.send(
                    title: parcel.text.subject, body: parcel.text.body,
                    to: Device(platform: device.platform, token: token), reference: reference)
                best = max(best ?? state, state)
            } catch GatewayFailure.refused {
                try await DeviceStore().forget(device.session, on: self.database)
            }
        }
        guard let best else { throw GatewayFailure.refused("no-device") }
        return best
    }
}

/// Raises the state of something told and tells everybody, in one transaction.
struct MoveNotice: Sendable {
    let database: Database
    let bus: Bus
    let clock: any WallClock
    let metrics: NoticeMetrics

    /// - Returns: whether the state rose.
    @discardableResult
    func callAsFunction(_ id: Notice.ID, to state: NoticeState) async throws -> Bool {
        let now = self.clock.now
        let channel = try await self.database.transaction { transaction -> Notify.Channel? in
            guard let told = state.told,
                let channel = try await NoticeStore().advance(id, to: state, at: now, in: transaction)
            else { return nil }
            try await self.bus.publish(
                NotificationMoved(id: id, state: told, channel: channel, at: now), in: transaction)
            return channel
        }
        guard let channel else { return false }
        self.metrics.moved(channel, to: state)
        return true
    }

    func suppress(
        _ id: Notice.ID, because reason: NoticePolicy.Suppression, in transaction: borrowing Transaction
    ) async throws {
        let now = self.clock.now
        try await NoticeStore().suppress(id, because: reason, at: now, in: transaction)
        try await self.bus.publish(
            NotificationMoved(id: id, state: .suppressed, channel: nil, at: now), in: transaction)
        let metrics = self.metrics
        transaction.afterCommit { metrics.suppressed(reason) }
    }
}
