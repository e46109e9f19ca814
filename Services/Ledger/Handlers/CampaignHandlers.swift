internal import Contracts
internal import JobQueue
internal import Kernel

/// Opens sticker campaigns for whoever gives the stickers.
struct CampaignHandlers: Sendable {
    private let store = TransferStore()

    var all: [Handler] {
        [
            .reply(OpenStickerCampaign.self) { call, _, transaction in
                guard call.campaign.isCampaignName else { return OpenStickerCampaign.Reply(isOpen: false) }
                try await self.store.openCampaign(call.campaign, until: call.endsAt, in: transaction)
                return OpenStickerCampaign.Reply(isOpen: true)
            }
        ]
    }
}

extension String {
    /// The campaign's accounts and asset are named after it.
    fileprivate var isCampaignName: Bool {
        1...32 ~= self.utf8.count && self.utf8.allSatisfy { 0x61...0x7A ~= $0 || 0x30...0x39 ~= $0 || $0 == 0x2D }
    }
}
