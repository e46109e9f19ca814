// swift-tools-version: 6.2
import PackageDescription

// The only place where dependencies are said. A service leans on `foundation` and on nothing else: the helper
// has no parameter through which another service could be added (Tests/Repository checks the text as well).

let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .treatAllWarnings(as: .error),
]

let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let sockets = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let posix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let tls = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let httpTypes = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let locks = Target.Dependency.product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let collections = Target.Dependency.product(name: "Collections", package: "swift-collections")
let configuration = Target.Dependency.product(name: "Configuration", package: "swift-configuration")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let tracing = Target.Dependency.product(name: "Tracing", package: "swift-distributed-tracing")
let instrumentation = Target.Dependency.product(name: "Instrumentation", package: "swift-distributed-tracing")
let jwt = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")
let yaml = Target.Dependency.product(name: "Yams", package: "Yams")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let inMemoryLogging = Target.Dependency.product(name: "InMemoryLogging", package: "swift-log")

/// What every service may lean on.
let foundation: [Target.Dependency] = [
    "Kernel", "Contracts", "Spans", "Postgres", "JobQueue", "Web", "Telemetry", "Host",
    logging, metrics, lifecycle, collections, locks, crypto, hummingbird,
]

func shared(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = []
) -> Target {
    .target(
        name: name, dependencies: dependencies, path: "Shared/\(name)", exclude: ["README.md"] + exclude,
        resources: resources, swiftSettings: house)
}

/// A service and its executable. `libraries` are packages of others that only this service needs, never a service;
/// `folders` what it brings along beside its migrations, `pages` what is for readers only.
func service(
    _ name: String, executable: String, libraries: [Target.Dependency] = [], folders: [String] = [],
    pages: [String] = []
) -> [Target] {
    [
        .target(
            name: name, dependencies: foundation + libraries, path: "Services/\(name)",
            exclude: ["README.md"] + pages,
            resources: [.copy("Migrations"), .copy("openapi.yaml")] + folders.map { .copy($0) }, swiftSettings: house),
        .executableTarget(
            name: executable, dependencies: [.target(name: name), "Host"],
            path: "Services/Executables/\(executable)", swiftSettings: house),
    ]
}

func suite(
    _ name: String, path: String? = nil, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["TestSupport"], path: "Tests/\(path ?? name)", exclude: exclude,
        swiftSettings: house)
}

