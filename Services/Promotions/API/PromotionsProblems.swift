import HTTPTypes
import Hummingbird
import Kernel
import Web

extension Problem {
    /// All that is wrong with a document, under the code of the first thing.
    init(_ violations: Violations) {
        self.init(
            violations.found.first?.code.kind ?? .invalidValue,
            violations: violations.found.map {
                Violation(pointer: $0.pointer, code: $0.code.rawValue, detail: $0.detail)
            })
    }

    /// - Parameter pointer: where the receipt stands in the document; empty when it is the document.
    init(_ refusal: ReceiptRefusal, at pointer: String = "") {
        switch refusal {
        case .fromTheFuture: self.init(ProblemKind.fromTheFuture, at: pointer + "/at")
        case .tooOld: self.init(ProblemKind.tooOld, at: pointer + "/at")
        case .unknownCard: self.init(Promotions.Violation.Code.unknownCard.kind, at: pointer + "/card")
        case .unknownStore: self.init(ProblemKind.unknownStore, at: pointer + "/store")
        case .foreignStore: self.init(ProblemKind.foreignStore, at: pointer + "/store")
        case .fiscalConflict: self.init(ProblemKind.fiscalConflict, at: pointer + "/fiscal")
        case .paymentMismatch: self.init(ProblemKind.paymentMismatch, at: pointer + "/authorisations")
        case .undecided: self.init(ProblemKind.undecided, retryAfter: .seconds(1))
        }
    }

    init(_ refusal: ReturnRefusal) {
        switch refusal {
        case .unknownLine: self.init(ProblemKind.unknownLine, at: "/lines")
        case .exceedsLine: self.init(ProblemKind.returnExceedsLine, at: "/lines")
        case .nothing: self.init(ProblemKind.nothingReturned, at: "/lines")
        case .unknownSale: self.init(ProblemKind.unknownSale, at: "/sale")
        case .fiscalConflict: self.init(ProblemKind.fiscalConflict, at: "/fiscal")
        case .foreignStore: self.init(ProblemKind.foreignStore, at: "/store")
        case .unknownStore: self.init(ProblemKind.unknownStore, at: "/store")
        case .fromTheFuture: self.init(ProblemKind.fromTheFuture, at: "/at")
        case .tooOld: self.init(ProblemKind.tooOld, at: "/at")
        }
    }

    init(_ refusal: SpendingRefusal) {
        switch refusal {
        case .locked: self.init(ProblemKind.spendingLocked)
        case .invalidToken: self.init(ProblemKind.invalidCardToken, at: "/cardToken")
        case .tokenUsed: self.init(ProblemKind.cardTokenUsed, at: "/cardToken")
        case .unknownStore: self.init(ProblemKind.unknownStore, at: "/store")
        case .foreignStore: self.init(ProblemKind.foreignStore, at: "/store")
        case .overLimit(let limit):
            self.init(
                ProblemKind.overLimit, violations: [Violation(pointer: "/points", code: ProblemKind.overLimit.code)],
                extensions: ["limit": .integer(limit.amount)])
        case .insufficientPoints(let available):
            self.init(ProblemKind.insufficientPoints, extensions: ["available": .integer(available.amount)])
        case .refused(let code): self.init(ProblemKind.spendingRefused, extensions: ["reason": .text(code)])
        case .keyReused: self.init(Promotions.Violation.Code.keyReused.kind)
        case .undecided: self.init(ProblemKind.undecided, retryAfter: .seconds(1))
        case .unknownAuthorisation: self.init(ProblemKind.notFound)
        case .alreadyEnded(let state): self.init(ProblemKind.alreadyEnded, extensions: ["state": .text(state.rawValue)])
        case .overAuthorised(let points):
            self.init(
                ProblemKind.overAuthorised,
                violations: [Violation(pointer: "/points", code: ProblemKind.overAuthorised.code)],
                extensions: ["authorised": .integer(points.amount)])
        }
    }

    init(_ refusal: CouponRefusal) {
        switch refusal {
        case .unknown: self.init(ProblemKind.notFound)
        case .soldOut: self.init(ProblemKind.couponsSoldOut)
        case .memberLimit: self.init(ProblemKind.couponLimit)
        case .over: self.init(ProblemKind.couponOver)
        case .used: self.init(ProblemKind.couponUsed)
        case .invalidToken: self.init(ProblemKind.couponTokenInvalid, at: "/token")
        case .tokenExpired: self.init(ProblemKind.couponTokenExpired, at: "/token")
        case .tokenUsed: self.init(ProblemKind.couponTokenUsed)
        case .foreignStore: self.init(ProblemKind.foreignStore, at: "/store")
        case .unknownStore: self.init(ProblemKind.unknownStore, at: "/store")
        case .keyReused: self.init(Promotions.Violation.Code.keyReused.kind)
        case .insufficientStickers: self.init(ProblemKind.insufficientStickers)
        case .undecided: self.init(ProblemKind.undecided, retryAfter: .seconds(1))
        }
    }
}
