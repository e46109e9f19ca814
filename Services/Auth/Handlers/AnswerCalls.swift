import Contracts
import JobQueue
import Kernel

// What other services may ask of auth, on the queue auth.calls.

extension Handler {
    static func resolveCard() -> Handler {
        .reply(ResolveCard.self) { call, _, transaction in
            ResolveCard.Reply(member: try await MemberStore().find(card: call.card, in: transaction))
        }
    }

    static func resolveTillKey() -> Handler {
        .reply(ResolveTillKey.self) { call, _, transaction in
            ResolveTillKey.Reply(key: try await TillKeyStore().find(call.id, in: transaction)?.record)
        }
    }

    static func fetchSigningKeys(_ signer: TokenSigner) -> Handler {
        .reply(FetchSigningKeys.self) { _, _, _ in
            FetchSigningKeys.Reply(jwks: try await signer.publicKeys())
        }
    }

    static func enrolMembers(_ enrol: EnrolPeople) -> Handler {
        .reply(EnrolMembers.self) { call, _, transaction in
            guard call.members.count <= EnrolPeople.limit, call.members.allSatisfy(\.hasReference) else {
                throw JobFailure.permanent("enrolment-out-of-bounds")
            }
            return EnrolMembers.Reply(members: try await enrol(call.members, in: transaction))
        }
    }

    static func listReferences() -> Handler {
        .reply(ListReferences.self) { call, _, transaction in
            ListReferences.Reply(
                members: try await EnrolmentStore().list(
                    prefix: call.prefix, after: call.after, limit: min(max(call.limit, 1), EnrolPeople.limit),
                    in: transaction))
        }
    }
}

extension EnrolMembers.Person {
    /// As the table wants it.
    fileprivate var hasReference: Bool {
        (1...64).contains(self.reference.unicodeScalars.count) && !self.reference.utf8.contains(0)
    }
}
