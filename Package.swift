// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "tradeledger",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "TradeLedger", targets: ["TradeLedger"]),
    .executable(name: "tradeledger", targets: ["TradeLedgerCLI"]),
  ],
  traits: [
    .trait(
      name: "CommandLine",
      description: "The command line tool and the simulator, with the packages they need."),
    .trait(
      name: "ServiceLifecycle",
      description: "LedgerService, which holds an instance name for a service group."),
    .trait(
      name: "PostgreSQL",
      description: "Ledgers on a PostgreSQL server, by the system's libpq."),
    .default(enabledTraits: ["CommandLine"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.5.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.7.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.6.0"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.0", traits: []),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.1.0"),
  ],
  targets: [
    .systemLibrary(
      name: "CSQLite", pkgConfig: "sqlite3",
      providers: [.apt(["libsqlite3-dev"]), .brew(["sqlite3"])]),
    .systemLibrary(
      name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"]), .brew(["libpq"])]),
    .target(name: "CLedgerSystem"),
    .target(name: "SQLite", dependencies: ["CSQLite"]),
    // Without its trait this module is empty and asks for no libpq.
    .target(
      name: "PostgreSQL",
      dependencies: [.target(name: "CLibPQ", condition: .when(traits: ["PostgreSQL"]))]),
    .target(
      name: "TradeLedger",
      dependencies: [
        "SQLite", "CLedgerSystem",
        .target(name: "PostgreSQL", condition: .when(traits: ["PostgreSQL"])),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
        .product(
          name: "ServiceLifecycle", package: "swift-service-lifecycle",
          condition: .when(traits: ["ServiceLifecycle"])),
      ],
      resources: [
        .embedInCode("Resources/schema.sql"), .embedInCode("Resources/schema.postgres.sql"),
        .embedInCode("Resources/schema.postgres.fingerprint"),
      ]),
    .target(
      name: "LedgerSimulation",
      dependencies: [
        "TradeLedger", "SQLite",
        .target(name: "PostgreSQL", condition: .when(traits: ["PostgreSQL"])),
        .product(
          name: "Subprocess", package: "swift-subprocess",
          condition: .when(traits: ["CommandLine"])),
        .product(
          name: "Histogram", package: "hdrhistogram-swift",
          condition: .when(traits: ["CommandLine"])),
      ]),
    .target(name: "ForeignAudit", dependencies: ["TradeLedger", "SQLite"]),
    .target(name: "LedgerReport", dependencies: ["TradeLedger"]),
    .executableTarget(
      name: "TradeLedgerCLI",
      dependencies: [
        "TradeLedger", "LedgerSimulation", "CLedgerSystem", "ForeignAudit", "LedgerReport",
        .product(name: "Logging", package: "swift-log"),
        .product(
          name: "ArgumentParser", package: "swift-argument-parser",
          condition: .when(traits: ["CommandLine"])),
        .product(
          name: "Subprocess", package: "swift-subprocess",
          condition: .when(traits: ["CommandLine"])),
      ]),
    .target(
      name: "LedgerTestSupport",
      dependencies: [
        "TradeLedger", "SQLite",
        .target(name: "PostgreSQL", condition: .when(traits: ["PostgreSQL"])),
      ],
      path: "Tests/LedgerTestSupport"),
    .executableTarget(
      name: "LedgerTestWorker", dependencies: ["TradeLedger"], path: "Tests/LedgerTestWorker"),
    .executableTarget(
      name: "LedgerTestFuzzer", dependencies: ["TradeLedger", "SQLite"],
      path: "Tests/LedgerTestFuzzer"),
    .testTarget(name: "SQLiteTests", dependencies: ["SQLite", "LedgerTestSupport"]),
    .testTarget(
      name: "SchemaTests", dependencies: ["SQLite", "TradeLedger", "LedgerTestSupport"],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "TradeLedgerTests",
      dependencies: [
        "TradeLedger", "SQLite", "LedgerTestSupport",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Metrics", package: "swift-metrics"),
      ]),
    .testTarget(name: "ConformanceTests", dependencies: ["TradeLedger", "LedgerTestSupport"]),
    .testTarget(
      name: "SimulationTests",
      dependencies: ["LedgerSimulation", "TradeLedger", "LedgerTestSupport", "TradeLedgerCLI"]),
    .testTarget(
      name: "ForeignAuditTests",
      dependencies: [
        "ForeignAudit", "SQLite", "TradeLedger", "LedgerTestSupport", "TradeLedgerCLI",
      ],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "LedgerReportTests", dependencies: ["LedgerReport", "TradeLedger", "LedgerTestSupport"]),
    .testTarget(
      name: "CLITests",
      dependencies: [
        "TradeLedger", "LedgerTestSupport", "TradeLedgerCLI",
        .product(
          name: "ArgumentParser", package: "swift-argument-parser",
          condition: .when(traits: ["CommandLine"])),
      ],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "MultiprocessTests",
      dependencies: ["TradeLedger", "LedgerTestSupport", "TradeLedgerCLI", "LedgerTestWorker"]),
    .testTarget(
      name: "FileCorpusTests",
      dependencies: ["CSQLite", "TradeLedger", "LedgerTestSupport", "LedgerTestFuzzer"]),
    // Empty without the trait of that name.
    .testTarget(
      name: "PostgreSQLTests",
      dependencies: [
        "TradeLedger", "LedgerTestSupport", "TradeLedgerCLI",
        .target(name: "PostgreSQL", condition: .when(traits: ["PostgreSQL"])),
      ]),
    .testTarget(name: "HouseTests", dependencies: ["LedgerTestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)

// Set by scripts/docs alone, so that nobody else has to fetch it.
if Context.environment["TRADELEDGER_DOCS"] != nil {
  package.dependencies.append(
    .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"))
}

for target in package.targets where target.type != .system && target.name != "CLedgerSystem" {
  target.swiftSettings = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    // A call of the ledger stays where its caller runs but for the hop to the engine's thread.
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  ]
  // Tests call C freely; what ships marks every unsafe construct.
  if target.type != .test && !target.name.hasPrefix("LedgerTest") {
    target.swiftSettings?.append(.strictMemorySafety())
  }
}
