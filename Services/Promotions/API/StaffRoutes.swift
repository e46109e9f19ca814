import Contracts
import Hummingbird
import JobQueue
import Kernel
import Postgres
import Web

/// What colleagues do beside rulesets: offers, coupons, stickers, segments and hours. What costs money is drafted by one
/// and approved by another.
struct StaffRoutes: Sendable {
    private static let segmentMax = 10_000
    private static let bodyBytesMax = 1024 * 1024

    private let database: Database
    private let bus: Bus
    private let ids: IDGenerator
    private let clock: any WallClock
    private let offers = OfferStore()
    private let coupons = CouponStore()
    private let stickers = StickerStore()
    private let profiles = ProfileStore()
    private let stores = NearbyStore()
    private let write: StaffWrite

    init(database: Database, bus: Bus, ids: IDGenerator, clock: any WallClock) {
        (self.database, self.bus, self.ids, self.clock) = (database, bus, ids, clock)
        self.write = StaffWrite(database: database, clock: clock)
    }

    func addForEditors(to group: RouterGroup<ClubRequestContext>) {
        group.post("offers") { request, context in
            let bytes = try await StrictJSON.read(request)
            let offer = try StrictJSON.decode(OfferDraftBody.self, bytes: bytes).parsed(id: self.ids.next())
            return try await self.write(request, context, body: bytes) { author, transaction in
                guard try await self.offers.insert(offer, by: author, in: transaction) else {
                    throw Problem(ProblemKind.unknownProduct)
                }
                return try .json(["offer": offer.id], status: .created)
            }
        }
        group.post("coupon-campaigns") { request, context in
            let author = try context.requireStaff().staff
            let bytes = try await StrictJSON.read(request)
            let body = try StrictJSON.decode(CampaignDraftBody.self, bytes: bytes)
            let campaign = try body.parsed(id: self.ids.next(), by: author)
            return try await self.write(request, context, body: bytes) { _, transaction in
                do {
                    guard try await self.coupons.insert(campaign, in: transaction) else {
                        throw Problem(ProblemKind.codeTaken, at: "/code")
                    }
                } catch let error as DatabaseError where error.code == .foreignKeyViolation {
                    throw Problem(ProblemKind.notFound, detail: "There is no such sticker campaign.")
                }
                return try .json(["campaign": campaign.id], status: .created)
            }
        }
        group.put("segments/:segment/members") { request, context in
            guard let segment = context.parameters.get("segment"), segment.isCode else {
                throw Problem(ProblemKind.notFound)
            }
            let body = try await StrictJSON.decode(SegmentBody.self, from: request, limit: Self.bodyBytesMax)
            guard body.members.count <= Self.segmentMax else {
                throw Problem(.invalidValue, at: "/members", detail: "at most \(Self.segmentMax)")
            }
            let changed = try await self.profiles.setSegment(
                segment, of: Set(body.members).sorted(), isIn: body.isIn, in: self.database)
            return try Answer.json(["changed": changed])
        }
        group.put("stores/:store/hours") { request, context in
            guard let store = context.parameters.get("store").flatMap({ StoreID($0) }) else {
                throw Problem(ProblemKind.notFound)
            }
            let body = try await StrictJSON.decode(HoursBody.self, from: request)
            try await self.setHours(body, of: store)
            return Answer.empty()
        }
    }

    func addForApprovers(to group: RouterGroup<ClubRequestContext>) {
        group.post("offers/:offer/approve") { request, context in
            let id = try context.id("offer", of: Offer.self)
            return try await self.write(request, context) { approver, transaction in
                guard try await self.offers.approve(id, by: approver, in: transaction) else {
                    throw Problem(ProblemKind.wrongState)
                }
                return .empty()
            }
        }
        group.post("coupon-campaigns/:campaign/approve") { request, context in
            let id = try context.id("campaign", of: CouponCampaign.self)
            return try await self.write(request, context) { approver, transaction in
                guard try await self.coupons.approve(id, by: approver, in: transaction) else {
                    throw Problem(ProblemKind.wrongState)
                }
                return .empty()
            }
        }
        // The books open the campaign before anybody can give its stickers.
        group.put("sticker-campaigns/:campaign") { request, context in
            let author = try context.requireStaff().staff
            guard let code = context.parameters.get("campaign"), code.isCode else {
                throw Problem(ProblemKind.notFound)
            }
            let body = try await StrictJSON.decode(StickerDraftBody.self, from: request)
            guard body.title.isSound, body.endsAt > self.clock.now, ReceiptLimits.isSound(body.endsAt) else {
                throw Problem(.invalidValue, at: "/endsAt", detail: "in the future, and titles of 1 to 500 bytes")
            }
            guard try await self.openInBooks(code, until: body.endsAt) else { throw Problem(ProblemKind.notFound) }
            let campaign = StickerCampaign(code: code, title: body.title, endsAt: body.endsAt)
            try await self.stickers.upsert(campaign, by: author, in: self.database)
            return try Answer.json(StickerCampaignBody(campaign))
        }
    }

    private func openInBooks(_ code: String, until end: Timestamp) async throws -> Bool {
        do {
            return try await self.bus.call(OpenStickerCampaign(campaign: code, endsAt: end)).isOpen
        } catch is CallError {
            throw Problem(ProblemKind.undecided, retryAfter: .seconds(1))
        }
    }

    private func setHours(_ body: HoursBody, of store: StoreID) async throws {
        let exceptions = try body.parsedExceptions()
        let isKnown = try await self.database.transaction { transaction in
            let isKnown = try await self.stores.setHours(
                of: store, phone: body.phone, offsetMinutes: body.utcOffset, week: body.schedule, in: transaction)
            guard isKnown else { return false }
            for exception in exceptions {
                try await self.stores.setException(exception, of: store, in: transaction)
            }
            return true
        }
        guard isKnown else { throw Problem(ProblemKind.notFound) }
    }
}
