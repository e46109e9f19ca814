import Kernel
import Postgres

/// Hears what people answer by SMS: «стоп» ends advertising by SMS, everything else is nothing.
struct StopAdvertising: Sendable {
    let database: Database
    let clock: any WallClock
    let vault: Vault
    let metrics: NoticeMetrics

    /// - Returns: whether a consent was withdrawn.
    @discardableResult
    func callAsFunction(_ text: String, from phone: PhoneNumber) async throws -> Bool {
        guard StopWord.isIn(text) else { return false }
        let isStopped = try await AdvertisingStore().withdrawSMS(
            phoneIndex: self.vault.index(phone), at: self.clock.now, on: self.database)
        if isStopped { self.metrics.advertisingStopped() }
        return isStopped
    }
}
