import Contracts
import HTTPTypes
import Hummingbird
import Kernel
import Redemption
import Web

extension Problem {
    init(_ refusal: ExchangeRefusal) {
        switch refusal {
        case .unknownOffer: self.init(ProblemKind.unknownOffer, at: "/offer")
        case .unknownPartner: self.init(ProblemKind.notFound)
        case .offerClosed: self.init(ProblemKind.offerClosed)
        case .wrongAmount(let step, let min, let max):
            self.init(
                ProblemKind.wrongAmount,
                violations: [Violation(pointer: "/points", code: ProblemKind.wrongAmount.code)],
                extensions: ["step": .integer(step), "min": .integer(min), "max": .integer(max)])
        case .soldOut: self.init(ProblemKind.soldOut)
        case .notLinked: self.init(ProblemKind.notLinked)
        case .cooling(let until): self.init(ProblemKind.cooling, extensions: ["until": .text("\(until)")])
        case .linkChanged: self.init(ProblemKind.linkChanged)
        case .wrongNumber(let flaw):
            self.init(
                ProblemKind.wrongNumber,
                violations: [Violation(pointer: "/number", code: ProblemKind.wrongNumber.code, detail: flaw.rawValue)])
        case .unknownNumber: self.init(ProblemKind.unknownNumber, at: "/number")
        case .otherName: self.init(ProblemKind.otherName, at: "/surname")
        case .phoneChanged(let until): self.init(ProblemKind.phoneChanged, extensions: ["until": .text("\(until)")])
        case .spendingLocked: self.init(ProblemKind.spendingLocked)
        case .notActive: self.init(ProblemKind.notActive)
        case .overLimit(let left): self.init(ProblemKind.overLimit, extensions: ["left": .integer(left.amount)])
        case .partnerDown(let pause): self.init(ProblemKind.partnerDown, retryAfter: pause)
        case .undecided: self.init(ProblemKind.undecided, retryAfter: .seconds(1))
        }
    }

    init(_ refusal: DecideWorkItem.Refusal) {
        switch refusal {
        case .unknownItem: self.init(ProblemKind.notFound)
        case .closed: self.init(ProblemKind.itemClosed)
        case .notDecidable: self.init(ProblemKind.notDecidable, at: "/decision")
        }
    }

    init(_ refusal: ManagePartners.Refusal) {
        switch refusal {
        case .unknownPartner, .unknownOffer: self.init(ProblemKind.notFound)
        case .weakSecret: self.init(ProblemKind.weakSecret, at: "/secret")
        case .noPool: self.init(ProblemKind.noPool)
        }
    }

    init(_ refusal: ChangeOffers.Refusal) {
        switch refusal {
        case .unknownPartner, .unknownOffer, .unknownChange: self.init(ProblemKind.notFound)
        case .offerExists: self.init(ProblemKind.offerExists)
        case .pending: self.init(ProblemKind.changePending)
        case .flaw(let flaw): self.init(ProblemKind.invalidValue, at: flaw.pointer, detail: flaw.detail)
        case .addressNotAllowed: self.init(ProblemKind.addressNotAllowed, at: "/address")
        case .notRemote: self.init(ProblemKind.notRemote)
        case .samePerson: self.init(ProblemKind.samePerson)
        case .decided: self.init(ProblemKind.changeDecided)
        case .stale(let flaw): self.init(ProblemKind.changeStale, at: flaw.pointer, detail: flaw.detail)
        }
    }

    init(_ refusal: PayPartner.Refusal) {
        switch refusal {
        case .unknownPayout, .unknownPartner: self.init(ProblemKind.notFound)
        case .samePerson: self.init(ProblemKind.samePerson)
        case .approvedByOther: self.init(ProblemKind.approvedByOther)
        case .undecided: self.init(ProblemKind.undecided, retryAfter: .seconds(1))
        }
    }
}

/// Turns refusals into problems, whatever operation they come from.
func answering<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
        return try await body()
    } catch let refusal as ExchangeRefusal {
        throw Problem(refusal)
    } catch let refusal as RedemptionRefusal {
        throw Problem(refusal)
    } catch let refusal as DecideWorkItem.Refusal {
        throw Problem(refusal)
    } catch let refusal as ManagePartners.Refusal {
        throw Problem(refusal)
    } catch let refusal as PayPartner.Refusal {
        throw Problem(refusal)
    } catch let refusal as ChangeOffers.Refusal {
        throw Problem(refusal)
    } catch let malformed as DailyFile.Malformed {
        throw Problem(
            ProblemKind.fileMalformed,
            violations: [
                Problem.Violation(
                    pointer: "/content", code: ProblemKind.fileMalformed.code, detail: "line \(malformed.line)")
            ], extensions: ["line": .integer(Int64(malformed.line))])
    }
}
