public import Kernel

/// Open the accounts of a sticker campaign, or move the end of one that is open. promotions asks it of ledger.
public struct OpenStickerCampaign: Call, Hashable {
    public static let name = "ledger.open-sticker-campaign"
    public static let queue: QueueName = "ledger.calls"

    /// The campaign's name: 1 to 32 lower-case letters, digits and hyphens.
    public let campaign: String
    /// When its stickers are worth nothing any more.
    public let endsAt: Timestamp

    /// Asks for a campaign.
    public init(campaign: String, endsAt: Timestamp) { (self.campaign, self.endsAt) = (campaign, endsAt) }

    /// Whether stickers can be given now.
    public struct Reply: Codable, Hashable, Sendable {
        /// false for a name that no campaign has.
        public let isOpen: Bool

        /// Answers.
        public init(isOpen: Bool) { self.isOpen = isOpen }
    }
}
