public import Kernel

/// Every message that services exchange. What is not listed here has no golden file and no place on the bus.
public enum Catalogue {
    /// The types, by sender or by the one who answers.
    public static let messages: [any Message.Type] = [
        CardIssued.self, CardBlocked.self, TillKeyChanged.self, MemberJoined.self, StandingChanged.self,
        SessionEnded.self,
        MemberErased.self, BirthdaySet.self, ProfilingChanged.self, Notify.self, NotificationMoved.self,
        ResolveCard.self, ResolveTillKey.self, FetchSigningKeys.self, EnrolMembers.self, ListReferences.self,
        RequestStepUp.self, ConfirmStepUp.self, FetchStanding.self,
        PostReceipt.self, ExplainReceipt.self, OpenStickerCampaign.self,
        PointsEarned.self, PointsExpiring.self, TransferDone.self,
        PlaceHold.self, CaptureHold.self, VoidHold.self, MakeTransfer.self, PostTransfer.self, OpenPurpose.self,
        ListClearing.self,
        FetchPurposeTotals.self,
    ]
}