let package = Package(
    name: "club",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "JobQueueTesting", targets: ["JobQueueTesting"]),
        .library(name: "clock-step", type: .dynamic, targets: ["CClockStep"]),
        .library(name: "slow-flush", type: .dynamic, targets: ["CSlowFlush"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        .systemLibrary(
            name: "CPostgres", path: "Shared/CPostgres", pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
        .target(name: "CReactor", path: "Shared/CReactor"),
        shared("Kernel", []),
        shared("Contracts", ["Kernel"]),
        shared("Spans", ["Kernel", tracing, instrumentation]),
        shared("Postgres", ["Kernel", "CPostgres", "CReactor", logging, collections, locks]),
        shared(
            "JobQueue",
            ["Kernel", "Spans", "Postgres", logging, metrics, lifecycle, collections, locks, crypto, tracing],
            exclude: ["Decisions"], resources: [.copy("Migrations"), .copy("Functions")]),
        shared("JobQueueTesting", ["Kernel", "Postgres", "JobQueue", logging, lifecycle]),
        shared("Web", ["Kernel", "Spans", "Postgres", logging, metrics, tracing, hummingbird, jwt, crypto, locks]),
        shared(
            "Telemetry",
            ["Kernel", logging, metrics, locks, tracing, instrumentation, httpClient, sockets, httpTypes]),
        shared(
            "Host",
            [
                "Kernel", "Contracts", "Postgres", "JobQueue", "Web", "Telemetry", configuration, logging, metrics,
                lifecycle, signals, hummingbird, sockets, locks, tracing,
            ]),
        shared("EmbeddedPostgres", [logging, subprocess, system]),
        shared("Photos", [locks, subprocess, system]),
        shared(
            "Redemption",
            ["Kernel", "Contracts", "Postgres", "JobQueue", "Web", logging, metrics, collections, locks, hummingbird]),
    ]
        + service(
            "Auth", executable: "club-auth", libraries: [jwt, cryptoExtras, httpClient, sockets, posix, httpTypes, tls])
        + service(
            "Ledger", executable: "club-ledger", libraries: [subprocess, system], folders: ["Functions"],
            pages: ["docs"])
        + service("Promotions", executable: "club-promotions")
        + service("PartnersExchange", executable: "club-partners-exchange", libraries: ["Redemption", httpClient])
        + service("Charity", executable: "club-charity", libraries: ["Redemption"])
        + service(
            "GiftCertificates", executable: "club-gift-certificates",
            libraries: ["Redemption", "Photos", subprocess, system])
        + service("Support", executable: "club-support", libraries: ["Photos"], folders: ["Data"])
        + [
            .target(
                name: "PartnerSimulator", dependencies: [hummingbird, httpClient, crypto, sockets, httpTypes, locks],
                path: "Services/PartnerSimulator", exclude: ["README.md"], swiftSettings: house),
            .executableTarget(
                name: "partner-simulator", dependencies: ["PartnerSimulator", hummingbird, arguments, logging],
                path: "Services/Executables/partner-simulator", swiftSettings: house),
            .target(
                name: "Club",
                dependencies: foundation + [
                    "Auth", "Ledger", "Promotions", "PartnersExchange", "Charity", "GiftCertificates", "Support",
                    "PartnerSimulator", "EmbeddedPostgres", arguments, httpClient, configuration, subprocess, system,
                    sockets, httpTypes, signals,
                ],
                path: "Services/Club", exclude: ["README.md"], swiftSettings: house),
            .executableTarget(
                name: "club", dependencies: ["Club"], path: "Services/Executables/club", swiftSettings: house),
            .target(
                name: "TestSupport",
                dependencies: foundation + [
                    "EmbeddedPostgres", inMemoryLogging, hummingbirdTesting, httpClient, sockets, httpTypes,
                    subprocess, system, tracing, instrumentation, yaml,
                ],
                path: "Tests/Support", swiftSettings: house),
            .executableTarget(
                name: "benchmarks",
                dependencies: foundation + [
                    "Auth", "Ledger", "Promotions", "EmbeddedPostgres", "TestSupport", arguments, histogram, httpClient,
                    httpTypes, subprocess,
                ],
                path: "Tests/Benchmarks", exclude: ["README.md", "peers", "Disk"], swiftSettings: house),
            .target(name: "CClockStep", path: "Tests/Chaos/Clock"),
            .target(name: "CSlowFlush", path: "Tests/Benchmarks/Disk"),
            .executableTarget(
                name: "queue-chaos",
                dependencies: [
                    "Kernel", "Postgres", "JobQueue", "EmbeddedPostgres", "TestSupport", logging, lifecycle, locks,
                    arguments, signals,
                ],
                path: "Tests/Chaos/Mix", swiftSettings: house),
            suite("KernelTests", ["Kernel", "Contracts"], exclude: ["Golden"]),
            suite("PostgresTests", ["Postgres", "Kernel"]),
            suite(
                "JobQueueTests",
                [
                    "JobQueue", "JobQueueTesting", "Postgres", "Kernel", "EmbeddedPostgres", logging, lifecycle, locks,
                    tracing, inMemoryLogging,
                ]),
            suite("WebTests", foundation + [hummingbirdTesting, inMemoryLogging, jwt, tracing]),
            suite("HostTests", foundation + ["Ledger", "EmbeddedPostgres", configuration, sockets, tracing]),
            suite("AuthTests", foundation + ["Auth", hummingbirdTesting, jwt, httpClient, sockets, posix]),
            suite("LedgerTests", foundation + ["Ledger", hummingbirdTesting, subprocess]),
            suite(
                "PromotionsTests", foundation + ["Promotions", "Ledger", hummingbirdTesting, jwt],
                exclude: ["Fixtures"]),
            suite("RedemptionTests", foundation + ["Redemption", "Ledger", "PartnersExchange"]),
            suite(
                "PartnersExchangeTests",
                foundation + [
                    "PartnersExchange", "PartnerSimulator", "Redemption", "Ledger", hummingbirdTesting, jwt,
                ]),
            suite("CharityTests", foundation + ["Charity", "Ledger", "Redemption"]),
            suite(
                "GiftCertificatesTests",
                foundation + ["GiftCertificates", "Ledger", "Redemption", "Photos", subprocess]),
            suite("SupportTests", foundation + ["Support", "Photos", hummingbirdTesting, jwt], exclude: ["Fixtures"]),
            suite("ClubTests", foundation + ["Club", arguments]),
            suite(
                "JourneyTests", path: "Journeys",
                foundation + [
                    "Auth", "Ledger", "Promotions", "Club", "EmbeddedPostgres", "PartnerSimulator", httpClient,
                    hummingbirdTesting, yaml,
                ],
                exclude: ["Matrix/authorisation.txt"]),
            suite(
                "ChaosTests", path: "Chaos",
                foundation + ["Auth", "Ledger", "Promotions", "Club", "EmbeddedPostgres", httpClient],
                exclude: ["Clock", "Mix"]),
            suite(
                "RepositoryTests", path: "Repository",
                foundation + [
                    "Auth", "Ledger", "Promotions", "PartnersExchange", "Charity", "GiftCertificates", "Support", yaml,
                ]),
        ],
    swiftLanguageModes: [.v6]
)
