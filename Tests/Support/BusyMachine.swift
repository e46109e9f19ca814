/// How long services wait for each other in tests: hundreds of tests share a machine, and a service that is right late is
/// right. Shorter only where a test is about silence.
public enum BusyMachine {
    public static let callPatience = Duration.seconds(60)
    /// The same, as a setting of services.
    public static let settings = ["CLUB_CALL_PATIENCE": "60s"]
}
