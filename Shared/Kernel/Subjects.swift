// The things that carry an `Identifier`. Each is an empty name that keeps the identifiers apart.

/// A person taking part in the programme.
public enum Member {
    /// Identifies a member everywhere, also after the personal data is gone.
    public typealias ID = Identifier<Member>
}

/// A receipt accepted from a till.
public enum Receipt {
    /// Given by promotions when the receipt is accepted.
    public typealias ID = Identifier<Receipt>
}

/// Points set aside for a purpose.
public enum Hold {
    /// Made by whoever asks for the hold, which makes asking twice harmless.
    public typealias ID = Identifier<Hold>
}

/// A transaction of the points ledger.
public enum LedgerTransaction {
    /// Given by the ledger when it posts.
    public typealias ID = Identifier<LedgerTransaction>
}

/// An SMS code that waits for its answer.
public enum Challenge {
    /// Random and told to the asking client only.
    public typealias ID = Identifier<Challenge>
}

/// A member's login on one device.
public enum Session {
    /// The `sid` of access tokens.
    public typealias ID = Identifier<Session>
}

/// A confirmation of one action by a code.
public enum StepUp {
    /// Made by the service that asks for it, which makes asking twice harmless.
    public typealias ID = Identifier<StepUp>
}

/// Something told to a person by SMS, e-mail or push.
public enum Notice {
    /// Made by the service that tells it, which makes telling twice harmless.
    public typealias ID = Identifier<Notice>
}

/// Points turned into what a partner gives.
public enum Exchange {
    /// Also the partner's idempotency id, through which an order is one order however often it is sent.
    public typealias ID = Identifier<Exchange>
}

/// Points given to a fund.
public enum Donation {
    /// Given by charity.
    public typealias ID = Identifier<Donation>
}

/// A gift certificate.
public enum GiftCertificate {
    /// Given by gift-certificates when the draft is made; not its code.
    public typealias ID = Identifier<GiftCertificate>
}

/// A question to support.
public enum Ticket {
    /// Given by support.
    public typealias ID = Identifier<Ticket>
}

/// Somebody who works for the programme.
public enum Staff {
    /// Identifies a colleague in what needs two of them.
    public typealias ID = Identifier<Staff>
}
