import Contracts
import FoundationEssentials
import Kernel
import Postgres

/// Decides, in one transaction, whether, when and by which way somebody is told something; who is already told is only
/// found again.
struct ChooseWay: Sendable {
    let vault: Vault
    let policy: NoticePolicy
    /// Messages by SMS that are sent a day, codes included.
    let messagesPerDay: Int

    enum Outcome: Sendable {
        /// It was told, or given up, before.
        case done
        case wait(until: Timestamp)
        case suppress(NoticePolicy.Suppression)
        case tell(Parcel)
    }

    /// What a gateway needs.
    struct Parcel: Sendable {
        let channel: Notify.Channel
        let text: Notify.Text
        let phone: PhoneNumber?
        let email: EmailAddress?
        let devices: [DeviceStore.Stored]
    }

    /// Somebody to be told something, opened.
    private struct Person: Sendable {
        var phone: PhoneNumber?
        var email: EmailAddress?
        var devices: [DeviceStore.Stored] = []
        var isEnglish = false
        var isErased = false
        var reach = NoticePolicy.Reach(possible: [])
    }

    func callAsFunction(
        _ notice: Notify, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Outcome {
        let store = NoticeStore()
        let stored = try await store.admit(
            notice.id, to: notice.recipient.member, purpose: notice.purpose, at: now, in: transaction)
        guard stored.state == .waiting else { return .done }
        let person = try await self.person(notice, at: now, in: transaction)
        if person.isErased { return .suppress(.erased) }
        // Chosen before, and the gateway's answer never came: the same way again, if it still leads there.
        if let channel = stored.channel, person.reach.possible.contains(channel) {
            if let expiresAt = notice.expiresAt, expiresAt <= now { return .suppress(.expired) }
            return .tell(self.parcel(notice, channel, person))
        }
        let choice = self.policy.choose(
            notice.purpose, by: notice.channels, notBefore: notice.notBefore, expiresAt: notice.expiresAt,
            reach: person.reach, isHourChosen: notice.isHourChosen ?? false, at: now)
        switch choice {
        case .wait(let until): return .wait(until: until)
        case .suppress(let reason): return .suppress(reason)
        case .tell(let channel):
            if channel == .sms, notice.purpose != .security,
                try await !AdmissionStore().spendMessage(budget: self.messagesPerDay, at: now, in: transaction)
            {
                return .wait(until: now.startOfNextDay)
            }
            try await store.choose(channel, for: notice.id, at: now, in: transaction)
            return .tell(self.parcel(notice, channel, person))
        }
    }

    private func person(
        _ notice: Notify, at now: Timestamp, in transaction: borrowing Transaction
    ) async throws -> Person {
        guard let member = notice.recipient.member else {
            // Of somebody who is no member nobody knows a consent: such people are told what they must know only.
            var person = Person(phone: notice.recipient.phone, email: notice.recipient.email)
            person.reach.possible = Set(
                [person.phone.map { _ in Notify.Channel.sms }, person.email.map { _ in .email }].compactMap(\.self))
            return person
        }
        let store = NoticeStore()
        guard let found = try await store.lock(member, in: transaction) else { return Person() }
        guard let wrapped = found.wrappedKey, found.state != "erased" else { return Person(isErased: true) }
        let key = try self.vault.unwrap(wrapped, of: member)
        var person = Person(
            phone: try found.sealedPhone.map { try PhoneNumber(parsing: key.open($0, field: .phone)) },
            email: try found.sealedEmail.flatMap { EmailAddress(try key.open($0, field: .email)) },
            devices: try await DeviceStore().devices(of: member, on: transaction),
            isEnglish: found.language == "en")
        person.reach.zone = found.zone.offset
        if person.phone != nil { person.reach.possible.insert(.sms) }
        if person.email != nil { person.reach.possible.insert(.email) }
        if !person.devices.isEmpty { person.reach.possible.insert(.push) }
        if let consent = notice.purpose.consent {
            person.reach.agreed = try await store.agreed(member, to: consent, in: transaction)
            let counts = try await store.counts(member, notice.purpose, at: now, in: transaction)
            (person.reach.lastDay, person.reach.lastWeek) = (counts.day, counts.week)
        }
        return person
    }

    private func parcel(_ notice: Notify, _ channel: Notify.Channel, _ person: Person) -> Parcel {
        let text = person.isEnglish ? notice.english : notice.russian
        let hint = notice.purpose == .advertising ? StopWord.hint(channel, isEnglish: person.isEnglish) : ""
        return Parcel(
            channel: channel, text: Notify.Text(subject: text.subject, body: text.body + hint), phone: person.phone,
            email: person.email, devices: person.devices)
    }
}
