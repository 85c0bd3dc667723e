// swift-tools-version: 6.2
import PackageDescription

// A stranger's package that uses the library and nothing else. scripts/consumer copies it away,
// builds it against this checkout by URL, as a stranger would, and looks at what was fetched.
let package = Package(
  name: "consumer",
  platforms: [.macOS(.v15)],
  dependencies: [
    .package(url: Context.environment["TRADELEDGER_URL"] ?? "", branch: "main", traits: [])
  ],
  targets: [
    .executableTarget(
      name: "Consumer", dependencies: [.product(name: "TradeLedger", package: "tradeledger")])
  ]
)
