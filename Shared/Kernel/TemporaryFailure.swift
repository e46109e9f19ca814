/// An error that says: nothing is wrong with what was asked, only with the moment. Asking again in a while makes sense.
///
/// Whoever answers the outside turns it into "temporarily unavailable".
public protocol TemporaryFailure: Error {}
