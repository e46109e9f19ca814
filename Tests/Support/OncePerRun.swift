internal import FoundationEssentials
public import Testing

extension Trait where Self == ConditionTrait {
    /// For what does not depend on the database's version and takes minutes: `deploy/test`, which runs everything on one
    /// version after the other, runs it on the first. Alone, or on one version, it always runs.
    public static var oncePerRun: Self {
        .enabled(
            if: ProcessInfo.processInfo.environment["CLUB_TEST_RUN"] != "again",
            "it ran on the version of PostgreSQL before this one")
    }
}
