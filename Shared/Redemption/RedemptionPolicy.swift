public import Contracts

/// How patient a service is with its redemptions.
public struct RedemptionPolicy: Sendable {
    /// What the step-up codes confirm.
    public var action: StepUpSubject.Action
    /// How long the ledger holds the points; at most 30 days. Longer than anything that may happen before the capture.
    public var holdLifetime: Duration
    /// How often the other side is asked while it is not known what it did.
    public var silence: Pace
    /// How often the other side is asked whether it has done what it accepted; nil: it tells by itself.
    public var crediting: Pace?
    /// How often the ledger is asked when it does not answer.
    public var books: Pace

    /// Patience as the programme has it.
    public init(
        action: StepUpSubject.Action, holdLifetime: Duration = .seconds(30 * 86_400),
        silence: Pace = Pace(first: .seconds(5), most: .seconds(1800), patience: .seconds(6 * 3600)),
        crediting: Pace? = Pace(first: .seconds(60), most: .seconds(6 * 3600), patience: .seconds(3 * 86_400)),
        books: Pace = Pace(first: .seconds(5), most: .seconds(300), patience: nil)
    ) {
        (self.action, self.holdLifetime) = (action, holdLifetime)
        (self.silence, self.crediting, self.books) = (silence, crediting, books)
    }

    /// Repetitions that become rarer.
    public struct Pace: Hashable, Sendable {
        /// Before the first repetition.
        public var first: Duration
        /// The longest time between two of them.
        public var most: Duration
        /// After so long in one state a person must look; nil: never.
        public var patience: Duration?

        /// Twice as long each time, from `first` to `most`.
        public init(first: Duration, most: Duration, patience: Duration?) {
            (self.first, self.most, self.patience) = (first, most, patience)
        }

        /// How long to wait after so many tries, from 0.
        public func delay(after tries: Int32) -> Duration {
            var delay = self.first
            for _ in 0..<min(max(tries, 0), 30) {
                guard delay < self.most else { break }
                delay *= 2
            }
            return min(delay, self.most)
        }
    }
}
