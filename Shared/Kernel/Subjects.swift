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
